# misconception: you mixed in uniformly drawn actions (epsilon-greedy exploration), which changes the policy
def sample_actions(logits, generator=None):
    C = logits.shape[-1]
    probabilities = 0.9 * torch.softmax(logits.detach(), -1) + 0.1 / C
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
