"""The comparison with other graders: its page and records, the stock form of the tests, its refusal to run bare."""

from __future__ import annotations

import dataclasses
import doctest
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.attacks import __main__ as command
from benchmarks.attacks import container
from benchmarks.attacks.container import ContainerError, Job
from benchmarks.attacks.equivalent import MARKS, nbgrader_source, otter_notebook, otter_tests, stock_tests
from benchmarks.attacks.records import Records, Run
from benchmarks.attacks.stock_nbgrader import ended_by, found_in, points_of
from benchmarks.attacks.stock_otter import NOT_APPLICABLE, read_results
from benchmarks.attacks.submissions import AIM, READERS, about, attack_names, honest_names
from benchmarks.attacks.table import entry, page
from tests.attacks.files import ATTACKS, HONEST
from tests.attacks.hostile_class import CELLS
from tests.autograder.toy import RIGHT_STANDARDIZE, STANDARDIZE, toy

FLAT = f"{STANDARDIZE}    return (x - x.mean(0).detach()) / torch.sqrt(x.var(0, unbiased=False) + eps)"


@pytest.fixture
def run() -> Run:
    """An attack that got what it deserved."""
    return Run("nbgrader", "09_input_transformer", "abc", 8.0, 8.0, 20.0, 5.0, {"ada": 20.0}, when="2026-11-21")


def test_every_attack_and_every_honest_student_has_a_row() -> None:
    suite = {path.stem for path in CELLS} | set(ATTACKS(toy()))
    assert set(attack_names()) == suite and set(honest_names()) == set(HONEST)
    rows = [line for line in page({}).splitlines() if line.startswith("| ")]
    for name in suite:
        assert sum(row.startswith(f"| {name.partition('_')[0]} {about(name)}") for row in rows) == 1, name
    for name in HONEST:
        assert sum(row.startswith(f"| {about(name)} |") for row in rows) == 1, name


def test_what_is_said_about_attacks_names_attacks_that_there_are() -> None:
    assert set(AIM) | set(NOT_APPLICABLE) <= set(attack_names())
    assert all(any(name.startswith(number) for name in attack_names()) for number in READERS)


def test_an_entry_says_what_a_run_gave(run: Run) -> None:
    def said(**changes: Any) -> str:
        return entry(dataclasses.replace(run, **changes))

    assert said() == "8"
    assert said(points=20.0) == "**20**"
    assert said(points=None, stopped="time") == "*no result*, time limit"
    assert said(submission="21_own_notebook_read", points=20.0) == "**20**, secret read"
    assert said(submission="21_own_notebook_read") == "8"
    assert said(neighbours={"ada": 20.0, "zoe": None}) == "8, neighbour without result"
    assert said(neighbours={"ada": 10.0}) == "8, neighbour's points changed"
    assert said(changed=("x",), processes_left=2, connections=1) == "8, files changed, network reached, processes left"
    assert "ran in the grader" in said(planted={"pwned": "/x/bin/otter run toy.ipynb"})
    assert "ran in the grader" not in said(planted={"pwned": ""})
    assert entry(None) == "not run" and entry(None, "no such thing") == "not applicable: no such thing"


def test_the_sums_are_those_of_the_runs(run: Run) -> None:
    runs = [
        dataclasses.replace(run, points=20.0),
        dataclasses.replace(run, submission="38_grader_killed", points=None, neighbours={"zoe": None}),
        dataclasses.replace(run, submission="21_own_notebook_read", points=16.0),
        dataclasses.replace(run, submission="honest_noisy", deserved=20.0),
        dataclasses.replace(run, system="otter", submission="02_tensor_that_agrees"),
    ]
    text = page({(one.system, one.submission): one for one in runs})
    sums = dict(line[2:].split(" | ", 1) for line in text.splitlines() if line.startswith("| ") and " | " in line[2:])
    assert sums["attacks run"] == "0 | 3 | 1 |"
    assert sums["attacks with undeserved points"] == "0 | 2 | 0 |"
    assert sums["… of these, full marks for everything"] == "0 | 1 | 0 |"
    assert sums["attacks that read a secret"] == "0 | 1 | 0 |"
    assert sums["attacks after which a neighbour had no result"] == "0 | 1 | one submission at a time |"
    assert sums["… of these, without any result"] == "0 | 1 | 0 |"
    assert sums["honest students who lost points, of 12"] == "0 | 1 | 0 |"


def test_runs_are_kept_and_not_repeated(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "runs.jsonl"
    records = Records(path)
    assert not records.done("nbgrader", run.submission, "abc")
    records.add(run)
    later = dataclasses.replace(run, points=20.0, changed=("a", "b"), planted={"x": "y"}, digest="def")
    records.add(later)
    again = Records(path)
    assert again.of(["nbgrader"]) == {("nbgrader", run.submission): later}
    assert again.of(["otter"]) == {}
    assert again.done("nbgrader", run.submission, "def") and not again.done("nbgrader", run.submission, "abc")


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("something was run"))
    yield


@pytest.mark.usefixtures("no_bubblewrap")
def test_without_bubblewrap_nothing_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--page", str(tmp_path / "page.md")]) == 1
    assert "apt-get install bubblewrap" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
    with pytest.raises(ContainerError, match="unprotected"):
        container.run(Job(tmp_path, tmp_path, tmp_path, []))


def test_the_page_can_be_written_from_earlier_runs_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Records(tmp_path / "runs.jsonl").add(run)
    monkeypatch.setattr(command, "RECORDS", tmp_path / "runs.jsonl")
    monkeypatch.setattr(command, "_run_system", lambda *args: pytest.fail("something was run"))
    assert command.main(["--render", "--page", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page({("nbgrader", run.submission): run})


def test_the_container_shares_nothing_and_shows_only_what_it_must(tmp_path: Path) -> None:
    job = Job(tmp_path / "env", tmp_path / "base", tmp_path / "submission", [])
    options = container._walls(job, tmp_path / "shadow")
    for wall in ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--clearenv", "--as-pid-1"):
        assert wall in options
    assert "--unshare-user" in options or options[options.index("--cap-drop") + 1] == "ALL"
    assert "--bind" not in options and "/home" not in options and "/" not in options
    sizes = [int(options[i + 1]) for i, option in enumerate(options) if option == "--size"]
    assert len(sizes) == options.count("--tmpfs") and max(sizes) <= container.DISK


def test_the_stock_tests_are_the_courses_own(tmp_path: Path) -> None:
    problem = toy()
    both = [stock_tests(problem, item) for item in problem.items if item.test is not None]
    assert [[(part.name, part.points) for part in tests.hidden] for tests in both] == [
        [("values", 8.0), ("gradient", 4.0)],
        [("all", 8.0)],
    ]
    for tests in both:
        assert not any(mark in tests.visible for mark in MARKS)
        assert all(any(mark in part.source for mark in MARKS) for part in tests.hidden)


def nbgrader_scores(**answers: str) -> dict[str, bool]:
    """By graded cell, whether it runs through, as in a kernel that runs one cell after the other."""
    names: dict[str, Any] = {"__name__": "__main__"}
    passed = {}
    for cell in nbgrader_source(toy()).cells:
        if cell.cell_type != "code":
            continue
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        try:
            exec(answers.get(grade_id, cell.source), names)
        except Exception:
            passed[grade_id] = False
        else:
            passed[grade_id] = True
    return {name: right for name, right in passed.items() if name.startswith("test_")}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, (True, True, True)),
        ({"standardize": RIGHT_STANDARDIZE}, (True, True, True)),
        ({"standardize": FLAT}, (True, False, True)),
        ({"standardize": f"{STANDARDIZE}    return torch.zeros_like(x)"}, (False, False, True)),
    ],
)
def test_stock_tests_pass_right_answers_and_no_others(
    answers: dict[str, str], expected: tuple[bool, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tuple(nbgrader_scores(**answers).values()) == expected
    assert tuple(doctest_scores(**answers)) == expected


def doctest_scores(**answers: str) -> list[bool]:
    """By hidden case, whether otter's doctest finds nothing to complain about."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in nbgrader_source(toy()).cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code" and not grade_id.startswith("test_"):
            exec(answers.get(grade_id, cell.source), names)
    passed = []
    for text in otter_tests(toy()).values():
        file: dict[str, Any] = {}
        exec(text, file)
        for case in file["test"]["suites"][0]["cases"]:
            test = doctest.DocTestParser().get_doctest(case["code"], names, "case", None, 0)
            failed = doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None, clear_globs=False).failed
            names.update(test.globs)
            if case["hidden"]:
                assert case["points"] > 0
                passed.append(failed == 0)
    return passed


def test_the_notebook_for_otter_asks_its_checker() -> None:
    sources = [cell.source for cell in otter_notebook(nbgrader_source(toy())).cells]
    assert sources[0].startswith("import otter") and 'grader.check("standardize")' in sources
    assert sources.count('grader.check("Line")') == 1


def test_points_are_read_as_nbgrader_counts_them() -> None:
    rows: list[list[Any]] = [
        ["ada", "test_a", 8.0, None],
        ["ada", "test_b", 4.0, 99.0],
        ["ada", "written_c", None, 99.0],
        ["bob", "test_a", None, None],
    ]
    assert points_of(rows, "ada") == 107.0
    assert points_of(rows, "bob") is None and points_of(rows, "eve") is None


def test_points_are_read_from_otters_results() -> None:
    text = '{"tests": [{"name": "Public", "output": "seen"}, {"score": 4, "output": "hid", "visibility": "hidden"}]}'
    assert read_results(text) == (4.0, "seen")
    assert read_results("") == read_results("{}") == (None, "")


def test_what_ended_a_run_and_what_a_page_shows() -> None:
    assert ended_by({"status": 0, "killed_for_memory": 0}) == ""
    assert ended_by({"status": None, "killed_for_memory": 0}) == "time"
    assert ended_by({"status": -9, "killed_for_memory": 0}) == "signal"
    assert ended_by({"status": 0, "killed_for_memory": 1}) == "memory"
    assert found_in("nothing") == []
    assert found_in("<script>document.title = 'taken over'</script> hidden_x") == ["hidden tests", "script"]
