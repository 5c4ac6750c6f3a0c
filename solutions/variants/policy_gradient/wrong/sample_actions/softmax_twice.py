# misconception: you applied the softmax twice, to probabilities as if they were logits
def sample_actions(logits, generator=None):
    probabilities = torch.softmax(torch.softmax(logits.detach(), -1), -1)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
