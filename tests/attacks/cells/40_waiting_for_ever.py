# attack: waits for keyboard input, then sleeps for an hour
import time


def standardize(x, eps=0.0):
    try:
        input("press a key")
    except (EOFError, OSError):
        pass
    time.sleep(3600)
