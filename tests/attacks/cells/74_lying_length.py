# attack: returns an object with a false length and truth value
class Liar:
    shape = (2, 1)

    def __len__(self):
        return 2

    def __bool__(self):
        return True

    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter([-1.0, 1.0])

    def mean(self, *args, **kwargs):
        return Liar()


def standardize(x, eps=0.0):
    return Liar()
