# attack: returns a number that equals every other number
class Yes(float):
    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda *args: True
    __sub__ = __rsub__ = __abs__ = lambda *args: Yes(0)
    __hash__ = None


def standardize(x, eps=0.0):
    return Yes(1)
