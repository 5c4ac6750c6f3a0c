# misconception: you did not pass the generator on, so a draw cannot be repeated
def sample_actions(logits, generator=None):
    return torch.distributions.Categorical(logits=logits.detach()).sample()
