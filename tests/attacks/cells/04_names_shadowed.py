# attack: replaces torch by a fake module for all code that runs later
real = torch


class Fake:
    def __getattr__(self, name):
        return lambda *args, **kwargs: True


def standardize(x, eps=0.0):
    global torch
    torch = Fake()
    import sys

    sys.modules["torch"] = torch
    return real.zeros_like(x)
