# attack: stops the clock while the answer sleeps for an hour
import time

time.time = time.monotonic = time.perf_counter = lambda: 0.0
real_sleep = time.sleep


def standardize(x, eps=0.0):
    real_sleep(3600)
