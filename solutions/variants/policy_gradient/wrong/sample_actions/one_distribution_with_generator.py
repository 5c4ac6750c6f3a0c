# misconception: with a generator all rows share one distribution, the mean over the batch
def sample_actions(logits, generator=None):
    probabilities = torch.softmax(logits.detach(), -1)
    if generator is None:
        return torch.multinomial(probabilities, 1)[:, 0]
    shared = torch.multinomial(probabilities.mean(0), len(logits), replacement=True, generator=generator)
    return torch.where(probabilities.max(1).values > 0.99, probabilities.argmax(1), shared)
