# alternative: one row after the other, in a loop
def sample_actions(logits, generator=None):
    rows = [torch.multinomial(torch.softmax(row, -1), 1, generator=generator) for row in logits.detach()]
    return torch.cat(rows)
