# attack: replaces the next item's class by one that returns True for everything
class Line:
    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args):
        return True

    def __getattr__(self, name):
        return True


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
