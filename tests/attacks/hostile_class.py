"""A hostile class: its course, the attackers' cells and submissions, and what the attacks changed."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.cli.release import release
from tests.attacks.files import Submission
from tests.autograder.toy import ROOT

CELLS = sorted((Path(__file__).parent / "cells").glob("*.py"))
"""Each is the whole solution cell of one attacker; none of them answers the item."""
SECONDS = 6


def toy_course(root: Path) -> None:
    """Makes the toy course at `root` and releases it; the attacked item has `SECONDS` to answer."""
    shutil.copytree(ROOT, root)
    source = root / "solutions" / "toy.py"
    test = re.compile(r'^(# %% nbgrader=.*"grade_id": "test_standardize".*)$', re.MULTILINE)
    limited, count = test.subn(rf"\1 seconds={SECONDS}", source.read_text(encoding="utf-8"))
    assert count == 1
    source.write_text(limited, encoding="utf-8")
    release(root=root)


def filled_in(cell: Path, words: Mapping[str, object]) -> str:
    """The text of an attacker's cell, with its capital words replaced by the paths and numbers they mean."""
    text = cell.read_text(encoding="utf-8")
    for word, value in words.items():
        text = re.sub(rf"\b{word}\b", lambda _, value=value: repr(value), text)  # type: ignore[misc]
    return text


def hand_in(submitted: Path, student: str, submission: Submission) -> None:
    """Writes a submission to the folder that the batch grades."""
    folder = submitted / student / "toy"
    folder.mkdir(parents=True)
    submission.write(folder / "toy.ipynb")


def fingerprints(root: Path, out: Path) -> dict[str, str]:
    """Hashes of all files of the course except the results and nbgrader's gradebook and copies."""
    own = (out, root / "course" / "autograded", root / "course" / "gradebook.db")
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and not any(place in (path, *path.parents) for place in own)
    }


@contextlib.contextmanager
def listener() -> Iterator[tuple[int, list[object]]]:
    """A server on this machine; gives its port and the list of the clients that connected."""
    accepted: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, address = server.accept()
                    accepted.append(address)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], accepted
        server.shutdown(socket.SHUT_RDWR)
