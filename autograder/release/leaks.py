"""Searches what will be published for what students must not see.

`leaks` finds lines of solutions, hidden tests and rubrics; `secrets_in` also staff files and imports of staff packages.
"""

from __future__ import annotations

import contextlib
import functools
import json
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.core.errors import SourceError
from autograder.course.markers import KINDS, RUBRIC, begin, end, read_marker
from autograder.course.percent import TextCell, numbers_inside, split_cells
from autograder.course.problem import Problem, load_problem, problem_ids

SHORTEST = 12
"""Lines with fewer characters (white space not counted) are too short to be a leak."""
FEWEST_WORDS = 4
"""Lines with fewer names, numbers and operators say too little to be a leak: `network.eval()`, `xlabel="step",`."""
LONG = 24
"""Lines with at least this many characters are also searched for inside longer lines."""
_WORD = re.compile(r"[^\W\d]\w*|\d[\w.]*|[-+*/@%<>!&|^~]=?|==")
WAIVER = re.compile(r"#\s*not secret\b(?::?\s*(?P<reason>.*))?$")
"""The comment with which an author says that a line of a solution or a hidden test may be seen, and why."""


@dataclass(frozen=True)
class Leak:
    """One secret line that is in a released text."""

    problem: str
    source_line: int
    """Line number in the problem's source."""
    kind: str
    """`SOLUTION`, `HIDDEN TESTS` or `MARK SCHEME`."""
    where: str
    """Name of the released text."""
    line: int
    """Line number in the released text; for a notebook, in the concatenated text of its cells."""
    text: str

    def __str__(self) -> str:
        return (
            f"{self.where}, line {self.line}: shows a line of a {self.kind.lower()} region of {self.problem} "
            f"(source line {self.source_line}): {self.text!r}"
        )


def leaks(problem: Problem, texts: Mapping[str, str]) -> list[Leak]:
    """The secret lines of a problem that are in released texts.

    A line is secret if it is in a solution, hidden-test or rubric region, says enough (`SHORTEST`, `FEWEST_WORDS`), has
    no waiver, and is in the visible part of no source of the course. Indentation, comment marks and repeated blanks are
    ignored.

    Args:
        problem: the problem with the secret lines.
        texts: file name → text; if the name ends in `.ipynb` or `.json`, every string in it is searched.

    Returns:
        The leaks; empty if there are none.
    """
    secrets = secret_lines(problem)
    long_secrets = {line: place for line, place in secrets.items() if len(_dense(line)) >= LONG}
    found = []
    for name, text in texts.items():
        lines = [_normal(line) for line in plain_lines(name, text)]
        whole = "\n".join(lines)
        somewhere = [secret for secret in long_secrets if secret in whole]
        for number, line in enumerate(lines, start=1):
            is_long = somewhere and len(_dense(line)) > LONG
            hits = [line] if line in secrets else [secret for secret in somewhere if is_long and secret in line]
            found += [Leak(problem.id, *secrets[hit], name, number, hit) for hit in hits]
    return found


def secret_lines(problem: Problem) -> dict[str, tuple[int, str]]:
    """The secret lines of a problem: normalized text → (line number in the source, kind of region)."""
    cells = split_cells(problem.path.read_text(encoding="utf-8"))
    shown = "\n".join(_normal(line) for cell in cells for line in _visible(cell))
    elsewhere = _visible_lines(tuple(path.read_text(encoding="utf-8") for path in problem.path.parent.glob("*.py")))
    secrets: dict[str, tuple[int, str]] = {}
    for cell in cells:
        for kind in KINDS:
            inside = numbers_inside(cell, kind)
            for line in cell.lines:
                text = _normal(line.text)
                is_waived = kind != RUBRIC and WAIVER.search(line.text)
                if line.number in inside and _says_enough(text) and not is_waived:
                    if text not in elsewhere and text not in shown:
                        secrets.setdefault(text, (line.number, kind))
    return secrets


def _says_enough(text: str) -> bool:
    words = [word for word in _WORD.findall(text) if not keyword.iskeyword(word)]
    return len(_dense(text)) >= SHORTEST and len(words) >= FEWEST_WORDS


@functools.lru_cache(maxsize=4)
def _visible_lines(sources: tuple[str, ...]) -> frozenset[str]:
    """The visible lines of sources, normalized."""
    return frozenset(_normal(line) for source in sources for cell in split_cells(source) for line in _visible(cell))


def released_texts(root: Path) -> dict[str, str]:
    """Path relative to the root → text of the notebooks and the Python files of `homework/`."""
    paths = [*(root / "notebooks").rglob("*.ipynb"), *(root / "homework").rglob("*.py")]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(paths)}


def _visible(cell: TextCell) -> Iterator[str]:
    secret = frozenset[int]().union(*(numbers_inside(cell, kind) for kind in KINDS))
    for line in cell.lines:
        if line.number not in secret and not read_marker(line.text):
            yield line.text


def plain_lines(name: str, text: str) -> Iterator[str]:
    """The lines of a text; for a notebook or another JSON file, the lines of every string in it."""
    if not name.endswith((".ipynb", ".json")):
        yield from text.splitlines()
        return
    try:
        whole = json.loads(text)
    except ValueError:  # not JSON, despite its name
        whole = text
    for value in _strings(whole):
        yield from value.splitlines()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, list):
        whole = ["".join(value)] if all(isinstance(inner, str) for inner in value) else value
        for inner in whole:
            yield from _strings(inner)


def _normal(line: str) -> str:
    """A line without indentation, leading comment marks and repeated blanks."""
    return " ".join(line.strip().lstrip("#").split())


def _dense(line: str) -> str:
    return "".join(line.split())


_STAFF_NAMES = frozenset({"solutions", "tests", "autograder", "benchmarks", "course", "course.toml", "seeds.txt"})
"""Names of staff files and folders, in lower case."""
_PACKAGES = "(?:autograder|solutions|tests|benchmarks)"
_IMPORT = re.compile(
    rf"(?:^|[;:])\s*(?:from\s+{_PACKAGES}\b[\w.]*\s+import\b|import\s+(?:[\w. ]+,\s*)*{_PACKAGES}\b)"
    rf"|(?:__import__|import_module)\s*\(\s*['\"]{_PACKAGES}\b"
)
_COMPILED = (".pyc", ".pyo", ".so", ".pyd")
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd", b"Rar!")
"""First bytes of archives and compressed files."""
_TAR = slice(257, 262)
"""Position of `ustar` in a tar archive."""
_READABLE = re.compile(rb"[\t\x20-\x7e]{12,}")
_READABLE_WIDE = re.compile(rb"(?:[\t\x20-\x7e]\0){12,}|(?:\0[\t\x20-\x7e]){12,}")
"""The same in UTF-16."""


def secrets_in(files: Mapping[str, bytes], root: Path) -> list[str]:
    """Findings in these files that students must not see, one sentence each; empty if there are none.

    Findings are lines of solutions, hidden tests and rubrics of every problem that has a source, their markers, imports
    of staff packages, names of staff files, and files that cannot be searched: compiled files and archives.

    Args:
        files: path → content, e.g. the files of a folder or a wheel.
        root: the course's root folder.
    """
    found = _staff_things(files)
    texts = {name: _searchable(data) for name, data in files.items()}
    for problem in problem_ids(root):
        found += [str(leak) for leak in leaks(load_problem(problem, root), texts)]
    return found


def release_leaks(notebooks: Mapping[str, str], root: Path) -> list[str]:
    """What students must not see and would see after a release of these notebooks, one sentence each.

    The notebooks are searched for secrets of all problems; the other notebooks and `homework/` for those of the
    released problems. A source of another problem that cannot be read is left to the bundle, which searches all again.

    Args:
        notebooks: problem id → text of its notebook for students.
        root: the course's root folder.
    """
    new = {f"notebooks/{problem}.ipynb": text for problem, text in notebooks.items()}
    found = []
    everything = {**released_texts(root), **new}
    for problem in problem_ids(root):
        with contextlib.nullcontext() if problem in notebooks else contextlib.suppress(SourceError):
            texts = everything if problem in notebooks else new
            found += [str(leak) for leak in leaks(load_problem(problem, root), texts)]
    return found + _staff_things({name: text.encode() for name, text in new.items()})


def _staff_things(files: Mapping[str, bytes]) -> list[str]:
    """Findings about markers of secret regions, imports of staff packages, staff files, and what cannot be searched."""
    found = []
    for name, data in files.items():
        path = PurePosixPath(name.casefold())
        if _STAFF_NAMES & set(path.parts):
            found.append(f"{name}: has a staff file name")
        if path.suffix in _COMPILED or "__pycache__" in path.parts:
            found.append(f"{name}: is compiled; it cannot be searched")
        if data.startswith(_PACKED) or data[_TAR] == b"ustar":
            found.append(f"{name}: is an archive or compressed; it cannot be searched")
    texts = {name: _searchable(data) for name, data in files.items()}
    for name, text in texts.items():
        for line in plain_lines(name, text):
            if _IMPORT.search(line):
                found.append(f"{name}: imports from the staff's packages: {line.strip()!r}")
            if any(begin(kind) in line or end(kind) in line for kind in KINDS):
                found.append(f"{name}: contains the marker of a secret region: {line.strip()!r}")
    return found


def _searchable(data: bytes) -> str:
    """The text of a file; if it is not UTF-8 text, the printable strings in it."""
    try:
        text = data.decode()
        if "\0" not in text:
            return text
    except UnicodeDecodeError:
        pass
    wide = [match.replace(b"\0", b"") for match in _READABLE_WIDE.findall(data)]
    return b"\n".join([*_READABLE.findall(data), *wide]).decode()
