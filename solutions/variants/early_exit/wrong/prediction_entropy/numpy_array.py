# misconception: you returned a NumPy array; the result is a tensor
def prediction_entropy(logits):
    log_p = logits.log_softmax(dim=1)
    return -(log_p.exp() * log_p).sum(dim=1).detach().numpy()
