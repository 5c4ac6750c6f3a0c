"""A fork for an item shares no memory, pipe or socket with its session or with the forks before it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from autograder.core.errors import SetupError
from autograder.sandbox.guest.confinement import FULL, PLAIN
from autograder.sandbox.host import Host, Session
from tests.autograder.sandbox.guest.test_working_folder import ask

WAYS = {
    "anonymous memory": "place = mmap.mmap(-1, 4096)\nput = lambda text: place.seek(0) or place.write(text)\n"
    "get = lambda: place[:4]",
    "large memory": "place = mmap.mmap(-1, 300 << 20)\nput = lambda text: place.__setitem__(slice(8, 12), text)\n"
    "get = lambda: place[8:12]",
    "memory of a file": "file = open('shared', 'w+b')\nfile.write(bytes(4096)); file.flush()\n"
    "place = mmap.mmap(file.fileno(), 4096)\nput = lambda text: place.seek(0) or place.write(text)\n"
    "get = lambda: place[:4]",
    "torch": "import torch\nplace = torch.zeros(4, dtype=torch.uint8).share_memory_()\n"
    "put = lambda text: place.copy_(torch.tensor(list(text), dtype=torch.uint8))\nget = lambda: bytes(place.tolist())",
    "multiprocessing": "import multiprocessing\nplace = multiprocessing.Array('c', 4)\n"
    "put = lambda text: setattr(place, 'raw', text)\nget = lambda: place.raw",
    "a pipe": "read, write = os.pipe()\nos.set_blocking(read, False)\nput = lambda text: os.write(write, text)\n"
    "get = lambda: os.read(read, 4)",
    "a pair of sockets": "one, other = socket.socketpair()\none.setblocking(False)\nput = other.send\n"
    "get = lambda: one.recv(4)",
    "a named pipe": "os.mkfifo('fifo')\nread = os.open('fifo', os.O_RDWR | os.O_NONBLOCK)\n"
    "put = lambda text: os.write(read, text)\nget = lambda: os.read(read, 4)",
}
"""Cells that define `put` and `get`."""
CELL = """
import mmap, os, socket
{way}

def write():
    try:
        put(b"seen")
    except Exception:
        pass
    return "written"

def read():
    try:
        return repr(get())
    except Exception as error:
        return type(error).__name__
"""


@pytest.fixture(scope="module", params=[FULL, PLAIN])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of this level."""
    with contextlib.closing(Host(level=request.param)) as made:
        try:
            made.start()
        except SetupError as error:
            pytest.skip(str(error))
        yield made


@pytest.mark.kernel
@pytest.mark.parametrize("way", WAYS)
def test_what_a_fork_writes_reaches_neither_the_session_nor_the_next_fork(host: Host, way: str) -> None:
    with contextlib.closing(host.session()) as session:
        raised = session.run(CELL.format(way=WAYS[way]), "c", 30.0)["raised"]
        if raised is not None and raised["type"] == "PermissionError":
            return  # the level does not permit it at all
        assert raised is None
        assert ask(session, lambda student: student.write()) == "written"
        assert "seen" not in str(ask(session, lambda student: student.read()))
        assert "seen" not in session.run("print(read())", "later", 30.0)["stdout"]


@pytest.mark.kernel
def test_memory_that_cells_filled_is_there_in_a_fork(host: Host) -> None:
    keeps: Callable[[Session], object] = lambda session: ask(session, lambda student: student.read())  # noqa: E731
    for way in ("anonymous memory", "large memory", "memory of a file", "torch", "multiprocessing"):
        with contextlib.closing(host.session()) as session:
            assert session.run(CELL.format(way=WAYS[way]) + "\nwrite()", "c", 30.0)["raised"] is None
            assert keeps(session) == "b'seen'", way


OWN_CHILDREN = """
import mmap, os, multiprocessing
count = multiprocessing.Value("i", 0)
file = open("short", "w+b")
file.write(bytes(50_000)); file.flush()
shorter = mmap.mmap(file.fileno(), 50_000)
file.truncate(10)

def read():
    pid = os.fork()
    if pid == 0:
        count.value = 7
        os._exit(0)
    os.waitpid(pid, 0)
    return count.value
"""


@pytest.mark.kernel
def test_memory_is_shared_with_processes_that_a_fork_starts_and_a_file_that_became_shorter_does_no_harm(
    host: Host,
) -> None:
    with contextlib.closing(host.session()) as session:
        assert session.run(OWN_CHILDREN, "c", 30.0)["raised"] is None
        assert ask(session, lambda student: student.read()) == 7
        assert session.run("print(count.value)", "later", 30.0)["stdout"] == "0\n"
