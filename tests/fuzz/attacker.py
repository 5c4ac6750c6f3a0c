"""A hostile student: what is graded as it is, and what `autograder intake` takes in first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from nbformat import NotebookNode

from tests.attacks.files import NOTHING
from tests.autograder.toy import released, solved, text

LINE = 8.0
"""Points of the item `Line`."""


@dataclass(frozen=True)
class Attacker:
    """The files of one hostile student, who never answers the item `standardize`."""

    how: str
    """How the files were made, for the report."""
    files: Mapping[str, bytes]
    """Path → content: beside the notebook, or below the folder that intake reads."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Path → target of symbolic links."""
    line: float = 0.0
    """The points of `Line` that the submission may deserve."""
    by_intake: bool = False
    """Whether the files are for `autograder intake`."""
    row: bool = True
    """Whether `grades.csv` must have a line with the student's name."""

    @property
    def tops(self) -> list[str]:
        """The top-level files and folders."""
        return sorted({path.partition("/")[0] for path in (*self.files, *self.links)})

    def write(self, folder: Path) -> None:
        """Writes the files and links below a folder."""
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        for path, target in self.links.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(target)


def submitted(how: str, notebook: bytes | NotebookNode, log: bytes | None = None, line: float = LINE) -> Attacker:
    """An attacker whose notebook and log are graded as they are; lone surrogates are written as escapes."""
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    log_file = {} if log is None else {"submission_log.json": log}
    return Attacker(how, {"toy.ipynb": data, **log_file}, line=line)


def wrong_notebook(draw: Random) -> bytes:
    """An ordinary notebook that does not answer `standardize`."""
    return text(released() if draw.random() < 0.5 else solved(standardize=NOTHING))
