"""A notebook saved by Colab gets the same grade.

Colab writes nbformat 4.0: a cell's id moves into its metadata, under a name of its own making; it notes who ran a cell
and when, keeps widgets, folds cells into forms, and a cell that is copied is copied with all its metadata. What it does
with metadata that it does not know has changed over the years, so both ways are tried.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from autograder.core.results import Grading, Status
from tests.autograder.toy import FULL, graded, scores, solved, text

ORIGIN = "https://github.com/o/r/blob/main/notebooks/toy.ipynb"
WIDGETS = {"application/vnd.jupyter.widget-state+json": {"a1": {"model_module": "@jupyter-widgets/base"}}}
OF_EACH_CODE_CELL = {
    "colab": {"base_uri": "https://localhost:8080/", "height": 34},
    "executionInfo": {
        "status": "ok",
        "timestamp": 1700000000123,
        "user_tz": -60,
        "elapsed": 412,
        "user": {"displayName": "Ada L.", "userId": "0123456789"},
    },
    "outputId": "5a1c9d7e-4f0b-4f6e-9e53-000000000000",
    "cellView": "form",
}


def saved_by_colab(*, drops_nbgrader: bool = False, copies: str = "") -> bytes:
    """The solved toy notebook as Colab would save it after a run.

    Args:
        drops_nbgrader: are metadata gone that Colab does not know?
        copies: grade id of a cell that the student copied, e.g. to try something; empty for none.
    """
    notebook: dict[str, Any] = json.loads(text(solved()))
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {
        "colab": {"provenance": [{"file_id": ORIGIN, "timestamp": 1700000000}], "gpuType": "T4", "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
        "widgets": WIDGETS,
    }
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        known = cell["metadata"]
        data = known.get("nbgrader", {})
        if drops_nbgrader:
            known = {key: value for key, value in known.items() if key in ("id", "tags", "cellView")}
        cell["metadata"] = {**known, "id": f"kYx{number:02d}Wq9sLmB"}
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["metadata"] |= OF_EACH_CODE_CELL
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["done\n"]}]
        cells.append(cell)
        if copies and data.get("grade_id") == copies:
            twin = copy.deepcopy(cell)
            twin["metadata"]["id"] = "copyOfACell0"
            cells.append(twin)
    notebook["cells"] = [
        {"cell_type": "markdown", "source": ['<a href="https://colab.research.google.com/...">Open</a>']}
        | {"metadata": {"id": "view-in-github", "colab_type": "text"}},
        *cells,
        {"cell_type": "code", "source": [], "metadata": {"id": "empty"}, "execution_count": None, "outputs": []},
    ]
    return json.dumps(notebook).encode()


@pytest.fixture(scope="module")
def clean() -> Grading:
    """The result of the notebook that Colab did not save."""
    return graded(solved())


@pytest.mark.kernel
@pytest.mark.parametrize("drops_nbgrader", [False, True], ids=["kept", "dropped"])
@pytest.mark.parametrize("copies", ["", "standardize", "test_standardize", "written_units"])
def test_a_notebook_saved_by_colab_is_graded_as_before(clean: Grading, drops_nbgrader: bool, copies: str) -> None:
    log = graded(saved_by_colab(drops_nbgrader=drops_nbgrader, copies=copies)).log
    assert scores(clean) == FULL
    results = [[(item.id, item.score, item.status) for item in one.items] for one in (log, clean.log)]
    assert results[0] == results[1]
    assert log.answers == clean.log.answers and log.code == clean.log.code
    assert log.item("written_units").status is Status.MANUAL
    repaired = any(flag.kind == "repaired" for flag in log.flags)
    assert repaired or not (drops_nbgrader or copies in ("standardize", "written_units"))
