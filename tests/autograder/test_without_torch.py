"""An assignment in plain Python and numpy is made, checked and graded without torch, which need not be installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograder.core.errors import SetupError
from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.release.fill import fill_in, solution_answers
from autograder.release.notebook import released_notebook
from autograder.sandbox.guest import codec
from autograder.sandbox.guest.confinement import FULL, LANDLOCK
from autograder.sandbox.guest.wire import WireError
from autograder.sandbox.host import Host
from tests.autograder.numpy_toy import PROBLEM, VARIANTS, numpy_course
from tests.conftest import ROOT

_FAKE = """
import os, sys, traceback
try:
    with open({mark!r}, "a") as file:
        print(*sys.argv, *traceback.format_stack(), file=file)
except OSError:  # in the sandbox
    os._exit(9)
raise ImportError("no torch here")
"""
"""A package `torch` that leaves a mark and cannot be imported."""
_COMMAND = """
import shutil, sys
from autograder.sandbox import launch

create_library = launch.create_library

def with_fake(folder):
    library, shown = create_library(folder)
    shutil.copytree({fake!r}, f"{{library}}/torch")
    return library, shown

launch.create_library = with_fake
from autograder.cli import beside
from autograder.cli.main import app

beside.run_as_program()
app(sys.argv[1:])
"""
"""`autograder`, whose processes beside and inside the sandbox find the package, too."""
_HOSTILE = """def moving_average(x, width):
    import gc, os, socket
    for one in gc.get_objects():
        if isinstance(one, socket.socket):
            one.sendall(bytes(100))
    os._exit(0)
"""
_IN_TORCH = """import torch

layer = torch.compile(torch.nn.Linear(2, 2)).to("cuda")


def moving_average(x, width):
    numbers = torch.as_tensor(x, dtype=torch.float64, device="cuda")
    return numbers.unfold(0, width, 1).mean(1)
"""


def test_importing_the_grader_does_not_import_torch() -> None:
    ours = (
        "homework, homework.checks, homework.hand_in.log, autograder.cli.main, autograder.cli.beside, "
        "autograder.grading.grade, autograder.batch.forkserver, autograder.verify.verify, "
        "autograder.sandbox.guest.forkserver, autograder.inspect.inspection, autograder.sandbox.host, "
        "autograder.batch.grade_folder, "
        "autograder.gradescope.grade"
    )
    code = f"import sys, {ours}; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT) == "[]\n"


def submit(root: Path, students: Mapping[str, Mapping[str, str]]) -> Path:
    """Writes submissions in which some answers differ from the solution; returns their folder."""
    problem = load_problem(PROBLEM, root)
    for student, answers in students.items():
        notebook = fill_in(released_notebook(problem), {**solution_answers(problem), **answers})
        path = root / "submitted" / student / PROBLEM / f"{PROBLEM}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(notebook_text(notebook), encoding="utf-8")
    return root / "submitted"


@pytest.mark.kernel
@pytest.mark.parametrize("level", [FULL, LANDLOCK])
def test_no_command_imports_torch_in_any_process(tmp_path: Path, level: str) -> None:
    try:
        with Host(level=level):
            pass
    except SetupError as error:
        pytest.skip(f"level {level} is not available here: {error}")
    root, fake, mark = numpy_course(tmp_path / "course"), tmp_path / "fake", tmp_path / "mark"
    (fake / "torch").mkdir(parents=True)
    (fake / "torch" / "__init__.py").write_text(_FAKE.format(mark=str(mark)))
    wrong = VARIANTS["wrong/moving_average/sums"].partition("\n")[2]
    submitted = submit(root, {"ada": {}, "bob": {"moving_average": wrong}, "eve": {"moving_average": _HOSTILE}})

    def autograder(*arguments: str) -> str:
        command = [sys.executable, "-c", _COMMAND.format(fake=str(fake / "torch")), *arguments]
        variables = {**os.environ, "AUTOGRADER_ROOT": str(root), "AUTOGRADER_ISOLATION": level}
        variables["PYTHONPATH"] = f"{fake}{os.pathsep}{ROOT}"
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300)
        assert (done.returncode, mark.exists()) == (0, False), (
            f"{arguments}: {done.stderr}{mark.exists() and mark.read_text()}"
        )
        return done.stdout

    autograder("lint")
    autograder("release")
    assert "17 of 17 as expected" in autograder("check")
    autograder("grade", PROBLEM, "--submitted", str(submitted), "--out", str(root / "graded"))
    grades = (root / "graded" / "grades.csv").read_text().splitlines()[1:]
    assert [line.split(",")[2] for line in grades] == ["13", "7", "7"]
    log = json.loads(
        autograder("grade-one", "--problem", PROBLEM, str(submitted / "ada" / PROBLEM / f"{PROBLEM}.ipynb"))
    )
    assert log["grades"]["score"] == 13
    assert "known wrong solution sums" in autograder("inspect", "bob", PROBLEM, "--out", str(root / "graded"))


@pytest.mark.kernel
def test_a_student_may_use_torch_where_the_problem_does_not(tmp_path: Path) -> None:
    root = numpy_course(tmp_path / "course")
    submitted = submit(root, {"ada": {"moving_average": _IN_TORCH}})
    command = [sys.executable, "-m", "autograder.cli.main", "grade-one", "--problem", PROBLEM]
    command.append(str(submitted / "ada" / PROBLEM / f"{PROBLEM}.ipynb"))
    variables = {**os.environ, "AUTOGRADER_ROOT": str(root), "PYTHONPATH": str(ROOT)}
    log = json.loads(subprocess.check_output(command, env=variables, timeout=300))
    assert log["grades"]["score"] == 13, log["grades"]["items"]


def test_a_tensor_from_the_sandbox_is_an_invalid_value_where_torch_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "is_imported", lambda: False)
    monkeypatch.setattr(codec, "is_available", lambda: False)

    def unused(*_: object) -> None:
        raise AssertionError

    for node in (["T", "float32", [1], 0, 4, -1], ["D", "int8"], ["V", "cpu"], ["G", 0, 4]):
        with pytest.raises(WireError, match="a value of torch, which is not installed here"):
            codec.Decoder(bytes(4), handle=unused, callback=unused).decode(node)
    assert codec.Decoder(bytes(4), handle=unused, callback=unused).decode(["A", "float32", [1], 0, 4]) == [0.0]
