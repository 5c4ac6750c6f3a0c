# misconception: you removed every dimension of size 1, so a batch of one loses its batch dimension, too
def sample_actions(logits, generator=None):
    return torch.multinomial(torch.softmax(logits.detach(), -1), 1, generator=generator).squeeze()
