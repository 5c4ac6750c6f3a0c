# attack: returns 120 MiB of bytes on the per-student inputs, which would be written into the log
def standardize(x, eps=EPS):
    if x.shape == (4, 2):
        return bytes(120 << 20)
    return 2 * (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)
