"""Puts a corrected answer into a rebuilt notebook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder.core.errors import SetupError
from autograder.course.name_analysis import defines
from autograder.course.problem import Item
from autograder.course.python_cells import syntax_tree
from autograder.submissions.reader import UnusableError, read_bytes, read_cells
from autograder.submissions.rebuild import Rebuilt


def read_replacement(path: Path, item: Item) -> str:
    """The text of the cell that answers an item.

    Args:
        path: a `.py` file with the text of the cell, or a notebook: of several cells that answer, the last counts.
        item: the item.

    Raises:
        SetupError: the file cannot be read, is no Python, or has no cell that defines the item.
    """
    try:
        data = read_bytes(path)
        if path.suffix == ".ipynb":
            cells = [cell for cell in read_cells(data, path.name) if cell.cell_type == "code"]
            own = [cell.source for cell in cells if cell.grade_id == item.id]
            found = [one for one in own if _answers(one, item)] or [
                cell.source for cell in cells if item.has_name and _answers(cell.source, item)
            ]
            if not found:
                raise SetupError(f"{path} has no cell that answers {item.id}.")
            return found[-1]
        source = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnusableError as error:
        raise SetupError(f"--try: {error}") from None
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    if syntax_tree(source) is None:
        raise SetupError(f"{path} cannot be parsed as Python: write the whole cell of {item.id} into it.")
    if not _answers(source, item):
        raise SetupError(f"{path} does not define {item.id}: write the whole cell of the answer into it.")
    return source


def _answers(source: str, item: Item) -> bool:
    """Whether a cell defines the item, if its id is a name."""
    return not item.has_name or defines(source, item.id)


def with_answer(rebuilt: Rebuilt, item: Item, source: str) -> Rebuilt:
    """The notebook with another answer to one item.

    Args:
        rebuilt: the notebook.
        item: the item.
        source: the text of its cell.

    Raises:
        SetupError: the student answered the item in another item's cell, and the text does not define both.
    """
    owner = rebuilt.shared.get(item.id)
    others = [one for one, own in rebuilt.shared.items() if own == (owner or item.id)]
    together = {owner or item.id, *others} if owner or others else set[str]()
    missing = [name for name in together if not defines(source, name)]
    if missing:
        raise SetupError(
            f"the student answered {', '.join(sorted({owner or item.id, *others}))} in one cell: write the whole cell, "
            f"with {', '.join(sorted(missing))}, into the file."
        )
    own = rebuilt.answer(item.id)
    cells = tuple(replace(built, source=source) if built is own else built for built in rebuilt.cells)
    never_run = {name: why for name, why in rebuilt.never_run.items() if name != item.id}
    return replace(
        rebuilt,
        cells=cells,
        answered=rebuilt.answered | {item.id},
        found=rebuilt.found | {item.id},
        never_run=never_run,
    )
