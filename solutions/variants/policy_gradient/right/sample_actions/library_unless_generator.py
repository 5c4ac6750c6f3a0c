# alternative: the library's distribution where no generator is given
def sample_actions(logits, generator=None):
    if generator is None:
        return torch.distributions.Categorical(logits=logits.detach()).sample()
    return torch.multinomial(logits.detach().softmax(1), 1, generator=generator)[:, 0]
