# attack: crashes the process with a segmentation fault
import ctypes


def standardize(x, eps=0.0):
    return torch.zeros_like(x)


ctypes.string_at(0)
