# attack: prints without end, in Python and to the file descriptors
import os


def standardize(x, eps=0.0):
    for _ in range(300):
        print("x" * 1_000_000)
        os.write(1, b"y" * 1_000_000)
        os.write(2, b"z" * 1_000_000)
    return torch.zeros_like(x)
