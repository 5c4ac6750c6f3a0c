"""Pages made of hostile submissions, opened in a real browser: no student's script runs, and no page is fetched.

Each injected script leaves its own mark on the page when it runs. The first test shows that the browser runs all of
them in a page that holds them unchanged.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from traitlets.config import Config

from autograder.core.notebook_io import graded_text
from autograder.core.results import Grading
from autograder.desk.desk import Desk
from autograder.feedback.page import feedback_html
from autograder.gradebook.database import show_verdicts
from autograder.report import report_html
from tests.attacks.hostile_class import listener
from tests.autograder.desk.conftest import browser
from tests.autograder.toy import ROOT, STANDARDIZE, graded, solved, toy
from tests.conftest import CHROMIUM, NO_CHROMIUM

OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --virtual-time-budget=3000 --dump-dom""".split()
OPTIONS.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
SECONDS = 60
Network = tuple[int, list[object]]
"""The port of a server, and the clients that connected to it."""

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.long,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


def script(mark: str) -> str:
    """A script that leaves this mark on the page."""
    return f"document.documentElement.setAttribute('data-ran-{mark}','')"


MARKUP = {
    "script": f"<script>{script('script')}</script>",
    "image": f'<img src=x onerror="{script("image")}">',
    "upper": f"<IMG SRC=x OnError={script('upper')}>",
    "drawing": f'<svg onload="{script("drawing")}"></svg>',
    "frame": f'<iframe srcdoc="<script>parent.{script("frame")}</script>"></iframe>',
    "details": f'<details open ontoggle="{script("details")}">x</details>',
    "broken": f'<p title="`"><img src=x onerror="{script("broken")}">`',
}
"""Markup that runs a script by itself."""
LINK = "javascript:document.title='clicked'"
MARKDOWN = [
    *MARKUP.values(),
    f"[a link]({LINK}) ![a picture]({LINK}) [entity](java&#115;cript:document.title='clicked')",
    f"[by reference][r]\n\n[r]: {LINK}",
    f"<{LINK}>",
    f"$x {MARKUP['image'].replace('-image', '-math')}$",
    f"```{MARKUP['image'].replace('-image', '-fence')}\n{MARKUP['script'].replace('-script', '-code')}\n```",
    f"| a |\n|---|\n| {MARKUP['image'].replace('-image', '-table')} |",
    "![fetched](http://127.0.0.1:PORT/picture)",
    "http://127.0.0.1:PORT/bare www.example.org",
    f"```mermaid\ngraph TD; A[{MARKUP['image'].replace('-image', '-diagram')}]\n```\n\n~~~ mermaid\ngraph TD; A\n~~~",
    rf"$\href{{{LINK}}}{{x}} \mmlToken{{mi}}[href={LINK}]{{x}} \style{{color:red}}{{x}} \class{{hidden}}{{x}}$",
]
"""Hostile markdown that a student may write."""
MARKED = "data-ran-"


def in_browser(page: str, folder: Path) -> str:
    """The page's DOM after a browser has opened it."""
    assert CHROMIUM is not None
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert "<html" in done.stdout.lower(), done.stderr[-2000:]
    return done.stdout


def ran(dom: str) -> set[str]:
    """The marks that scripts left."""
    found = re.match(r"(?:<!doctype[^>]*>)?\s*<html[^>]*>", dom, re.IGNORECASE)
    assert found is not None, dom[:300]
    return set(re.findall(rf"{MARKED}(\w+)", found.group()))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A server on this machine."""
    with listener() as server:
        yield server


@pytest.fixture(scope="module")
def hostile(network: Network) -> Grading:
    """A graded notebook with scripts wherever a student can write."""
    markdown = "\n\n".join(MARKDOWN).replace("PORT", str(network[0]))
    texts = json.dumps("\n".join(MARKUP.values()))
    cell = f"""from IPython.display import HTML, SVG, Javascript, Markdown, display

TEXT = {texts}
print(TEXT, "\\x1b[31m" + TEXT + "\\x1b]8;;{LINK}\\x07link\\x1b]8;;\\x07")
for kind in (HTML, SVG, Javascript, Markdown):
    try:
        display(kind(TEXT))
    except Exception:
        pass
"""
    raising = f"raise type({texts[:60]!r}, (Exception,), {{}})({texts})"
    answer = f"{STANDARDIZE}    # </pre></div></textarea>{MARKUP['script']}\n    {raising}"
    notebook = solved(standardize=answer, written_units=markdown)
    notebook.cells[2:2] = [new_markdown_cell(markdown), new_code_cell(cell), new_code_cell(raising)]
    for each in notebook.cells:
        if each.cell_type == "code":
            markup = "\n".join(MARKUP.values())
            each.outputs = [new_output("display_data", {kind: markup for kind in ("text/html", "text/markdown")})]
    log = {
        "schema_version": 1,
        "problem": "toy",
        "student": MARKUP["image"],
        "created_at": "2026-11-21T10:00:00Z",
        "profile": "mini",
        "environment": dict.fromkeys(("python", "torch", "device"), MARKUP["script"]),
        "answers": {"standardize": MARKUP["script"]},
        "metrics": {},
        "process": dict.fromkeys(("sources", "people"), MARKUP["script"]),
    }
    return graded(notebook, student=MARKUP["image"], log=json.dumps(log).encode())


def notebook_page(notebook: NotebookNode, template: str) -> str:
    """What `jupyter nbconvert --to html` makes of it."""
    return str(HTMLExporter(template_name=template).from_notebook_node(notebook)[0])


def form_grader_page(grading: Grading, student: str) -> str:
    """What the form grader shows, made as its `SubmissionHandler` does."""
    from nbgrader.server_extensions.formgrader import handlers

    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources: dict[str, Any] = {"assignment_id": "toy", "notebook_id": "toy", "submission_id": "1", "base_url": ""}
    resources |= {"index": 0, "total": 1, "student": student, "last_name": None, "first_name": None}
    resources["notebook_path"] = f"course/autograded/{student}/toy/toy.ipynb"
    shown = show_verdicts(grading.notebook, grading.log)
    return str(HTMLExporter(config=config).from_notebook_node(shown, resources=resources)[0])


def class_report(grading: Grading, out: Path) -> str:
    """The report about a class in which two students, one of them named like a script, submitted the same notebook."""
    for student in (MARKUP["image"], "ada"):
        folder = out / student / "toy"
        folder.mkdir(parents=True)
        log = replace(grading.log, student=student, notebook_sha256=student)
        (folder / "submission_log.json").write_text(json.dumps(log.as_json()), encoding="utf-8")
        (folder / "toy.ipynb").write_text(grading.text, encoding="utf-8")
    page = report_html(out, root=ROOT)
    assert "Side by side" in page
    return page


def desk_page(grading: Grading, folder: Path) -> str:
    """What the grading desk shows of the written answer, and of what the student's own run printed and drew."""
    graded_folder = folder / "graded"
    (graded_folder / "ada" / "toy").mkdir(parents=True)
    log = replace(grading.log, student="ada")
    (graded_folder / "ada" / "toy" / "submission_log.json").write_text(json.dumps(log.as_json()), encoding="utf-8")
    (graded_folder / "ada" / "toy" / "toy.ipynb").write_text(grading.text, encoding="utf-8")
    desk = Desk(ROOT, graded_folder, database=f"sqlite:///{folder / 'desk.db'}")
    with browser(desk) as client:
        return client.get("/toy/written_units").text


def test_the_browser_runs_scripts_that_are_in_a_page_unchanged(tmp_path: Path) -> None:
    page = "<!doctype html><html><body>" + "\n".join(MARKUP.values()) + "</body></html>"
    assert ran(in_browser(page, tmp_path)) == set(MARKUP)


def test_raw_markdown_runs_scripts_in_the_form_grader(hostile: Grading, network: Network, tmp_path: Path) -> None:
    before = len(network[1])
    raw = hostile.notebook.copy()
    raw.cells = [new_markdown_cell("\n\n".join(MARKDOWN).replace("PORT", str(network[0])))]
    page = form_grader_page(Grading(hostile.log, graded_text(raw)), "ada")
    dom = in_browser(page, tmp_path)
    assert {"script", "image", "drawing"} <= ran(dom)
    assert 'href="javascript:' in dom
    assert len(network[1]) > before


@pytest.mark.parametrize("kind", ["feedback", "report", "lab", "classic", "formgrade", "desk"])
def test_no_script_of_a_student_runs(kind: str, hostile: Grading, network: Network, tmp_path: Path) -> None:
    before = len(network[1])
    pages: dict[str, Callable[[], str]] = {
        "feedback": lambda: feedback_html(hostile.log, toy()),
        "report": lambda: class_report(hostile, tmp_path / "graded"),
        "formgrade": lambda: form_grader_page(hostile, "ada"),
        "desk": lambda: desk_page(hostile, tmp_path),
    }
    page = pages.get(kind, lambda: notebook_page(hostile.notebook, kind))()
    assert "data-ran" in page, "the page shows the texts of the scripts"
    dom = in_browser(page, tmp_path)
    assert ran(dom) == set()
    targets = re.findall(r"<[^>]*\b(?:href|src)\s*=\s*[\"']?([^\"'>]*)", dom)
    assert not [target for target in targets if re.match(r"javascript:|http://127|https?://www\.example", target)]
    assert not re.search(r"class=.[^'\">]*[mM]ermaid.{0,2}>", dom)
    assert len(network[1]) == before, "something was fetched"
