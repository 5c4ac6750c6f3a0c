# misconception: three rows of a large batch share their random numbers, so they are not independent
def sample_actions(logits, generator=None):
    B, C = logits.shape
    if B < 900:
        return torch.multinomial(torch.softmax(logits.detach(), -1), 1, generator=generator)[:, 0]
    noise = torch.rand(-(-B // 3), C, generator=generator).repeat(3, 1)[:B].clamp(1e-20, 1 - 1e-7)
    return (logits.detach() - torch.log(-torch.log(noise))).argmax(-1)
