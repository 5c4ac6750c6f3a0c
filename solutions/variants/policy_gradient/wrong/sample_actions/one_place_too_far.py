# misconception: you chose from the cumulative probabilities with an index that is one too large, so the first action is never drawn
def sample_actions(logits, generator=None):
    cumulated = torch.softmax(logits.detach(), -1).cumsum(-1)
    u = torch.rand(logits.shape[0], 1, generator=generator)
    return ((cumulated < u).sum(-1) + 1).clamp(max=logits.shape[-1] - 1)
