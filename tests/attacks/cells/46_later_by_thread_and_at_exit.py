# attack: changes the answers later, from a thread and in an exit handler
import atexit
import threading
import time


def later():
    while True:
        globals()["standardize"] = lambda x, eps=0.0: True
        time.sleep(0.001)


threading.Thread(target=later, daemon=True).start()
atexit.register(lambda: open(COURSE + "/pwned", "w"))


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
