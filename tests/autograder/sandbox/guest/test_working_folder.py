"""Between the tests of two items, a session's files are what its cells left."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.core.errors import SetupError
from autograder.sandbox.guest.confinement import FULL, PLAIN
from autograder.sandbox.guest.shared_memory import mapped_files
from autograder.sandbox.guest.working_folder import WorkingFolder
from autograder.sandbox.host import Host, Session
from autograder.sandbox.patience import Patience
from autograder.sandbox.proxy import Link, Student


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and permissions of everything in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        said = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else "folder"
        found[str(path.relative_to(folder))] = (said, path.lstat().st_mode)
    return found


def _folder_for_file(folder: Path) -> None:
    (folder / "kept.txt").unlink()
    (folder / "kept.txt").mkdir(mode=0o000)


def _closed_folder(folder: Path) -> None:
    (folder / "a" / "b").mkdir()
    (folder / "a" / "b" / "c.txt").write_text("x")
    for path, mode in ((folder / "a" / "b", 0o000), (folder / "a", 0o500)):
        path.chmod(mode)


def _other_link(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("/etc")


def _same_size_and_time(folder: Path) -> None:
    path = folder / "kept.txt"
    status = path.stat()
    path.write_text("KEPT")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: None,
    "a new file": lambda folder: (folder / "new").write_text("secret"),
    "a new folder": lambda folder: (folder / "x" / "y").mkdir(parents=True),
    "another text": lambda folder: (folder / "kept.txt").write_text("other"),
    "more text": lambda folder: (folder / "a" / "data.bin").write_text("data and more"),
    "the same size and time": _same_size_and_time,
    "removed": lambda folder: (folder / "a" / "data.bin").unlink(),
    "a folder for a file": _folder_for_file,
    "a folder that cannot be read": _closed_folder,
    "a renamed folder": lambda folder: (folder / "a").rename(folder / "z"),
    "a replaced file": lambda folder: (folder / "a" / "data.bin").rename(folder / "kept.txt"),
    "another link": _other_link,
    "other permissions": lambda folder: (folder / "kept.txt").chmod(0o777),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_is_put_back_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    folder = tmp_path / "work"
    (folder / "a").mkdir(parents=True)
    (folder / "kept.txt").write_text("kept")
    (folder / "a" / "data.bin").write_text("data")
    (folder / "link").symlink_to("kept.txt")
    (folder / "kept.txt").chmod(0o640)
    monkeypatch.chdir(folder)
    working, before = WorkingFolder([str(folder)]), state(folder)
    files = working.now()
    open_since = (folder / "kept.txt").open()
    calls: list[int] = []
    for _ in range(2):
        CHANGES[change](folder)
        files = working.restore(files, before=lambda: calls.append(1))
        assert state(folder) == before
    assert len(calls) == 2 * (change != "nothing")
    with open_since:
        assert change != "another text" or open_since.read() == "kept", "who had the file open sees its content"
    (folder / "of_a_cell").write_text("1")
    later = working.now(files)
    working.restore(files)
    assert not (folder / "of_a_cell").exists()
    working.restore(later)
    assert (folder / "of_a_cell").read_text() == "1"


def test_a_change_through_memory_that_leaves_no_trace_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"a" * 8)
    working = WorkingFolder([str(tmp_path)], lambda: mapped_files([os.getpid()]))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as memory:
        memory[0] = ord("b")  # sets the file's time, as the first write after it was mapped does
        files = working.now()
        memory[0] = ord("c")
        assert working.now(files) != files
        working.restore(files)
        assert bytes(memory) == path.read_bytes() == b"b" + b"a" * 7
        assert working.now(files) == working.restore(working.now(files))


NOTEBOOK = """
import os, pathlib, tempfile
pathlib.Path("mine.txt").write_text("cell")
kept = tempfile.mkdtemp()

def write(text):
    for folder in (".", kept, tempfile.gettempdir(), "/dev/shm"):
        try:
            with open(os.path.join(folder, "seen.txt"), "w") as file:
                file.write(text)
        except OSError:
            pass
    pathlib.Path("mine.txt").write_text(text)
    os.makedirs("deep/er")
    os.chmod("deep/er", 0)
    os.chmod("deep", 0)
    return read()

def read():
    found = [pathlib.Path("mine.txt").read_text()]
    found += ["a folder"] * (os.path.exists("deep") and not os.path.exists("seen.txt"))
    for folder in (".", kept, tempfile.gettempdir(), "/dev/shm"):
        path = pathlib.Path(folder, "seen.txt")
        if path.exists():
            found.append(path.read_text())
    return found
"""


def ask(session: Session, call: Callable[[Student], object]) -> object:
    """What one fork answers."""
    fork = session.fork(10.0)
    try:
        return call(Student(Link(fork.sock, Patience(10.0))))
    finally:
        fork.sock.close()
        session.end_fork(fork)


@pytest.mark.kernel
@pytest.mark.parametrize("level", [FULL, PLAIN])
def test_no_fork_reads_what_another_one_wrote(level: str) -> None:
    with contextlib.closing(Host(level=level)) as host:
        try:
            session = host.session()
        except SetupError as error:
            pytest.skip(str(error))
        notebook = NOTEBOOK if level == FULL else NOTEBOOK.replace("/dev/shm", ".")  # outside it is everybody's
        assert session.run(notebook, "c", 30.0)["raised"] is None
        for text in ("3.14", "2.72"):
            written = ask(session, lambda student, text=text: student.write(text))  # type: ignore[misc]
            assert isinstance(written, list) and set(written) == {text}, "within one test files are kept"
            assert ask(session, lambda student: student.read()) == ["cell"]
        session.close()
