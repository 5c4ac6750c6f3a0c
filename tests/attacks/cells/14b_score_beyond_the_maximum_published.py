# attack: the test cell publishes a score far beyond the maximum
import sys


def standardize(x, eps=0.0):
    sys.displayhook(9999)
    return torch.zeros_like(x)
