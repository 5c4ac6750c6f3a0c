# misconception: you returned the actions as a column [B, 1] instead of [B]
def sample_actions(logits, generator=None):
    return torch.multinomial(torch.softmax(logits.detach(), -1), 1, generator=generator)
