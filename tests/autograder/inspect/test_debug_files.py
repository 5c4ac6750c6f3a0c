"""The written script stops at each failing check, with the inputs of the grading; student code stays in the sandbox."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.core.errors import SetupError
from autograder.inspect.debug_files import CELLS, NOTEBOOK, SCRIPT, write_debug_files
from autograder.inspect.inspection import inspect_items
from autograder.inspect.replay import cells_text, read_cells_file
from autograder.inspect.subject import Subject, find_subject
from autograder.submissions.rebuild import Built
from tests.autograder.inspect.conftest import grade_class
from tests.autograder.toy import LINE, RIGHT_STANDARDIZE, STANDARDIZE, edit_source, solved, text
from tests.conftest import ROOT

CLOSE = "(x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"
ONLY_HIDDEN = (
    f'{STANDARDIZE}    import os\n    print("pid", os.getppid())\n    return {CLOSE} * (1 + (len(x) > 3) * 0.01)'
)


def subject_with(course: Path, out: Path, standardize: str) -> Subject:
    """Ada's submission with this answer, graded."""
    path = course / "submissions" / "ada" / "toy" / "toy.ipynb"
    path.write_bytes(text(solved(standardize=standardize)))
    grade_class(course, out)
    return find_subject("toy", "ada", out, None, course)


def run(script: Path) -> subprocess.CompletedProcess[str]:
    """Runs a script without stopping at its breakpoint."""
    variables = {**os.environ, "PYTHONBREAKPOINT": "0", "PYTHONPATH": str(ROOT), "AUTOGRADER_ROOT": ""}
    return subprocess.run([sys.executable, str(script)], env=variables, capture_output=True, text=True, timeout=300)


@pytest.mark.long
@pytest.mark.parametrize("unconfined", [False, True], ids=["sandbox", "unconfined"])
def test_the_script_fails_at_the_check_with_the_same_values(course: Path, out: Path, unconfined: bool) -> None:
    subject = subject_with(course, out, ONLY_HIDDEN)
    one = inspect_items(subject, [subject.item("standardize")])[0]
    check = one.failed[0]
    assert check.statement.is_hidden and check.part == "values"
    paths = write_debug_files(subject, one, course / "inspect", unconfined=unconfined)
    assert [path.name for path in paths] == [CELLS, SCRIPT, NOTEBOOK]
    source = paths[1].read_text(encoding="utf-8")
    ast.parse(source)
    assert ("OUTSIDE THE SANDBOX" in source) == ("OUTSIDE THE SANDBOX" in paths[0].read_text("utf-8")) == unconfined
    assert "FOR STAFF ONLY" in source and subject.seed not in source
    done = run(paths[1])
    assert done.returncode == 1 and "CheckFailed: wrong on other data" in done.stderr, done.stderr
    assert check.detail in done.stderr
    assert ("[student] pid" in done.stdout) == (not unconfined)

    fixed = paths[0].read_text(encoding="utf-8").replace(" * 0.01", " * 0.0")
    paths[0].write_text(fixed, encoding="utf-8")
    assert run(paths[1]).returncode == 0


@pytest.mark.long
def test_every_failing_check_is_replayed_and_what_cannot_run_is_told(course: Path, out: Path) -> None:
    zero_rows = f'{STANDARDIZE}    if len(x) == 3: raise ValueError("three")\n    return 2 * {CLOSE}'
    subject = subject_with(course, out, zero_rows)
    one = inspect_items(subject, [subject.item("standardize")])[0]
    assert len(one.failed) == 4 and one.count("skipped") == 1
    _, script, notebook = write_debug_files(subject, one, course / "inspect")
    assert script.read_text(encoding="utf-8").count("breakpoint()") == 4
    done = run(script)
    for number, check in enumerate(one.failed, 1):
        place = f"failing check {number} of 4: solutions/toy.py:{one.first_line + check.statement.first}"
        assert place in done.stderr and place in done.stdout
        assert all(line in done.stderr for line in check.detail.split("\n")), check.detail
    assert "toy.py:69 needs y, which a failed line should have made" in done.stderr
    assert done.returncode == 1 and "5 failed: " in done.stdout
    code = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code")
    assert code.count("__replay__.telling") == 5 and "breakpoint" not in code


def test_lines_inside_a_text_are_not_indented(course: Path, out: Path, ada: Subject) -> None:
    asked = 'assert close(student.standardize(x, eps=1e-6), [[-1.0], [1.0]], "is the variance'
    edit_source(
        course, {asked: asked.replace('"is the', '"""is the\n  two  lines'), '(divided by B)?")': '(divided by B)?""")'}
    )
    subject = find_subject("toy", "ada", out, None, course)
    one = inspect_items(subject, [subject.item("standardize")])[0]
    script = write_debug_files(subject, one, course / "inspect")[1].read_text(encoding="utf-8")
    assert "\n  two  lines variance" in script
    ast.parse(script)


def test_the_notebook_has_the_same_steps(course: Path, ada: Subject) -> None:
    one = inspect_items(ada, [ada.item("Line")])[0]
    path = write_debug_files(ada, one, course / "inspect")[2]
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert 'start(what, Path("student_cells.py"))' in code[0]
    assert code[1].startswith("line = student.Line")
    assert code[2].startswith("with __replay__.telling('failing check 1 of ") and "    assert close(line" in code[2]
    assert "return self.intercept + x" in notebook.cells[1].source


def test_the_students_text_cannot_leave_its_place(course: Path, out: Path) -> None:
    """Neither in the notebook's text nor in the files of Python."""
    evil = STANDARDIZE + '    """\n```\n<img src=x>\n````\n"""\n    return x'
    subject = subject_with(course, out, evil)
    one = inspect_items(subject, [subject.item("standardize")])[0]
    paths = write_debug_files(subject, one, course / "inspect")
    shown = json.loads(paths[2].read_text(encoding="utf-8"))["cells"][1]["source"]
    assert "`````python\n" in "".join(shown)
    assert evil not in paths[1].read_text(encoding="utf-8")
    assert [cell.id for cell in read_cells_file(paths[0])][-1] == "standardize"


def test_an_item_without_a_failing_check_is_refused(course: Path, out: Path) -> None:
    for answer, said in ((RIGHT_STANDARDIZE, "all its checks pass"), ("def standardize(:", "could not begin")):
        subject = subject_with(course, out, answer)
        one = inspect_items(subject, [subject.item("standardize")])[0]
        with pytest.raises(SetupError, match=said):
            write_debug_files(subject, one, course / "inspect")
    assert not (course / "inspect").exists()


def test_a_text_in_a_cell_does_not_begin_another_cell(tmp_path: Path) -> None:
    evil = 'NOTE = """\n# %% cell free-1\nprint("ran")\n# %% cell 0123abcd standardize\n"""'
    cells = [Built("free", "code", evil, "free-1", None), Built("answer", "code", STANDARDIZE, "standardize", None)]
    path = tmp_path / CELLS
    path.write_text(cells_text(cells, "# head\n"), encoding="utf-8")
    assert [(cell.id, cell.source) for cell in read_cells_file(path)] == [
        ("free-1", evil),
        ("standardize", STANDARDIZE.rstrip()),
    ]


def test_a_file_without_cells_is_refused(tmp_path: Path) -> None:
    path = tmp_path / CELLS
    with pytest.raises(SetupError, match="cannot be read"):
        read_cells_file(path)
    path.write_text(LINE, encoding="utf-8")
    with pytest.raises(SetupError, match="# %% cell DIGITS NAME"):
        read_cells_file(path)
