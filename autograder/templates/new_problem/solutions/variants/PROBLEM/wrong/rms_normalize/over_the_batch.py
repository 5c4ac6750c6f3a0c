# misconception: you took the mean over the batch (the first dimension) instead of over the features of each vector
def rms_normalize(x, eps=1e-6):
    return x / torch.sqrt((x**2).mean(dim=0, keepdim=True) + eps)
