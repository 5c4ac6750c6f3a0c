# misconception: you made a new generator with a fixed seed at each call, so every call draws the same
def sample_actions(logits, generator=None):
    generator = generator or torch.Generator().manual_seed(0)
    return torch.multinomial(torch.softmax(logits.detach(), -1), 1, generator=generator).squeeze(-1)
