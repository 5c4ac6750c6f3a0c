# misconception: you returned the mean and left out the noise
def sample_gaussian(m, v, noise=None):
    return m + 0 * torch.sqrt(v)
