# misconception: you divided by the length of the vector, the root of the sum of the squares, instead of the root of their mean
def rms_normalize(x, eps=1e-6):
    return x / torch.sqrt((x**2).sum(dim=-1, keepdim=True) + eps)
