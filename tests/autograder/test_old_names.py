"""Names of modules that stand in files of existing courses keep working, with a note."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from traitlets.utils.importstring import import_item

SHIMS = {
    "autograder.nbgrader_steps": "autograder.gradebook.nbgrader_plugin",
    "autograder.rubric_cells": "autograder.gradebook.rubrics",
    "autograder.export.plugin": "autograder.export.nbgrader_plugin",
    "autograder.gradescope.run": "autograder.gradescope.runner",
}


@pytest.mark.parametrize("old", SHIMS)
def test_the_old_name_is_the_new_module(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is now {SHIMS[old]}"):
        assert importlib.import_module(old) is importlib.import_module(SHIMS[old])


@pytest.mark.filterwarnings("ignore:autograder.*is now:DeprecationWarning")
def test_what_an_older_nbgrader_config_names_is_found() -> None:
    for name in ("NamedStubs", "SubmissionExporter", "Examine", "SaveResults", "CourseLatePolicy"):
        assert import_item(f"autograder.nbgrader_steps.{name}").__name__ == name
    assert import_item("autograder.export.plugin.CanvasExporter").__name__ == "CanvasExporter"


def test_the_old_run_autograder_still_starts_the_runner() -> None:
    command = [sys.executable, "-m", "autograder.gradescope.run", "/no/such/folder"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    new = subprocess.run(
        [*command[:2], "autograder.gradescope.runner", command[3]], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (new.returncode, new.stdout)
    assert "No module" not in done.stderr
