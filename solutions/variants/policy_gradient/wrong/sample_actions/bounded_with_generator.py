# misconception: with a generator you bound the logits, so an action with the logit -inf can be drawn
def sample_actions(logits, generator=None):
    if generator is None:
        return torch.distributions.Categorical(logits=logits.detach()).sample()
    probabilities = logits.detach().clamp(-100, 100).softmax(-1)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
