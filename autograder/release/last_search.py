"""The last check before publishing: searches files for text that students must not see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from autograder.course.markers import KINDS, begin, end
from autograder.course.problem import load_problem, problem_ids
from autograder.release.leaks import leaks, plain_lines

_OURS = frozenset({"solutions", "tests", "autograder", "benchmarks", "course", "course.toml", "seeds.txt"})
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
    found = []
    for name, data in files.items():
        path = PurePosixPath(name.casefold())
        if _OURS & set(path.parts):
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
    for problem in problem_ids(root):
        found += [str(leak) for leak in leaks(load_problem(problem, root), texts)]
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
