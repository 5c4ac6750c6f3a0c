# misconception: with a generator you divided the logits by 1/3, so the likeliest action is drawn too often
def sample_actions(logits, generator=None):
    logits = logits.detach() if generator is None else 3 * logits.detach()
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator)[:, 0]
