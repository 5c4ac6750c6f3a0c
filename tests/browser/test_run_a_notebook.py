"""Released notebooks run from top to bottom in a browser, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from playwright.sync_api import Page, TimeoutError, expect

from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.release.fill import solved_notebook
from tests.autograder.toy import released, solved
from tests.browser.conftest import TOKEN
from tests.conftest import ROOT

TREE = {"lab": "lab/tree", "notebook": "notebooks"}
"""The path at which each of Jupyter's front ends opens a notebook."""
SECONDS = 240
TRIES = 6
Serve = Callable[..., tuple[Path, str]]


def run_all(page: Page, address: str, face: str, notebook: str) -> None:
    """Opens a notebook and chooses Run > Run All Cells; tries again if a slow server makes Jupyter ask or forget it."""
    begun = page.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[(\*|\d+)\]"))
    for _ in range(TRIES):
        page.goto(f"{address}/{TREE[face]}/{notebook}?token={TOKEN}&reset")
        with contextlib.suppress(AssertionError, TimeoutError):
            idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
            expect(idle.first).to_be_attached(timeout=60_000)
            page.get_by_role("menuitem", name="Run", exact=True).click(timeout=10_000)
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click(timeout=10_000)
            expect(begun.first).to_be_attached(timeout=15_000)
            return
    raise AssertionError(f"{notebook} does not run in {face}")


@pytest.fixture
def serve(tmp_path: Path, jupyter: Callable[..., str]) -> Serve:
    """Writes a notebook into its own folder and starts a server; returns the notebook's path and the address."""

    def start(name: str, notebook: NotebookNode, profile: str, student: str = "") -> tuple[Path, str]:
        path = tmp_path / "mine" / f"{name}.ipynb"
        path.parent.mkdir()
        path.write_text(notebook_text(notebook), encoding="utf-8")
        variables = {"PYTHONPATH": str(ROOT), "AUTOGRADER_ROOT": "", "HOMEWORK_CHECKPOINTS": str(tmp_path / "kept")}
        variables |= {"HOMEWORK_PROFILE": profile, "HOMEWORK_STUDENT": student}  # of the server and of its kernels
        return path, jupyter(path.parent, **variables)

    return start


def saved_outputs(page: Page, path: Path) -> list[dict[str, Any]]:
    """Saves the notebook; the outputs of all its cells."""
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name=re.compile(r"^Save Notebook(?! As)")).click()
    page.wait_for_timeout(1000)
    return [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]


def bottom(page: Page) -> None:
    """Scrolls to the last cell: Jupyter draws what is in view."""
    page.locator(".jp-WindowedPanel-outer").first.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")


def test_a_solved_release_runs_in_jupyterlab(page: Page, serve: Serve) -> None:
    path, address = serve("vae", solved_notebook(load_problem("vae", ROOT)), "grade", "ada")
    run_all(page, address, "lab", "vae.ipynb")
    said = page.get_by_text(re.compile(r"wrote .*submission_log\.json"))
    expect(page.locator(".jp-OutputArea-output").first).to_be_visible(timeout=1000 * SECONDS)
    for _ in range(SECONDS):
        bottom(page)
        if said.count():
            break
        page.wait_for_timeout(1000)
    expect(said.first).to_be_visible()
    assert json.loads(path.with_name("submission_log.json").read_text())["student"] == "ada"
    outputs = saved_outputs(page, path)
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert sum("image/png" in out.get("data", {}) for out in outputs) >= 5


@pytest.mark.parametrize("face", TREE)
def test_the_log_asks_for_the_student_id_and_can_be_downloaded(face: str, page: Page, serve: Serve) -> None:
    path, address = serve("toy", solved(), "mini")
    run_all(page, address, face, "toy.ipynb")
    question = page.locator("input.jp-Stdin-input")
    question.wait_for(timeout=1000 * SECONDS)
    expect(page.get_by_text("Your student id (as your course knows you):").first).to_be_visible()
    question.fill("ada")
    question.press("Enter")
    expect(page.get_by_role("link", name="submission_log.json")).to_be_visible(timeout=1000 * SECONDS)
    log = json.loads(path.with_name("submission_log.json").read_text())
    assert log["student"] == "ada" and set(log["answers"]) == {"standardize", "Line"}


def test_an_untouched_release_names_the_first_function_to_write(page: Page, serve: Serve) -> None:
    path, address = serve("toy", released(), "mini", "ada")
    errors: list[dict[str, str]] = []
    for second in range(SECONDS):
        if second % 60 == 0:  # cells that are only queued for a kernel that a slow server lost are run again
            run_all(page, address, "lab", "toy.ipynb")
        errors = [out for out in saved_outputs(page, path) if out["output_type"] == "error"]
        if errors:
            break
    assert [f"{error['ename']}: {error['evalue']}" for error in errors] == [
        "NotImplementedError: standardize: replace this line by your code"
    ]
