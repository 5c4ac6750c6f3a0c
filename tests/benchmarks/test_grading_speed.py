"""The benchmark of grading: its class, its measurements, its page."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.course.problem import Problem, load_problem
from autograder.release.notebook import released_notebook
from benchmarks.attacks.equivalent import grade_id, nbgrader_source, otter_notebook
from benchmarks.attacks.stock import clean_environment
from benchmarks.grading import __main__ as command
from benchmarks.grading.meter import CommandFailedError, measure
from benchmarks.grading.page import NOISE, NONE, page, seconds, spread, times
from benchmarks.grading.phases import IMPORTS, KERNEL, PROCESS, REST, STUDENT, TESTS, phases_of
from benchmarks.grading.records import Measured, added, load, save
from benchmarks.grading.submissions import large_class, notebook, small_class, write_class

FULL = {
    "sample_gaussian": 3.0,
    "kl_standard_normal": 4.0,
    "negative_elbo_bound": 7.0,
    "importance_weighted_bound": 6.0,
}
SIZES = (10, 50, 1000)
BARE = [sys.executable, "-I", "-S", "-c"]


@pytest.fixture(scope="module")
def problem(root: Path) -> Problem:
    """The graded problem."""
    return load_problem("vae", root)


def test_the_class_has_a_solution_and_right_and_wrong_answers_to_every_item(problem: Problem, tmp_path: Path) -> None:
    found = small_class(problem)
    kinds = [one.story.split("/")[0] for one in found]
    assert [kinds.count(kind) for kind in ("solution", "right", "wrong")] == [1, 5, 18]
    assert len({one.story for one in found}) == 24 and found[:2] == small_class(problem, 2)
    for kind in ("right", "wrong"):
        assert {one.story.split("/")[1] for one in found if one.story.startswith(kind)} == set(FULL)
    large = list(large_class(problem, 30, 4))
    assert len({one.student for one in large}) == 30 and large[4].answers == large[0].answers
    released = released_notebook(problem)
    texts = [path.read_text(encoding="utf-8") for path in write_class(tmp_path, released, large[:5], problem)]
    assert all(texts[0].count("# s00001") == len(FULL) == texts[4].count("# s00005") for _ in FULL)
    again = write_class(tmp_path / "again", released, large[:1], problem)
    assert again == [tmp_path / "again/s00001/vae/vae.ipynb"] and again[0].read_text(encoding="utf-8") == texts[0]


def test_the_submissions_are_the_same_for_all_three_systems(problem: Problem) -> None:
    source = nbgrader_source(problem, whole=True)
    for one in small_class(problem)[:3]:
        written = []
        for form in (released_notebook(problem), source, otter_notebook(source)):
            cells = [cell for cell in notebook(form, one, problem).cells if not grade_id(cell).startswith("test_")]
            written.append([(cell.cell_type, cell.source) for cell in cells if "import otter" not in cell.source])
        assert written[0] == written[1] == written[2]
        assert len(written[0]) > 50 and any("my own check" in text for _, text in written[0])
    points = {grade_id(cell): cell.metadata["nbgrader"].get("points") for cell in source.cells if grade_id(cell)}
    assert [points[name] for name in points if name.startswith("test_negative_elbo_bound")] == [1.0, 3.0, 0.5, 1.5, 1.0]


def test_a_command_is_measured_with_all_its_descendants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-I', '-S', '-c', {burn!r}])"
    unwaited = f"import signal, time; signal.signal(signal.SIGCHLD, signal.SIG_IGN); {orphan}; time.sleep(0.8)"
    for code in (orphan, unwaited):
        cpu = measure([*BARE, code], tmp_path, clean_environment()).cpu
        assert cpu is None or 0.3 <= cpu < 2
    big = "import time; block = b'x' * 60_000_000; time.sleep(0.9)"
    cost = measure([*BARE, big], tmp_path, clean_environment())
    assert cost.memory > 57 and cost.main_memory > 57 and cost.seconds > 0.9
    with pytest.raises(CommandFailedError, match=r"status 3.*\n.*no such course"):
        measure([*BARE, "print('no such course'); raise SystemExit(3)"], tmp_path, clean_environment())
    monkeypatch.setenv("SOMETHING_PERSONAL", "1")
    found = clean_environment(PATH="here")
    assert found["PATH"] == "here" and found["HOMEWORK_PROFILE"] == "grade" and "SOMETHING_PERSONAL" not in found


def event(what: str, begun: float, ended: float, source: str = "", name: str = "", last: bool = False) -> Any:
    """One line of a trace."""
    return {"event": what, "begun": begun, "ended": ended, "source": source, "grade_id": name, "last": last}


def test_the_time_of_a_submission_is_divided_into_phases() -> None:
    events = [
        event("kernel", 11.0, 11.5),
        event("cell", 12.0, 14.0, "import math\nimport torch"),
        event("cell", 14.0, 18.0, "print(1)"),
        event("cell", 18.0, 18.5, "assert True", "test_f"),
        event("process", 10.0, 20.0),
        event("process", 19.0, 20.0),  # a helper process without a kernel
        event("kernel", 22.0, 22.5),
        event("cell", 23.0, 24.0, "from otter import Notebook"),
        event("cell", 24.0, 24.5, "from otter.execute import Checker", last=True),
        event("process", 20.0, 26.0),
    ]
    found = phases_of(events, 16.0, 2)
    assert found == pytest.approx({PROCESS: 1.5, KERNEL: 0.5, IMPORTS: 1.5, STUDENT: 2.0, TESTS: 0.5, REST: 2.0})


def measured() -> list[Measured]:
    """The records of an invented benchmark."""
    phases = {PROCESS: 0.5, KERNEL: 0.5, IMPORTS: 1.0, STUDENT: 5.0, TESTS: 1.0, REST: 2.0}
    ours, nbgrader = {"s01": {"f": 4.0, "g": 6.0}}, {"s01": {"f": 1.0, "g": 6.0}}
    common: dict[str, Any] = {"when": "2026-11-21", "cpu": 12.0, "memory": 900.0, "main_memory": 300.0}
    of_class: dict[str, Any] = {**common, "scores": ours, "phases": {"seconds": 0.25}}
    names = ("cores", "processor", "memory", "system", "python", "torch", "load", "level")
    machine = dict(zip(names, (2, "a chip", 8.0, "Linux", "3.11", "2", 0, "full"), strict=True))
    return [
        Measured("machine", details=machine),
        Measured("class", "ours", 24, 1, True, 1, seconds=14.8, **of_class),
        Measured("class", "ours", 24, 1, True, 2, seconds=14.6, **of_class),
        Measured("class", "ours", 96, 1, True, 1, seconds=30.0, **of_class | {"cpu": 31.0}),
        Measured("class", "ours", 120, 1, True, 1, seconds=99.0, **common),  # of an earlier benchmark
        Measured("class", "ours", 216, 1, True, 1, seconds=54.0, **of_class | {"cpu": 55.0}),
        Measured("class", "nbgrader", 24, 1, True, 1, seconds=240.0, scores=nbgrader, **common),
        Measured("class", "otter", 24, 1, False, 1, seconds=192.0, **common),
        Measured("phases", "nbgrader", 8, gradebook=True, phases=phases),
        Measured("floor", "ours", 24, seconds=2.4, phases={"cells": 0.02, "tests": 0.08}, scores=ours),
        Measured("starts", details={"sessions": [0.012, 0.011, 0.013], "kernels": [1.5]}),
        Measured("verify", submissions=1000, seconds=2.0),
        *(Measured("regrade", "ours", 1000, 2, True, run, seconds=9.0) for run in (1, 2)),
        *(
            Measured("sizes", "ours", n, 2, True, seconds=10 + n / 10, main_memory=300 + n / 100)
            for n in (10, 50, 1000)
        ),
    ]


def cells(text: str, label: str) -> list[str]:
    """The cells of the first table row that begins with a label."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {label} |")]
    return [cell.strip() for cell in rows[0].strip("|").split("|")][1:]


def test_the_page_shows_the_measurements(problem: Problem, tmp_path: Path) -> None:
    found: list[Measured] = []
    for one in measured():
        found = added(added(found, dataclasses.replace(one, seconds=1e6)), one)
    save(tmp_path / "grading.json", found)
    assert found == load(tmp_path / "grading.json") == measured()
    files = ["--records", str(tmp_path / "grading.json"), "--page", str(tmp_path / "page.md")]
    assert command.main(["--render", *files]) == 0
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert cells(text, "ours, one more submission, 1 worker") == ["0.200", "1", "2", "0.200"]
    assert cells(text, "nbgrader 0.9.6") == ["10.00", "50", "100", "0.500"]
    assert cells(text, "nbgrader 0.9.6, if the notebook's other cells cost nothing")[:2] == ["5.00", "25"]
    assert cells(text, "the floor: the student's graded calls alone") == ["0.100", "0.5", "1", NONE]
    assert cells(text, "wall time, start included, s")[0] == "14.7 (14.6 to 14.8)"
    assert cells(text, "1,000")[:2] == ["110.0", "0.110"]
    assert cells(text, "first run") == cells(text, "the same command again") == ["1,000", "9.0", "0.0090"]
    assert "One more submission between 50 and 1,000: 0.100 s. The coordinator grows by 10 MiB." in text
    assert "500 logs per second, 2 ms each" in text and "12.0 (11.0 to 13.0)" in text
    assert "2 cores (a chip)" in text and "Before and after the 24 submissions our command takes 9.90 s." in text
    assert "nbgrader 0.9.6: 1 of 2 items as ours" in text and "floor: 2 of 2 items as ours" in text
    assert cells(text, "s01: solution") == ["f", "4", "1", "no result", "4"]
    nothing = page([], problem, 24)
    assert nothing.count(NONE) > 20 and "Machine: unknown" in nothing and "None" not in nothing and "nan" not in nothing


def test_ratios_without_meaning_are_marked() -> None:
    assert times(-1.0, 2.0) == times(1.0, -2.0) == NOISE and times(None, 1.0) == times(1.0, None) == NONE
    assert [times(value, 1.0) for value in (0.5, 9.94, 1234.0)] == ["0.5", "9.9", "1,234"]
    assert [seconds(value) for value in (0.0012, 0.1234, 12.345)] == ["0.0012", "0.123", "12.35"]
    assert spread([]) == NONE and spread([2.0]) == "2.0" and spread([1.0, 2.0, 4.0]) == "2.0 (1.0 to 4.0)"


@pytest.mark.slow
def test_the_benchmark_runs_with_two_submissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # fewer runs
    arguments = ["--systems", "ours", "--parts", "floor", "classes", "--submissions", "2", "--runs", "1"]
    files = ["--records", str(tmp_path / "grading.json"), "--page", str(tmp_path / "page.md")]
    assert command.main([*arguments, *files]) == 0
    found = json.loads((tmp_path / "grading.json").read_text())
    classes = [one for one in found if one["part"] == "class"]
    kinds = [(size, gradebook) for gradebook in (True, False) for size in (2, 8, 18)]
    assert [(one["submissions"], one["gradebook"]) for one in classes] == kinds
    assert all(one["seconds"] > 0 and one["memory"] > 100 for one in classes)
    assert "floor: 6 of 6 items as ours." in (tmp_path / "page.md").read_text(encoding="utf-8")
