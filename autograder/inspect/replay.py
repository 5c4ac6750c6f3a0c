"""Runs a student's cells again for the files of `autograder inspect --debug`, and gives the names of an item's test.

`student.f(x)` calls the student's code in the sandbox, through the same proxy as in grading, without a time limit, so
that a debugger may wait. Only with `unconfined` the code runs in this process.
"""

from __future__ import annotations

import atexit
import contextlib
import linecache
import logging
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from autograder.core.errors import SetupError
from autograder.core.hashing import key_of
from autograder.core.text import printable
from autograder.course.config import ROOT_VARIABLE
from autograder.course.problem import Item, Problem, load_problem
from autograder.course.problem_files import write_files
from autograder.course.python_cells import plain_python
from autograder.course.seed import seed_with
from autograder.grading.cell_runner import CellRun, StudentProcess
from autograder.grading.grade import host_for
from autograder.grading.item_cache import ItemCache
from autograder.grading.item_test import define_helpers
from autograder.grading.limits import ATTEMPTS
from autograder.grading.notebook_run import Exam
from autograder.grading.reference import Reference, reference
from autograder.sandbox.filesystem import environment
from autograder.sandbox.guest.server import seed_everything
from autograder.sandbox.host import Host, SessionDiedError
from autograder.sandbox.proxy import Link, Student
from autograder.submissions.rebuild import Built, Rebuilt
from homework.checks import inputs_from, part
from homework.notebook_names import NotebookNames

_log = logging.getLogger("autograder")

_MARK = re.compile(r"^# %% cell [0-9a-f]{8} ", re.MULTILINE)
"""Begins the line above each cell in the file with the student's cells; the digits are not in any cell."""
_CPU_SECONDS = 3600.0


@dataclass(frozen=True)
class Replayed:
    """What is replayed; the written script has it as a literal."""

    problem: str
    item: str
    student: str
    """The id for whose inputs the code is asked; it does not affect tests."""
    seed: str
    """Fingerprint of the seed."""
    root: str
    """The course's root folder."""
    stand_ins: tuple[str, ...] = ()
    """Functions of the student's in whose place the reference answers."""


def start(what: Replayed, cells: Path, *, unconfined: bool = False) -> dict[str, Any]:
    """Runs the cells and returns the names of the item's test: `student`, `reference` and the given names.

    The random generators are left as the test finds them.

    Args:
        what: what is replayed.
        cells: the file with the student's cells, which may be edited.
        unconfined: whether to run the student's code in this process, without the sandbox.

    Raises:
        SetupError: the course no longer has the seed, or the student's process ended in a cell.
        SourceError: the problem's source cannot be used.
    """
    root = Path(what.root)
    os.environ[ROOT_VARIABLE] = what.root
    seed = seed_with(root, what.seed)
    if seed is None:
        raise SetupError(f"the course has no seed with fingerprint {what.seed}; set AUTOGRADER_SEED to it.")
    problem = load_problem(what.problem, root)
    item = problem.item(what.item)
    ours = reference(problem)
    held = contextlib.ExitStack()
    atexit.register(held.close)
    held.enter_context(inputs_from(seed))
    exam = _exam(problem, what.student, seed, Host() if unconfined else host_for(problem))
    built = read_cells_file(cells)
    if unconfined:
        if what.stand_ins:
            _log.warning("%s: the student's own functions answer here, not the reference's", ", ".join(what.stand_ins))
        return _unconfined(exam, item, ours, built, cells)
    return _confined(exam, item, ours, built, what.stand_ins, held)


_failures: list[str] = []
"""The failing checks that failed again in this process."""


@contextlib.contextmanager
def telling(what: str) -> Iterator[None]:
    """Prints the error of the block, if there is one, and goes on; the end of the student's process is not caught.

    Args:
        what: the check in the block.
    """
    try:
        yield
    except Exception:
        _failures.append(what)
        print(f"{what}\n{traceback.format_exc()}", file=sys.stderr)


def finish() -> NoReturn:
    """Ends the script: exit status 1 if a check failed."""
    print(f"{len(_failures)} failed: {'; '.join(_failures)}" if _failures else "all of it passes now")
    sys.exit(1 if _failures else 0)


def _exam(problem: Problem, student: str, seed: str, host: Host) -> Exam:
    empty = Rebuilt((), frozenset(), frozenset(), ())
    return Exam(problem, empty, host, student, seed, ItemCache(), ATTEMPTS)


def _confined(
    exam: Exam,
    item: Item,
    ours: Reference,
    cells: Sequence[Built],
    stand_ins: Sequence[str],
    held: contextlib.ExitStack,
) -> dict[str, Any]:
    sources = {built.id: built.source for built in cells}
    process = StudentProcess(exam.host, exam.seed_for("cells"), sources, (), exam.times.timed, files=exam.problem.files)
    held.callback(process.close)
    for built in cells:
        record = process.run(built)
        if "dead" in record:
            raise SetupError(f"the student's process ended in cell {built.id} ({record['dead']}); edit or remove it.")
        _tell(built, CellRun(**record) if record["raised"] is None else CellRun.from_json(record))
        process.has_run(built)
    try:
        fork = process.fork(_CPU_SECONDS)
    except SessionDiedError as error:
        raise SetupError(f"the student's process ended after its cells ({error.reason}).") from None
    link = _LoudLink(fork.sock, cells=sources)
    link.watches_modules = exam.problem.imports_homework
    link.watches_arguments = link.watches_modules or item.watches_arguments
    held.callback(link.close)
    held.enter_context(link.state().applied())
    define_helpers(link, ours)
    functions = ours.functions(item)
    for name in stand_ins:
        link.replace(name, functions[name])
    link.seed(exam.seed_for(item.id))
    seed_everything(exam.seed_for(item.id))
    return ours.test_names(Student(link, functions))


class _LoudLink(Link):
    """A connection that prints what the student's code prints."""

    def call(self, of: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, always: bool = False) -> Any:
        """See `Link.call`."""
        self.listen()
        try:
            return super().call(of, args, kwargs, always=always)
        finally:
            for line in self.listen().splitlines():
                print(f"[student] {printable(line, 300)}")


def _tell(built: Built, run: CellRun) -> None:
    """Prints what a cell printed and raised."""
    for line in (run.stdout + run.stderr).splitlines():
        print(f"[{built.id}] {printable(line, 300)}")
    if run.raised is not None:
        where = [f"line {line.number}: {line.text}" for line in run.raised.lines if line.cell == built.id]
        print(printable(f"[{built.id}] raised {run.raised.kind}: {run.raised.detail} {' / '.join(where)}", 1_000))


def _unconfined(exam: Exam, item: Item, ours: Reference, cells: Sequence[Built], path: Path) -> dict[str, Any]:
    """Runs the cells in this process: their lines are those of the file, so that a debugger finds them."""
    scratch = Path(tempfile.mkdtemp(prefix="autograder-inspect-"))
    if exam.problem.files:
        write_files(exam.problem.files, scratch)
        os.chdir(scratch)
    kept = ("HOMEWORK_PROFILE", "HOMEWORK_CACHE", "HOMEWORK_STUDENT", "CUDA_VISIBLE_DEVICES", "MPLBACKEND")
    os.environ.update({name: value for name, value in environment(scratch).items() if name in kept})
    names: dict[str, Any] = {"__name__": "student_cells", "__file__": str(path)}
    first = _first_lines(path)
    seed_everything(exam.seed_for("cells"))
    linecache.checkcache(str(path))
    for built in cells:
        source = "\n" * (first[built.id] - 1) + plain_python(built.source)
        try:
            exec(compile(source, str(path), "exec", dont_inherit=True), names)
        except Exception:
            print(f"[{built.id}] raised:\n{traceback.format_exc()}")
    seed_everything(exam.seed_for(item.id))
    theirs = {**names, **ours.functions(item)}
    if item.is_in_process:
        return theirs | {"part": part}
    return ours.test_names(NotebookNames("student", watch=exam.problem.imports_homework, names=theirs))


def cells_text(cells: Sequence[Built], head: str) -> str:
    """The file with the student's cells; `read_cells_file` reads it."""
    mark = f"# %% cell {key_of([built.source for built in cells])[:8]} "
    return head + "".join(f"\n{mark}{built.id}\n{built.source.rstrip()}\n" for built in cells)


def read_cells_file(path: Path) -> list[Built]:
    """The cells in a file that `cells_text` made and that may have been edited.

    Raises:
        SetupError: the file cannot be read, or has no cells.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}") from None
    parts = re.split(rf"^{re.escape(_mark(text))}(\S+)$\n", text, flags=re.MULTILINE)
    found: Mapping[str, str] = dict(zip(parts[1::2], parts[2::2], strict=True))
    if not found:
        raise SetupError(
            f"{path} has no line `# %% cell DIGITS NAME`; write it again with `autograder inspect --debug`."
        )
    return [Built("free", "code", source.rstrip("\n"), name, None) for name, source in found.items()]


def _first_lines(path: Path) -> dict[str, int]:
    """Cell → number of its first line in the file."""
    text = path.read_text(encoding="utf-8")
    mark, lines = _mark(text), text.split("\n")
    return {line.removeprefix(mark): n + 2 for n, line in enumerate(lines) if line.startswith(mark)}


def _mark(text: str) -> str:
    """What begins the line above each cell: the first one stands above all that a student wrote."""
    found = _MARK.search(text)
    return found.group() if found else "# %% cell "
