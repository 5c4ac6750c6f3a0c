"""Hostile replies: cells that write changed frames to the examiner, or patch what the student's side answers with."""

from __future__ import annotations

from random import Random
from textwrap import indent
from typing import Any

from tests.attacks.files import NOTHING
from tests.autograder.sandbox.test_fuzzed_replies import HOSTILE, QUESTIONS, changed_reply, wire
from tests.autograder.toy import STANDARDIZE, solved
from tests.fuzz.attacker import Attacker, submitted

RAN: dict[str, Any] = {"stdout": "", "stderr": "", "raised": None, "lost": [], "tried": [], "absent": []}
ERROR = {"type": "ValueError", "message": "no", "lines": [["standardize", 1]], "memory": False}
HEADERS: list[dict[str, Any]] = [
    *(header for _, headers, _ in QUESTIONS.values() for header in headers),
    *(RAN, {**RAN, "raised": ERROR}, {"raised": ERROR}, {"value": None, "changed": [["x", [0], "value"]]}),
    *({"forked": True}, {"ended": True}, {"seeded": True}, {"ready": True}, {"pid": 1}, {"killed": 1}, {"waited": 0.5}),
    {"op": "callback", "number": 0, "args": ["t", 1], "kwargs": ["d"]},
    {"op": "stand_in", "number": 0, "args": ["t"], "kwargs": ["d"], "grad": True, "random": ["G", 0, 8]},
    {"op": "stand_in_backward", "graph": 0, "gradients": ["l", None]},
]
"""Frames of a student's side, in the examination of an item and in that of a session."""
START = """import gc, itertools, json, socket, struct, sys, torch
FRAMES, HEADERS, NODES = itertools.cycle({frames!r}), itertools.cycle({headers!r}), itertools.cycle({nodes!r})
guest = {{name.partition(".")[2]: module for name, module in sys.modules.items() if name.startswith("guest.")}}
def write(many):
    for thing in gc.get_objects():
        if type(thing) is socket.socket:
            for _ in range(many):
                try:
                    thing.sendall(next(FRAMES))
                except OSError:
                    pass
def put(where, name, value):
    for module in (guest.get(where), *guest.values()):
        if module is not None and hasattr(module, name):
            setattr(module, name, value)
def patch(module, kind, name, value):
    setattr(getattr(guest[module], kind), name, value)
"""
PATCHES = [
    "write({many})",
    "put('wire', 'send_frame', lambda sock, *a, **k: sock.sendall(next(FRAMES)))",
    "put('wire', 'send_frame', lambda sock, header, body=b'', *a: (sock.sendall(next(FRAMES)), write(1)))",
    "old = guest['wire'].send_frame\n"
    "put('wire', 'send_frame', lambda sock, header, body=b'', *a: old(sock, {{**header, **next(HEADERS)}}, body))",
    "patch('server', 'RequestServer', '_answer', lambda self, header, body: self._sock.sendall(next(FRAMES)))",
    "patch('server', 'RequestServer', '_reply', lambda self, value, leaves: (next(HEADERS), bytes(8)))",
    "patch('server', 'RequestServer', '_opaque', lambda self, value: next(NODES))",
    "patch('codec', 'Encoder', 'encode', lambda self, value, depth=0: next(NODES))",
    "patch('codec', 'Encoder', '_tensor', lambda self, value: next(NODES))",
    "patch('codec', 'Encoder', '_put', lambda self, data: ({many}, 2**40))",
    "patch('shell', 'NotebookShell', 'run', lambda self, source, name: next(HEADERS))",
    "put('errors', 'describe', lambda *a: next(NODES))",
    "put('errors', 'describe', lambda *a: next(HEADERS))",
    "put('process_tree', 'children', lambda *a: next(NODES))",
    "put('wire', 'receive_frame', lambda *a, **k: (next(HEADERS), bytes(8)))",
    "patch('server', 'RequestServer', 'serve', lambda self: write({many}))",
    "for thing in gc.get_objects():\n    if type(thing) is socket.socket: thing.shutdown(socket.SHUT_WR)",
    "for fd in range(3, 64):\n    try: __import__('os').write(fd, next(FRAMES))\n    except OSError: pass",
]
ANSWERS = [
    NOTHING,
    STANDARDIZE + "    write(3)\n    return torch.zeros_like(x)",
    STANDARDIZE + "    write(1)\n    raise ValueError(next(NODES))",
    STANDARDIZE + "    class Odd(Exception): __str__ = lambda self: next(NODES)\n    raise Odd",
    STANDARDIZE + "    return [x, {'a': next(NODES)}, write, type]",
    "class standardize:\n    def __new__(cls, *a, **k): return next(NODES)",
    "def standardize(x, **k):\n"
    "    patch('server', 'RequestServer', '_reply', lambda self, value, leaves: (next(HEADERS), bytes(8)))",
]


def _source(draw: Random) -> str:
    frames = [wire(draw.choice(HEADERS), draw)[0] for _ in range(draw.choice([1, 5, 20]))]
    if draw.random() < 0.2:
        frames.append(frames[-1][: draw.randrange(len(frames[-1]))])
    headers = [header for _ in range(12) if type(header := changed_reply(draw.choice(HEADERS), draw)) is dict]
    nodes = [draw.choice(HOSTILE) for _ in range(12)]
    patches = [draw.choice(PATCHES).format(many=draw.choice([1, 10, 3000])) for _ in range(draw.choice([1, 1, 2]))]
    start = START.format(frames=frames, headers=headers or [{}], nodes=nodes)
    if draw.random() < 0.6:  # what is asked before the first call has honest answers
        late = indent("\n".join(patches), "    ")
        return f"{start}\n{STANDARDIZE}{late}\n    return {draw.choice(['x', 'torch.zeros_like(x)', 'next(NODES)'])}"
    return "\n".join([start, *patches, draw.choice(ANSWERS)])


def attacker(draw: Random, _name: str) -> Attacker:
    """An attacker by replies, which claim nothing that is right."""
    return submitted("reply", solved(standardize=_source(draw)))
