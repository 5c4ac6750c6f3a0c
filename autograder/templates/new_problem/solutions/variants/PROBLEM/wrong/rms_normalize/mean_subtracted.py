# misconception: you subtracted the mean of the features first, as layer normalisation does; the root mean square needs no mean
def rms_normalize(x, eps=1e-6):
    centered = x - x.mean(dim=-1, keepdim=True)
    return centered / torch.sqrt((centered**2).mean(dim=-1, keepdim=True) + eps)
