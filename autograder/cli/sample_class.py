"""Makes a small made-up class, with one student per typical case and the score that each should get."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nbformat import NotebookNode

from autograder.core.errors import SetupError, SourceError
from autograder.core.results import GradedLog, ItemResult, Outcome, Status
from autograder.course.problem import Problem, load_problem
from autograder.course.variants import Variant, variants, variants_folder
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook


class Expected(StrEnum):
    """The expected result of one item."""

    FULL = "full marks"
    NONE = "no points"
    LESS = "less than full marks"
    WAITS = "needs manual grading"


@dataclass(frozen=True)
class MadeUpStudent:
    """One submission of the made-up class."""

    name: str
    problem: str
    story: str
    """The student's case, in a few words."""
    path: Path
    """The submitted notebook."""
    outcome: Outcome
    """The expected outcome of the whole submission."""
    expected: Mapping[str, Expected]
    """Item id → expected result."""


@dataclass(frozen=True)
class _Story:
    text: str
    answers: dict[str, str]
    expected: dict[str, Expected]
    """Expected results of the code items; all others need manual grading."""
    outcome: Outcome = Outcome.GRADED
    finish: Callable[[NotebookNode], str] = lambda notebook: _as_text(notebook)
    """Converts the notebook to the submitted text."""


def make_class(problem_ids: Iterable[str], folder: Path, root: Path | None = None) -> list[MadeUpStudent]:
    """Writes `folder/<student>/<problem>/<problem>.ipynb` for every problem and student; returns the class.

    Raises:
        SourceError: a problem has no code item, or no wrong solution for the students to use.
        SetupError: the folder cannot be written.
    """
    students = []
    for problem_id in problem_ids:
        problem = load_problem(problem_id, root)
        released = released_notebook(problem)
        for name, story in _stories(problem).items():
            path = folder / name / problem.id / f"{problem.id}.ipynb"
            text = story.finish(fill_in(released, story.answers))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise SetupError(
                    f"cannot write {path} ({error.strerror}); choose another folder with --out."
                ) from error
            expected = {item.id: story.expected.get(item.id, Expected.WAITS) for item in problem.items}
            students.append(MadeUpStudent(name, problem.id, story.text, path, story.outcome, expected))
    return students


def surprises(student: MadeUpStudent, log: GradedLog) -> list[str]:
    """Describes each difference from the expected result in a sentence; empty if there is none."""
    found = []
    if log.outcome is not student.outcome:
        found.append(f"outcome {log.outcome}, expected {student.outcome}")
    results = {item.id: item for item in log.items}
    for item_id, expected in student.expected.items():
        result = results.get(item_id)
        if result is None:
            found.append(f"{item_id}: no result, expected {expected}")
        elif not _is_as_expected(result, expected):
            found.append(f"{item_id}: {result.score:g} of {result.max_score:g} ({result.status}), expected {expected}")
    return found


def _is_as_expected(result: ItemResult, expected: Expected) -> bool:
    if result.is_dropped:  # its score says nothing
        return result.score == 0
    match expected:
        case Expected.FULL:
            return result.score == result.max_score and result.status is Status.PASSED
        case Expected.LESS:
            return result.score < result.max_score
        case Expected.NONE | Expected.WAITS:
            return result.score == 0


def _stories(problem: Problem) -> dict[str, _Story]:
    """Student → story."""
    right = solution_answers(problem)
    code = [item.id for item in problem.items if item.kind == "code"]
    if not code:
        raise SourceError(f"{problem.path}: no code item, so the made-up class has nothing to solve; add one.")
    full = dict.fromkeys(code, Expected.FULL)
    none = dict.fromkeys(code, Expected.NONE)
    half = code[: (len(code) + 1) // 2]
    last = code[-1]
    wrong = variants(problem, "wrong")
    if not wrong:
        folder = variants_folder(problem, "wrong")
        raise SourceError(f"no wrong solutions below {folder}; add at least 3 for each item.")
    return {
        "ada": _Story("solved everything", right, full),
        "bela": _Story("submitted the untouched notebook", {}, none),
        "chen": _wrong_story(wrong[0], right, full),
        "dora": _wrong_story(wrong[-1], right, full),
        "emre": _Story(
            f"{last} ends the whole process",
            right | {last: _that_dies(right[last], problem)},
            full | {last: Expected.NONE},
        ),
        "fatima": _Story("an editor stripped all metadata", right, full, finish=_stripped),
        "goran": _Story("the upload was cut off", right, none, Outcome.UNREADABLE, _cut_off),
        "hana": _Story(
            f"stopped after {half[-1]}",
            {item_id: right[item_id] for item_id in half},
            none | dict.fromkeys(half, Expected.FULL),
        ),
    }


def _wrong_story(variant: Variant, right: dict[str, str], full: dict[str, Expected]) -> _Story:
    text = f"{variant.item}: {variant.slug.replace('_', ' ')}"
    return _Story(text, right | {variant.item: variant.source}, full | {variant.item: Expected.LESS})


def _that_dies(source: str, problem: Problem) -> str:
    """The same function or class, but its first statement ends the process."""
    lines = source.splitlines()
    function = next((node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)), None)
    if function is None:
        raise SourceError(f"{problem.path}: a solution cell without a function: {lines[0]!r}.")
    after_docstring = len(function.body) > 1 and ast.get_docstring(function) is not None
    first = function.body[1 if after_docstring else 0]
    lines.insert(first.lineno - 1, " " * first.col_offset + "__import__('os')._exit(1)")
    return "\n".join(lines)


def _as_text(notebook: NotebookNode) -> str:
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _stripped(notebook: NotebookNode) -> str:
    """The notebook without anything that an editor may drop: tags, ids, nbgrader's metadata, its own metadata."""
    bare = copy.deepcopy(notebook)
    bare.metadata = NotebookNode()
    bare.nbformat_minor = 4  # the last format in which cells have no ids
    for cell in bare.cells:
        cell.metadata = NotebookNode()
        cell.pop("id", None)
    return _as_text(bare)


def _cut_off(notebook: NotebookNode) -> str:
    text = _as_text(notebook)
    return text[: len(text) // 2]
