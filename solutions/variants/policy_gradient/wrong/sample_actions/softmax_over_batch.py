# misconception: you normalised over the batch (dim 0) instead of over the actions of each row
def sample_actions(logits, generator=None):
    probabilities = torch.softmax(logits.detach(), dim=0)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
