# alternative: log-softmax, gathered
def sequence_loss(logits, labels):
    counted = labels != -100
    log_p = logits.log_softmax(dim=-1)
    chosen = log_p.gather(-1, labels.masked_fill(~counted, 0).unsqueeze(-1)).squeeze(-1)
    return -(chosen * counted).sum() / counted.sum()
