"""Of several notebooks, the one with the answers counts, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.submissions.student_import import IntakeResult
from tests.autograder.submissions.test_intake import imported, taken_file
from tests.autograder.toy import RIGHT_STANDARDIZE, released, solved, text

UNTOUCHED = text(released())
SOLVED = text(solved())
OTHER = text(solved(standardize=RIGHT_STANDARDIZE + "  # my own"))


def of_ada(files: dict[str, bytes], tmp_path: Path) -> tuple[IntakeResult, bytes]:
    """The result of an import of one student's files, each newer than the one before, and the notebook that counts."""
    of_class = {f"ada/{name}": data for name, data in files.items()} | {"bela/toy.ipynb": SOLVED}
    taken = imported(of_class, tmp_path)["ada"]
    return taken, taken_file(tmp_path, "ada", "toy.ipynb").read_bytes()


@pytest.mark.parametrize("names", [("toy.ipynb", "toy (1).ipynb"), ("b/toy.ipynb", "a/solved.ipynb")])
@pytest.mark.parametrize("is_newer", [False, True])
def test_an_untouched_notebook_never_counts(tmp_path: Path, names: tuple[str, str], is_newer: bool) -> None:
    files = {names[1]: SOLVED, names[0]: UNTOUCHED}
    taken, used = of_ada(dict(reversed(files.items())) if is_newer else files, tmp_path)
    assert used == SOLVED and not taken.needs_review
    assert any("it has the answers" in note and names[0] in note and names[1] in note for note in taken.notes)


def test_an_untouched_notebook_of_an_older_release_never_counts(tmp_path: Path) -> None:
    older = released()
    for cell in older.cells:
        if cell.cell_type == "markdown" and cell.id.startswith("given-"):
            cell.id, cell.source = f"{cell.id}-old", f"{cell.source} In the words of last year."
        elif "def standardize" in cell.source:
            cell.source = cell.source.replace('"""', '"""In the words of last year: ', 1)
    taken, used = of_ada({"toy (1).ipynb": SOLVED, "toy.ipynb": text(older)}, tmp_path)
    assert used == SOLVED and not taken.needs_review


def test_of_two_notebooks_with_different_answers_the_highest_number_counts_and_staff_should_look(
    tmp_path: Path,
) -> None:
    taken, used = of_ada({"toy.ipynb": SOLVED, "toy (1).ipynb": OTHER}, tmp_path)
    note = taken.notes[-1]
    assert used == OTHER and taken.needs_review
    assert "different answers; ada/toy (1).ipynb" in note and "ada/toy.ipynb (4 of 4 items answered)" in note


def test_an_early_draft_never_counts(tmp_path: Path) -> None:
    draft = text(solved(Line="", written_units=""))
    taken, used = of_ada({"final.ipynb": OTHER, "toy.ipynb": draft}, tmp_path)
    assert used == OTHER and taken.needs_review and "it answers more" in taken.notes[-1]


def test_copies_are_no_doubt(tmp_path: Path) -> None:
    taken, used = of_ada({"toy.ipynb": SOLVED, "toy (1).ipynb": SOLVED}, tmp_path)
    assert used == SOLVED and not taken.needs_review and "right name, then highest number" in taken.notes[-1]


def test_a_notebook_that_cannot_be_read_has_no_answers(tmp_path: Path) -> None:
    assert of_ada({"toy (1).ipynb": SOLVED, "toy.ipynb": b"[" * 100_000}, tmp_path)[1] == SOLVED
