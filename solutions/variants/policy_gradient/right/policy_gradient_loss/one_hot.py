# alternative: a one-hot table picks the actions; float64 inside
def policy_gradient_loss(logits, actions, rewards, baseline=None):
    one_hot = nn.functional.one_hot(actions, logits.shape[-1]).double()
    log_taken = (one_hot * nn.functional.log_softmax(logits.double(), 1)).sum(1)
    if baseline is not None:
        rewards = rewards - baseline
    return (-(rewards.detach() * log_taken).sum() / len(actions)).to(logits.dtype)
