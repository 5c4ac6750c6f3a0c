# misconception: you drew all actions with equal probability, whatever the logits say
def sample_actions(logits, generator=None):
    B, C = logits.shape
    return torch.randint(C, (B,), generator=generator)
