# attack: closes and replaces the standard streams
import os
import sys

sys.stdout = sys.stderr = sys.__stdout__ = None
for fd in (0, 1, 2):
    os.close(fd)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
