# misconception: you draw from numpy; the noise must come from torch's global generator
import numpy


def sample_gaussian(m, v, noise=None):
    if noise is None:
        noise = torch.from_numpy(numpy.random.randn(*m.shape)).to(m)
    return m + v.sqrt() * noise
