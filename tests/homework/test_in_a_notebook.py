"""The package in a real kernel shows students figures, progress and errors as intended."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from homework.hand_in.source_hash import source_hash

FUNCTION = "# my solution\ndef twice(x):\n    return 2 * x  # twice"

CELLS = [
    "import homework\nfrom homework import student\nfrom homework.show import plots\nrun = homework.start('vae')",
    FUNCTION,
    "assert student.twice(3) == 6\ntry:\n    student.thrice(3)\nexcept AttributeError as error:\n    print(error)",
    "plots.curves({'a': [1.0, 2.0]}, title='A title', xlabel='step', ylabel='loss')",
    "figure = plots.bars({'a': 1.0}, title='In the middle of a cell')\nprint('after it')",
    "figure",
    "import time\nfrom homework.train.training import Loop\nfor step in Loop(run, 'toy', steps=7, modules={}):\n"
    "    time.sleep(0.3)\n    if step in (2, 5):\n        print('half a second')",
    "from homework.hand_in.log import SubmissionLog\nlog = SubmissionLog(run)\n"
    "log.answers(lambda student, draws: {'twice': lambda: student.twice(draws('twice').normal(2))})\nlog.write();",
]


@pytest.mark.long
@pytest.mark.kernel
def test_cells_show_each_figure_once_and_progress_and_write_the_log(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"PYTHONPATH": str(root), "HOMEWORK_PROFILE": "mini", "IPYTHONDIR": str(tmp_path / "ipython")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    text = ["".join(output.get("text", "") for output in of_cell) for of_cell in outputs]
    pictures = [sum("image/png" in output.get("data", {}) for output in of_cell) for of_cell in outputs]
    assert "vae · profile mini · cpu" in text[0]
    assert "the notebook has no 'thrice' yet. Run the cell that defines" in text[2]
    assert pictures == [0, 0, 0, 1, 1, 1, 0, 0], "once in each cell that makes it or ends in it"
    (shown,) = outputs[3]
    assert b64decode(shown["data"]["image/png"]).startswith(b"\x89PNG")
    assert shown["data"]["text/plain"] == "Figure: A title (step / loss)"
    assert not any(output.output_type in ("execute_result", "error") for of_cell in outputs for output in of_cell)
    bar, *printed = outputs[6]
    assert "toy: 100%" in bar["data"]["text/plain"] and "7/7" in bar["data"]["text/plain"], "one output, replaced"
    assert {output.get("name") for output in printed} == {"stdout"} and text[6] == "half a second\n" * 2
    assert "student id unknown" in text[7]
    assert not any(output.get("name") == "stderr" for of_cell in outputs for output in of_cell)
    log = json.loads((tmp_path / "submission_log.json").read_text(encoding="utf-8"))
    assert log["code"] == {"twice": source_hash(FUNCTION)}
    assert len(log["answers"]["twice"]) == 2
