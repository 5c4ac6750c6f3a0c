"""The benchmark of grading: its class, the stock form of whole notebooks, what it measures, its page."""

from __future__ import annotations

import contextlib
import dataclasses
import doctest
import io
import json
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from autograder.course.cell_selection import NOT_RUN
from autograder.course.problem import Problem, load_problem
from autograder.release.notebook import released_notebook
from benchmarks.attacks.equivalent import item_of, nbgrader_source, otter_notebook, otter_tests, student_version
from benchmarks.grading import __main__ as command
from benchmarks.grading import parts as parts_module
from benchmarks.grading.floor import floor
from benchmarks.grading.hand_ins import HandIn, large_class, larger_sizes, notebook, small_class, write_class
from benchmarks.grading.meter import CommandFailedError, environment_for, measure
from benchmarks.grading.page import marginal, page
from benchmarks.grading.parts import Bench, Plan
from benchmarks.grading.phases import IMPORTS, KERNEL, PROCESS, REST, STUDENT, TESTS, columns_of, phases_of
from benchmarks.grading.records import Measured, Records
from benchmarks.grading.stock import checked_once
from benchmarks.grading.tables import NOISE, NONE, seconds, spread, times

FULL = {"sample_gaussian": 4.0, "kl_standard_normal": 6.0, "negative_elbo_bound": 10.0}
BARE = [sys.executable, "-I", "-S", "-c"]


@pytest.fixture(scope="module")
def problem(root: Path) -> Problem:
    """What is graded."""
    return load_problem("vae", root)


# --- the class --------------------------------------------------------------------------------------------------------


def test_the_class_is_a_solution_right_alternatives_and_wrong_answers_to_every_item(problem: Problem) -> None:
    found = small_class(problem)
    kinds = [one.story.split("/")[0] for one in found]
    assert len({one.student for one in found}) == 24 and len({one.story for one in found}) == 24
    assert [kinds.count(kind) for kind in ("solution", "right", "wrong")] == [1, 5, 18]
    for kind in ("right", "wrong"):
        assert {one.story.split("/")[1] for one in found if one.story.startswith(kind)} == set(FULL)
    assert [one.story for one in small_class(problem, 2)] == [one.story for one in found[:2]]
    assert found == small_class(problem)


def test_no_two_answers_of_a_large_class_are_the_same_text(problem: Problem) -> None:
    hand_ins = list(large_class(problem, 30, 4))
    assert len({one.student for one in hand_ins}) == 30 and {one.story for one in hand_ins[4:8]} == {
        one.story for one in small_class(problem, 4)
    }
    released = released_notebook(problem)
    notebooks = [notebook(released, one, problem) for one in (hand_ins[0], hand_ins[4])]
    for item in FULL:
        first, fifth = (source_of(one, item) for one in notebooks)
        assert first != fifth and first.rpartition("#")[0] == fifth.rpartition("#")[0]
        compile(first, item, "exec")


def source_of(notebook: NotebookNode, grade_id: str) -> str:
    """The text of a graded cell."""
    (found,) = [one.source for one in notebook.cells if one.metadata.get("nbgrader", {}).get("grade_id") == grade_id]
    return str(found)


def test_what_students_write_is_the_same_text_for_all_three_systems(problem: Problem) -> None:
    stock = student_version(nbgrader_source(problem, whole=True))
    forms = [released_notebook(problem), stock, checked_once(otter_notebook(stock))]
    for one in small_class(problem)[:3]:
        written = [
            [
                (cell.cell_type, cell.source)
                for cell in notebook(form, one, problem).cells
                if not cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_")
                and "import otter" not in cell.source
            ]
            for form in forms
        ]
        assert written[0] == written[1] == written[2]
        assert len(written[0]) > 50 and any("my own check" in source for _, source in written[0])


def test_hand_ins_lie_where_graders_look_for_them(problem: Problem, tmp_path: Path) -> None:
    paths = write_class(tmp_path, released_notebook(problem), small_class(problem, 2), problem)
    assert [str(path.relative_to(tmp_path)) for path in paths] == ["s01/vae/vae.ipynb", "s02/vae/vae.ipynb"]
    first = paths[0].read_bytes()
    again = write_class(tmp_path / "again", released_notebook(problem), small_class(problem, 1), problem)
    assert again[0].read_bytes() == first


# --- the same tests ---------------------------------------------------------------------------------------------------


def test_the_stock_form_has_the_same_points_and_a_cell_for_each_part(problem: Problem) -> None:
    cells = [one.metadata.get("nbgrader", {}) for one in nbgrader_source(problem, whole=True).cells]
    tests = {one["grade_id"]: one["points"] for one in cells if one and one["grade_id"].startswith("test_")}
    assert [tests[name] for name in tests if name.startswith("test_negative_elbo_bound")] == [6.0, 2.0, 2.0]
    assert "test_sample_gaussian_with_noise_of_its_own" in tests
    sums = dict.fromkeys(FULL, 0.0)
    for name, points in tests.items():
        sums[item_of(name, FULL)] += points
    assert sums == FULL


def test_a_test_cell_belongs_to_the_longest_item_that_fits() -> None:
    assert item_of("test_a_b_part", ["a", "a_b", "a_bc"]) == "a_b"
    assert item_of("test_a", ["a", "a_b"]) == "a"


def test_otters_notebook_checks_each_item_once(problem: Problem) -> None:
    found = checked_once(otter_notebook(student_version(nbgrader_source(problem, whole=True))))
    checks = [one.source for one in found.cells if one.source.startswith("grader.check")]
    assert checks == [f'grader.check("{item}")' for item in FULL]


@contextlib.contextmanager
def given_names(problem: Problem, hand_in: HandIn) -> Iterator[tuple[dict[str, Any], list[NotebookNode]]]:
    """What the cells define that come before the last test, and all cells: as in a kernel, but in this process."""
    source = nbgrader_source(problem, whole=True)
    cells = [one for one in source.cells if one.cell_type == "code"]
    module = types.ModuleType("a_stock_notebook")
    sys.modules[module.__name__] = module
    try:
        with contextlib.redirect_stdout(io.StringIO()), pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOMEWORK_PROFILE", "grade")
            last = max(n for n, one in enumerate(cells) if grade_id_of(one).startswith("test_"))
            for one in cells[:last]:
                name = grade_id_of(one)
                if not (name.startswith(("test_", "figure_")) or NOT_RUN & set(one.metadata.get("tags", ()))):
                    exec(hand_in.answers.get(name, one.source), module.__dict__)
            yield module.__dict__, cells
    finally:
        del sys.modules[module.__name__]


def grade_id_of(cell: NotebookNode) -> str:
    """The grade id, or nothing."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def nbgrader_points(problem: Problem, hand_in: HandIn) -> dict[str, float]:
    """By item, the points of the test cells that run through."""
    points = dict.fromkeys(FULL, 0.0)
    with given_names(problem, hand_in) as (names, cells):
        for one in cells:
            if grade_id_of(one).startswith("test_"):
                with contextlib.suppress(Exception):
                    exec(one.source, dict(names))
                    points[item_of(grade_id_of(one), FULL)] += one.metadata["nbgrader"]["points"]
    return points


def otter_points(problem: Problem, hand_in: HandIn) -> dict[str, float]:
    """By item, the points of the cases of which doctest finds nothing to complain about."""
    points = dict.fromkeys(FULL, 0.0)
    with given_names(problem, hand_in) as (names, _):
        for text in otter_tests(problem).values():
            file: dict[str, Any] = {}
            exec(text, file)
            for case in file["test"]["suites"][0]["cases"]:
                test = doctest.DocTestParser().get_doctest(case["code"], dict(names), "case", None, 0)
                if not doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed:
                    points[file["test"]["name"]] += case["points"]
    return points


CASES = {
    "solution": {},
    "wrong/sample_gaussian/noise_shared_by_latents": {"sample_gaussian": 3.0},
    "wrong/kl_standard_normal/half_missing": {"kl_standard_normal": 0.0},
    "wrong/negative_elbo_bound/noise_shared_by_batch": {"negative_elbo_bound": 8.0},
}
"""Story → what differs from full marks. Where parts have points of their own, the visible checks find nothing."""


@pytest.mark.parametrize("story", CASES)
def test_stock_tests_and_the_floor_give_the_points_that_are_deserved(problem: Problem, story: str) -> None:
    (hand_in,) = [one for one in small_class(problem) if one.story == story]
    deserved = {**FULL, **CASES[story]}
    assert nbgrader_points(problem, hand_in) == deserved
    assert otter_points(problem, hand_in) == deserved
    found = floor(problem, hand_in)
    assert found.scores == deserved
    assert found.cells > 0 and found.tests > 0


# --- measuring --------------------------------------------------------------------------------------------------------


def test_a_command_is_measured_with_all_its_descendants(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-I', '-S', '-c', {burn!r}])"
    cost = measure([*BARE, orphan], tmp_path, environment_for())
    assert cost.status == 0 and cost.cpu >= 0.3
    if cost.whole:
        unwaited = f"import signal, time; signal.signal(signal.SIGCHLD, signal.SIG_IGN); {orphan}; time.sleep(0.8)"
        assert measure([*BARE, unwaited], tmp_path, environment_for()).cpu >= 0.3
    big = "import time; block = b'x' * 60_000_000; print('made'); time.sleep(0.6)"
    cost = measure([*BARE, big], tmp_path, environment_for())
    assert cost.memory > 57 and cost.main_memory > 57 and cost.seconds > 0.6 and "made" in cost.output


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="status 3.*\n.*no such course"):
        measure([*BARE, "print('no such course'); raise SystemExit(3)"], tmp_path, environment_for())
    assert measure([*BARE, "raise SystemExit(3)"], tmp_path, environment_for(), allowed=(3,)).status == 3
    with pytest.raises(CommandFailedError, match="could not be run"):
        measure([str(tmp_path / "missing")], tmp_path, environment_for())


def test_measured_commands_find_only_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING_PERSONAL", "1")
    found = environment_for(PATH="here")
    assert found["PATH"] == "here" and found["HOMEWORK_PROFILE"] == "grade" and "SOMETHING_PERSONAL" not in found


def event(what: str, begun: float, ended: float, source: str = "", grade_id: str = "", **more: Any) -> dict[str, Any]:
    """One line of a trace."""
    return {
        "event": what,
        "begun": begun,
        "ended": ended,
        "source": source,
        "grade_id": grade_id,
        "last": False,
        **more,
    }


def test_the_time_of_a_submission_is_told_apart_by_phases() -> None:
    events = [
        event("kernel", 11.0, 11.5),
        event("cell", 12.0, 14.0, "import math\nimport torch"),
        event("cell", 14.0, 18.0, "print(1)"),
        event("cell", 18.0, 18.5, "assert True", "test_f"),
        event("process", 10.0, 20.0),
        event("kernel", 22.0, 22.5),
        event("cell", 23.0, 24.0, "from otter import Notebook"),
        event("cell", 24.0, 24.5, "from otter.execute import Checker", last=True),
        event("process", 20.0, 26.0),
    ]
    found = phases_of(events, 16.0, 2)
    assert found == pytest.approx({PROCESS: 1.5, KERNEL: 0.5, IMPORTS: 1.5, STUDENT: 2.0, TESTS: 0.5, REST: 2.0})
    assert sum(found.values()) == pytest.approx(8.0)


def test_columns_of_timings_are_shown_whatever_they_are() -> None:
    rows = [{"student": "a", "problem": "vae", "seconds": "1", "tests": "0.5", "note": "x"}]
    rows.append({"student": "b", "problem": "vae", "seconds": "3", "tests": "", "note": ""})
    assert columns_of(rows) == {"seconds": 2.0, "tests": 0.5}


def test_measurements_are_kept_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "grading.jsonl"
    records = Records(path)
    one = Measured("class", "otter", 24, run=2, digest="abc", scores={"s01": {"f": 1.0}}, details={"level": "full"})
    assert not records.done(one)
    records.add(one)
    later = dataclasses.replace(one, seconds=3.0, digest="def")
    records.add(later)
    again = Records(path)
    assert again.all() == [later]
    assert again.done(later) and not again.done(one) and not again.done(dataclasses.replace(later, run=1))


def test_a_run_that_was_cut_off_goes_on(problem: Problem, root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    plan = Plan(root, problem, ("ours",), size=1, runs=2, sizes=(1,), again=False)
    records = Records(tmp_path / "grading.jsonl")
    Bench(dataclasses.replace(plan, runs=1), records, said.append).floor()
    first = records.all()
    Bench(plan, records, said.append).floor()
    assert [one.run for one in records.all()] == [1, 2] and records.all()[:1] == first
    assert any(line.endswith("run 1: known") for line in said)
    Bench(dataclasses.replace(plan, again=True, runs=1), records, said.append).floor()
    assert records.all()[0] != first[0]


# --- the page ---------------------------------------------------------------------------------------------------------


def measured() -> list[Measured]:
    """A whole benchmark, made up."""
    phases = {PROCESS: 0.5, KERNEL: 0.5, IMPORTS: 1.0, STUDENT: 5.0, TESTS: 1.0, REST: 2.0}
    ours, nbgrader = {"s01": {"f": 4.0, "g": 6.0}}, {"s01": {"f": 1.0, "g": 6.0}}
    common: dict[str, Any] = {"when": "2026-11-21", "cpu": 12.0, "memory": 900.0, "main_memory": 300.0}
    level = {"level": "full"}
    common["details"] = {"whole": True}
    facts = {
        "cores": 2,
        "processor": "a chip",
        "memory": 8.0,
        "system": "Linux",
        "python": "3.11",
        "torch": "2",
        "load": 0,
    }
    found = [
        Measured("machine", details=facts),
        Measured("class", "ours", 24, 1, True, 1, seconds=14.8, scores=ours, phases={"seconds": 0.25}, **common),
        Measured("class", "ours", 24, 1, True, 2, seconds=14.6, scores=ours, phases={"seconds": 0.25}, **common),
        Measured("class", "ours", 96, 1, True, 1, seconds=30.0, **common | {"cpu": 31.0}),
        Measured("class", "ours", 120, 1, True, 1, seconds=99.0, **common),  # of an earlier benchmark
        Measured("class", "ours", 216, 1, True, 1, seconds=54.0, **common | {"cpu": 55.0}),
        Measured("class", "nbgrader", 24, 1, True, 1, seconds=240.0, scores=nbgrader, **common),
        Measured("class", "otter", 24, 1, False, 1, seconds=192.0, **common),
        Measured("phases", "nbgrader", 8, gradebook=True, phases=phases),
        Measured("floor", "ours", 24, seconds=2.4, phases={"cells": 0.02, "tests": 0.08}, scores=ours),
        Measured("starts", details={**level, "sessions": [0.012, 0.011, 0.013], "kernels": [1.5]}),
        Measured("verify", submissions=1000, seconds=2.0),
    ]
    found += [
        Measured("sizes", "ours", size, 2, True, seconds=10 + size / 10, **common | {"main_memory": 300 + size / 100})
        for size in (10, 50, 1000)
    ]
    found += [
        Measured("regrade", "ours", 1000, 2, True, run, seconds=9.0, **common | {"details": {"cache": True}})
        for run in (1, 2)
    ]
    return found


def cells(text: str, label: str) -> list[str]:
    """The cells of the table rows that begin with a label."""
    rows = [line for line in text.splitlines() if line.startswith(f"| {label} |")]
    assert rows, label
    return [cell.strip() for cell in rows[0].strip("|").split("|")][1:]


def test_the_page_shows_what_was_measured(problem: Problem) -> None:
    text = page(measured(), problem, 24)
    assert marginal(measured(), 24) == pytest.approx(0.2)
    assert cells(text, "ours, one more submission, 1 worker") == ["0.200", "1", "2", "0.200"]
    assert cells(text, "nbgrader 0.9.6") == ["10.00", "50", "100", "0.500"]
    assert cells(text, "nbgrader 0.9.6, if the notebook's other cells cost nothing")[:2] == ["5.00", "25"]
    assert cells(text, "the floor: the student's graded calls alone")[:2] == ["0.100", "0.5"]
    assert cells(text, "wall time, start included, s")[0] == "14.7 (14.6 to 14.8)"
    assert cells(text, "ours as a multiple of the floor") == ["2"]
    assert cells(text, "1,000")[:2] == ["110.0", "0.110"]
    assert "One more submission between 50 and 1,000: 0.100 s. The coordinator grows by 10 MiB." in text
    assert "500 logs per second, 2 ms each" in text and "12.0 (11.0 to 13.0)" in text
    assert "counts every descendant. Memory" in text
    missing = [dataclasses.replace(one, details={}) if one.system == "otter" else one for one in measured()]
    assert "**not so in `class` of otter with 24**" in page(missing, problem, 24)
    assert "2 cores (a chip)" in text and "on 2026-11-21" in text and "with `--no-cache`" in text
    assert "Before and after the 24 submissions our command takes 9.90 s." in text


def test_the_page_shows_the_largest_class_that_was_graded_again(problem: Problem) -> None:
    small = [dataclasses.replace(one, submissions=10, seconds=5.0) for one in measured() if one.part == "regrade"]
    text = page([*small, *measured(), *small], problem, 24)
    assert cells(text, "first run") == cells(text, "the same command again") == ["1,000", "9.0", "0.0090"]


def test_the_page_hides_no_disagreement(problem: Problem) -> None:
    text = page(measured(), problem, 24)
    assert "nbgrader 0.9.6: 1 of 2 items as ours" in text and "floor: 2 of 2 items as ours" in text
    assert cells(text, "s01: solution") == ["f", "4", "1", "no result", "4"]
    assert "| s01: solution | g | 6 | 6 | no result | 6 |" in text


def test_a_page_of_nothing_says_so(problem: Problem) -> None:
    text = page([], problem, 24)
    assert text.count(NONE) > 20 and "Machine: unknown" in text and "None" not in text and "nan" not in text
    only_ours = [one for one in measured() if one.system == "ours"]
    assert cells(page(only_ours, problem, 24), "nbgrader 0.9.6")[0] == NONE


def test_numbers_say_when_they_mean_nothing() -> None:
    assert times(-1.0, 2.0) == times(1.0, -2.0) == NOISE and times(None, 1.0) == times(1.0, None) == NONE
    assert [times(value, 1.0) for value in (0.5, 9.94, 1234.0)] == ["0.5", "9.9", "1,234"]
    assert [seconds(value) for value in (0.0012, 0.1234, 12.345)] == ["0.0012", "0.123", "12.35"]
    assert spread([]) == NONE and spread([2.0]) == "2.0" and spread([1.0, 2.0, 4.0]) == "2.0 (1.0 to 4.0)"


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_page_can_be_written_from_earlier_measurements_alone(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(tmp_path / "grading.jsonl")
    for one in measured():
        records.add(one)
    monkeypatch.setattr(command, "Bench", lambda *args: pytest.fail("something was run"))
    arguments = ["--render", "--records", str(tmp_path / "grading.jsonl"), "--page", str(tmp_path / "page.md")]
    assert command.main(arguments) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page(measured(), problem, 24)


@pytest.mark.parametrize("arguments", [["--submissions", "25"], ["--runs", "0"], ["--sizes", "0"], ["--systems", "x"]])
def test_what_cannot_be_is_refused(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        command.main([*arguments, "--records", str(tmp_path / "r"), "--page", str(tmp_path / "p")])
    assert not list(tmp_path.iterdir())


def test_a_part_that_belongs_to_another_benchmark_is_left_out_where_it_is_not_there(
    problem: Problem, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, said = Records(tmp_path / "r"), list[str]()
    bench = Bench(Plan(root, problem, ("ours",), 1, 1, (1,), again=False), records, said.append)
    monkeypatch.setattr(parts_module, "VERIFY", "benchmarks.no_such_benchmark")
    bench.verify()
    assert not records.all()
    (tmp_path / "says_it.py").write_text("print('vae: 200 logs in 0.50 s (0.50 s of processor time)')")
    monkeypatch.setattr(parts_module, "VERIFY", "says_it")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    bench.verify()
    assert [(one.submissions, one.seconds) for one in records.all()] == [(200, 0.5)]


@pytest.mark.slow
def test_the_whole_with_two_submissions_ours_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # fewer runs
    arguments = ["--systems", "ours", "--parts", "floor", "classes", "--submissions", "2", "--runs", "1"]
    files = ["--records", str(tmp_path / "grading.jsonl"), "--page", str(tmp_path / "page.md")]
    assert command.main([*arguments, *files]) == 0
    found = [json.loads(line) for line in (tmp_path / "grading.jsonl").read_text().splitlines()]
    classes = [one for one in found if one["part"] == "class"]
    sizes = [(size, gradebook) for gradebook in (True, False) for size in (2, *larger_sizes(2))]
    assert [(one["submissions"], one["gradebook"]) for one in classes] == sizes
    assert all(one["seconds"] > 0 and one["cpu"] > 0 and one["memory"] > 100 for one in classes)
    (below,) = [one for one in found if one["part"] == "floor"]
    assert all(one["scores"] == below["scores"] for one in classes if one["submissions"] == 2)
    assert below["scores"]["s01"] == FULL
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "floor: 6 of 6 items as ours." in text
    before = len(found)
    assert command.main([*arguments, *files]) == 0
    assert "known" in capsys.readouterr().out
    assert len((tmp_path / "grading.jsonl").read_text().splitlines()) == before + 1  # what the machine is
