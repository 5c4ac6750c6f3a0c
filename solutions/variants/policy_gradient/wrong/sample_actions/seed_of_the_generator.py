# misconception: you used the generator's seed, so that each call with this generator draws the same
def sample_actions(logits, generator=None):
    if generator is None:
        return torch.distributions.Categorical(logits=logits.detach()).sample()
    with torch.random.fork_rng():
        torch.manual_seed(generator.initial_seed())
        return torch.distributions.Categorical(logits=logits.detach()).sample()
