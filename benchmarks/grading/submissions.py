"""The class that is graded: 24 notebooks with the same answers and the students' own cells for every system."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import Problem
from autograder.course.variants import Variant, variants
from autograder.release.fill import fill_in, solution_answers
from benchmarks.attacks.equivalent import grade_id

PROBLEM = "vae"
CLASS_SIZE = 24
RIGHT_ALTERNATIVES = 5
"""How many of the class submit a right alternative; one submits the solution, the others a wrong answer each."""

_TRIED = """# trying out broadcasting
a = torch.arange(6.0).reshape(2, 3)
b = torch.tensor([1.0, 10.0, 100.0])
print((a * b).sum(dim=-1), (a + b).mean(dim=0))"""
_PLOTTED = """import matplotlib.pyplot as plt

my_draws = torch.randn({draws})
plt.figure(figsize=(4, 2))
plt.hist(my_draws.numpy(), bins=40)
plt.title("my own check of randn")
plt.show()"""
_NOTE = "Note to myself: a variance, not a deviation! ({number})"


@dataclass(frozen=True)
class Submission:
    """What one student submits, whatever the form of the notebook around it."""

    student: str
    story: str
    """`solution`, or the variant's name."""
    answers: Mapping[str, str]
    """Item id → source of that item's cell."""
    number: int
    """Decides what the student's own cells hold."""
    mark: str = ""
    """A comment at the end of each answer in code, so that no two students submit the same text."""


def small_class(problem: Problem, size: int = CLASS_SIZE) -> list[Submission]:
    """The solution, then right alternatives and wrong answers in turn, the latter spread over all items.

    Args:
        problem: what they answer.
        size: how many, at least 1.
    """
    solution = solution_answers(problem)
    right = _spread(variants(problem, "right"), RIGHT_ALTERNATIVES)
    wrong = _spread(variants(problem, "wrong"), CLASS_SIZE - 1 - RIGHT_ALTERNATIVES)
    both = [variant for pair in zip(wrong, right, strict=False) for variant in pair] + wrong[len(right) :]
    found = [Submission("s01", "solution", solution, 1)]
    for number, variant in enumerate(both[: size - 1], start=2):
        answers = {**solution, variant.item: variant.source}
        found.append(Submission(f"s{number:02d}", variant.name, answers, number))
    return found


def large_class(problem: Problem, size: int, different: int = CLASS_SIZE) -> Iterator[Submission]:
    """The small class repeated under new names, each time with another comment in the answers.

    Args:
        problem: what they answer.
        size: how many.
        different: size of the small class.
    """
    first = small_class(problem, different)
    for number in range(size):
        name = f"s{number + 1:05d}"
        yield dataclasses.replace(first[number % len(first)], student=name, mark=f"# {name}")


def notebook(released: NotebookNode, submission: Submission, problem: Problem) -> NotebookNode:
    """A released notebook, of any of the systems, with the student's answers and own cells in it."""
    code = [item.id for item in problem.items if item.kind == "code"]
    marked = {
        item: f"{source}\n{submission.mark}" if submission.mark and item in code else source
        for item, source in submission.answers.items()
    }
    filled = fill_in(released, marked)
    number = submission.number
    note, plot = _NOTE.format(number=number), _PLOTTED.format(draws=1000 + number)
    second = code[min(1, len(code) - 1)]
    own_cells = {second: [new_code_cell(_TRIED), new_markdown_cell(note)]}  # answer -> what stands above it
    own_cells[code[-1]] = [*own_cells.get(code[-1], []), new_code_cell(plot)]
    for below, cells in own_cells.items():
        for count, cell in enumerate(cells):
            cell.id = f"own-{below.replace('_', '-')}-{count}"  # the same at each run
            if filled.nbformat_minor < 5:
                del cell["id"]
        place = next(n for n, cell in enumerate(filled.cells) if grade_id(cell) == below)
        filled.cells[place:place] = cells
    return filled


def write_class(
    folder: Path, released: NotebookNode, submissions: Iterable[Submission], problem: Problem
) -> list[Path]:
    """Writes `folder/<student>/<problem>/<problem>.ipynb` for each; returns the paths."""
    paths = []
    for submission in submissions:
        path = folder / submission.student / problem.id / f"{problem.id}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook_text(notebook(released, submission, problem)), encoding="utf-8")
        paths.append(path)
    return paths


def _spread(found: list[Variant], number: int) -> list[Variant]:
    """So many of a list, evenly spread over it."""
    return [found[n * len(found) // number] for n in range(min(number, len(found)))]
