# misconception: you computed exp(logits) without subtracting the largest logit, which overflows
def sample_actions(logits, generator=None):
    weights = logits.detach().exp()
    return torch.multinomial(weights / weights.sum(-1, keepdim=True), 1, generator=generator).squeeze(-1)
