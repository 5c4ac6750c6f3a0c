"""The trusted copy of a problem: the source's given and solution cells, run once in this process."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import linecache
import os
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.core.errors import SourceError
from autograder.core.hashing import key_of
from autograder.course.cell_selection import asked_names, graded_cells, uses_torch
from autograder.course.given_helpers import given_helpers
from autograder.course.markers import HIDDEN, region_lines
from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.problem import Cell, Item, Problem
from autograder.course.problem_files import write_files
from autograder.course.python_cells import plain_python
from autograder.course.variants import variants
from autograder.grading.in_process import sent
from autograder.grading.random_states import RandomStates
from autograder.sandbox.guest.server import seed_everything
from homework.checks import part
from homework.lazy_torch import is_available, torch, when_imported
from homework.profiles import PROFILE_VARIABLE


class Names:
    """Makes names available as attributes: `reference.f` in a test cell."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(f"the source does not define {name!r}") from None


class Reference:
    """A problem's reference solution, already run.

    Attributes:
        names: everything the source's given and solution cells define.
        wanted: names that the tests and the per-student answers need from a student's notebook.
        helpers: what the notebook gives to its tests.
        digest: of all cells that were run.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.wanted, _ = asked_names(problem)
        self.helpers = given_helpers(problem)
        self._uses = {item.id: self._graded_names(item) for item in problem.items if item.kind == "code"}
        cells = graded_cells(problem)
        self.digest = key_of(problem.id, [cell.source for cell in cells])
        with contextlib.nullcontext() if uses_torch(problem) and is_available() else _profile_of_students():
            self.names = self._run(cells)

    def _run(self, cells: list[Cell]) -> dict[str, Any]:
        module = types.ModuleType(f"reference_of_{self.problem.id}")
        sys.modules[module.__name__] = module  # dataclasses and named tuples look up their module
        with beside(self.problem.files):
            for cell in cells:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    try:
                        run_trusted(cell.source, f"<{self.problem.path.name}: {cell.id}>", module.__dict__)
                    except Exception as error:
                        raise SourceError(
                            f"{self.problem.path}: cell {cell.id} raised {error!r} when it was run."
                        ) from error
        return module.__dict__

    def questions(self, student: Any, draws: Any) -> dict[str, Any]:
        """Item id → function that asks the student's code on per-student inputs; empty if the problem asks for none.

        Args:
            student: the names of the code that is asked.
            draws: draws the inputs (`homework.hand_in.personal.draws_for`).
        """
        ask = self.names.get("personal_answers")
        return ask(student, draws) if ask else {}

    def test_names(self, student: Any) -> dict[str, Any]:
        """A new namespace for one test cell: the given names, `student` and `reference`, but no graded name."""
        graded = {item.id for item in self.problem.items}
        names = {name: value for name, value in self.names.items() if name not in graded}
        names["student"] = student
        names["reference"] = Names(self.names)
        names["part"] = part  # a notebook without the package `homework` has one of its own
        return names

    def functions(self, item: Item) -> dict[str, types.FunctionType]:
        """The graded functions that the item may build on: all but its own."""
        others = [one.id for one in self.problem.items if one.kind == "code" and one.id != item.id]
        return {name: self.names[name] for name in others if isinstance(self.names.get(name), types.FunctionType)}

    def builds_on(self, item: Item) -> frozenset[str]:
        """The graded functions that the item's solution or a right alternative uses, directly or through one another.

        Only these may stand in for wrong ones of the student's: another one could be asked for the item's own answer.
        """
        found, new = frozenset[str](), {item.id}
        while new:
            new = {name for one in new for name in self._uses.get(one, ())} - found
            found |= new
        return found & self.functions(item).keys()

    def _graded_names(self, item: Item) -> frozenset[str]:
        """The graded names that the item's solution and right alternatives use."""
        right = [one.source for one in variants(self.problem, "right") if one.item == item.id]
        used = {name for source in (item.cell.source, *right) for name in (names_of(source) or NO_NAMES).uses}
        return frozenset(one.id for one in self.problem.items if one.kind == "code") & used - {item.id}


@contextlib.contextmanager
def beside(files: Mapping[str, bytes]) -> Iterator[None]:
    """Runs the block in a folder with a problem's files, from which it can import; as before if there are none.

    Another problem may have other modules of the same names, so those that were imported are forgotten.
    """
    if not files:
        yield
        return
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="autograder-reference-") as folder:
        write_files(files, Path(folder))
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            os.chdir(before)
            for name, module in list(sys.modules.items()):
                if str(getattr(module, "__file__", None) or "").startswith(f"{folder}{os.sep}"):
                    del sys.modules[name]


@contextlib.contextmanager
def _profile_of_students() -> Iterator[None]:
    """Inside the block, `homework.start` chooses the profile of the students' processes, which needs no torch."""
    before = os.environ.get(PROFILE_VARIABLE)
    os.environ[PROFILE_VARIABLE] = "grade"
    try:
        yield
    finally:
        del os.environ[PROFILE_VARIABLE]
        if before is not None:
            os.environ[PROFILE_VARIABLE] = before


_MOST = 16
_loaded: dict[Problem, Reference] = {}


def reference(problem: Problem) -> Reference:
    """The reference of a problem; run once per process and source."""
    if problem not in _loaded:
        if len(_loaded) == _MOST:
            _loaded.pop(next(iter(_loaded)))
        with quiet_process():
            seed_everything(0)
            _loaded[problem] = Reference(problem)
    return _loaded[problem]


def forget(problem: Problem) -> None:
    """Drops the cached reference of a problem; the next call of `reference` runs it again."""
    _loaded.pop(problem, None)


def run_visible_part(item: Item, names: dict[str, Any]) -> None:
    """Runs an item's test cell up to the first statement with a hidden line."""
    exec(_parts(item)[0], names)


def run_hidden_part(item: Item, names: dict[str, Any]) -> None:
    """Runs the rest of an item's test cell."""
    exec(_parts(item)[1], names)


def prepare_test(item: Item) -> None:
    """Compiles an item's test cell, if it has one, so that processes forked from this one need not compile it."""
    if item.test is not None:
        _parts(item)


def run_trusted(source: str, filename: str, names: dict[str, Any]) -> None:
    """Runs trusted source in a namespace; tracebacks and `inspect` can show its lines."""
    exec(_compiled(source, filename), names)


def _parts(item: Item) -> tuple[types.CodeType, ...]:
    assert item.test is not None
    return _compiled_parts(item.test.source, f"<{item.test.grade_id}>", item.test.runs_in_process)


def split_statements(source: str, filename: str, *, in_process: bool = False) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The statements of a test cell above the first one with a hidden line, and the others.

    Args:
        source: the test cell.
        filename: its name in tracebacks.
        in_process: whether to replace each by one that sends it to the student's process.
    """
    line = min(region_lines(source, HIDDEN), default=None)
    plain = _plain(source, filename)
    body = ast.parse(plain, filename).body
    first = next((n for n, node in enumerate(body) if line and (node.end_lineno or 0) >= line), len(body))
    visible, hidden = body[:first], body[first:]
    return (sent(visible, plain), sent(hidden, plain)) if in_process else (visible, hidden)


@functools.lru_cache(maxsize=1024)
def _compiled_parts(source: str, filename: str, in_process: bool) -> tuple[types.CodeType, ...]:
    return tuple(
        compile(ast.Module(part, type_ignores=[]), filename, "exec", dont_inherit=True)
        for part in split_statements(source, filename, in_process=in_process)
    )


@functools.lru_cache(maxsize=1024)
def _compiled(source: str, filename: str) -> types.CodeType:
    return compile(_plain(source, filename), filename, "exec", dont_inherit=True)


def _plain(source: str, filename: str) -> str:
    """The source as plain Python, whose lines tracebacks can show."""
    plain = plain_python(source)
    linecache.cache[filename] = (len(plain), None, plain.splitlines(keepends=True), filename)
    return plain


@contextlib.contextmanager
def quiet_process() -> Iterator[None]:
    """Runs the block with one thread for maths; then restores the thread count and the random states."""
    states = RandomStates()
    with contextlib.ExitStack() as undo:
        undo.callback(states.restore)

        def limit() -> None:
            undo.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)

        undo.callback(when_imported(limit))
        yield
