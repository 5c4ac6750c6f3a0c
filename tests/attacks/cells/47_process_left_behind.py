# attack: leaves a process behind that writes files later
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.5)
            try:
                open(OUT + "/pwned", "w").write("still here")
            except OSError:
                pass
    os._exit(0)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
