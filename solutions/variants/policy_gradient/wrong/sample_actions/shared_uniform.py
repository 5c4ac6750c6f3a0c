# misconception: you used one random number for the whole batch, so the rows are not independent
def sample_actions(logits, generator=None):
    u = torch.rand(1, generator=generator)
    cumulated = torch.softmax(logits.detach(), -1).cumsum(-1)
    return (cumulated < u).sum(-1).clamp(max=logits.shape[-1] - 1)
