"""The class that is graded: 24 notebooks as students hand them in, the same answers and own cells for every system."""

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

PROBLEM = "vae"
CLASS_SIZE = 24
RIGHT_OTHERWISE = 5
"""How many of the class hand in a right alternative; one hands in the solution, the others each a wrong answer."""

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
class HandIn:
    """What one student hands in, whatever the form of the notebook around it."""

    student: str
    story: str
    """`solution`, or the variant's name."""
    answers: Mapping[str, str]
    """Item id → source of that item's cell."""
    number: int
    """Decides what stands in the student's own cells."""
    mark: str = ""
    """A comment at the end of each answer in code, which makes it text that no other student has."""


def small_class(problem: Problem, size: int = CLASS_SIZE) -> list[HandIn]:
    """The class: the solution, right alternatives and wrong answers, the latter spread over all items.

    Args:
        problem: what they answer.
        size: how many, at least 1; the first is the solution, then right and wrong ones take turns until the right
            ones are used up.
    """
    solution = solution_answers(problem)
    right = _spread(variants(problem, "right"), RIGHT_OTHERWISE)
    wrong = _spread(variants(problem, "wrong"), CLASS_SIZE - 1 - RIGHT_OTHERWISE)
    both = [variant for pair in zip(wrong, right, strict=False) for variant in pair] + wrong[len(right) :]
    found = [HandIn("s01", "solution", solution, 1)]
    for number, variant in enumerate(both[: size - 1], start=2):
        answers = {**solution, variant.item: variant.source}
        found.append(HandIn(f"s{number:02d}", variant.name, answers, number))
    return found


def large_class(problem: Problem, size: int, different: int = CLASS_SIZE) -> Iterator[HandIn]:
    """The small class again and again under new names, each time with another comment in the answers.

    Args:
        problem: what they answer.
        size: how many.
        different: size of the small class.
    """
    first = small_class(problem, different)
    for number in range(size):
        one = first[number % len(first)]
        name = f"s{number + 1:05d}"
        yield dataclasses.replace(one, student=name, mark=f"# {name}")


def larger_sizes(size: int) -> tuple[int, int]:
    """Sizes of the two larger classes from which the marginal cost follows, by that of the small class.

    Both start in the same way, which a class below `graders.MANY` does not.
    """
    return 4 * size, 9 * size


def notebook(released: NotebookNode, hand_in: HandIn, problem: Problem) -> NotebookNode:
    """A released notebook, of whichever system, with the student's answers and own cells in it."""
    code = {item.id for item in problem.items if item.kind == "code"}
    marked = {
        item: f"{source}\n{hand_in.mark}" if hand_in.mark and item in code else source
        for item, source in hand_in.answers.items()
    }
    filled = fill_in(released, marked)
    for above, cells in zip(_places(problem), _own_cells(hand_in.number), strict=True):
        for number, cell in enumerate(cells):
            cell.id = f"own-{above.replace('_', '-')}-{number}"  # the same at each run
            if filled.nbformat_minor < 5:
                del cell["id"]
        place = next(n for n, cell in enumerate(filled.cells) if _grade_id(cell) == above)
        filled.cells[place:place] = cells
    return filled


def write_class(folder: Path, released: NotebookNode, hand_ins: Iterable[HandIn], problem: Problem) -> list[Path]:
    """Writes `folder/<student>/<problem>/<problem>.ipynb` for each; returns the paths."""
    paths = []
    for hand_in in hand_ins:
        path = folder / hand_in.student / problem.id / f"{problem.id}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook_text(notebook(released, hand_in, problem)), encoding="utf-8")
        paths.append(path)
    return paths


def _spread(found: list[Variant], number: int) -> list[Variant]:
    """So many of a list, evenly spread over it."""
    return [found[n * len(found) // number] for n in range(min(number, len(found)))]


def _places(problem: Problem) -> tuple[str, str]:
    """Above which answers a student's own cells stand: the second code item's and the last one's."""
    code = [item.id for item in problem.items if item.kind == "code"]
    return code[min(1, len(code) - 1)], code[-1]


def _own_cells(number: int) -> tuple[list[NotebookNode], list[NotebookNode]]:
    plotted = new_code_cell(_PLOTTED.format(draws=1000 + number))
    return [new_code_cell(_TRIED), new_markdown_cell(_NOTE.format(number=number))], [plotted]


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))
