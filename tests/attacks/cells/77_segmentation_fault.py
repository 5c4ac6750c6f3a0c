# attack: the process dies of a segmentation fault as the cell runs
import ctypes


def standardize(x, eps=0.0):
    return torch.zeros_like(x)


ctypes.string_at(0)
