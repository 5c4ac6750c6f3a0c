# attack: works in children whose CPU time is lost, because their end is ignored
import os
import signal
import time

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(30):
    if os.fork() == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        os._exit(0)
    time.sleep(0.05)


def standardize(x, eps=EPS):
    return x
