"""The comparison with other graders: its page and runs, the tests in their form, and no run without a container."""

from __future__ import annotations

import contextlib
import doctest
import subprocess
import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.course.cell_selection import NOT_RUN
from autograder.course.problem import Problem, load_problem
from autograder.course.variants import variants
from autograder.release.fill import solution_answers
from benchmarks.attacks import __main__ as command
from benchmarks.attacks import container
from benchmarks.attacks.equivalent import grade_id, item_of, nbgrader_source, otter_notebook, otter_tests, stock_tests
from benchmarks.attacks.page import READERS, about, attack_names, entry, page
from benchmarks.attacks.runs import AIM, NOT_APPLICABLE, Run, load, save
from benchmarks.attacks.systems import MARKS, found_in, points_of, read_results
from benchmarks.grading.floor import floor
from benchmarks.grading.submissions import Submission
from tests.attacks.files import ATTACKS, FLAT, HONEST, NOTHING
from tests.attacks.hostile_class import CELLS
from tests.autograder.toy import RIGHT_STANDARDIZE, toy

RUN = Run("nbgrader", "09_input_transformer", 8.0, 8.0, {"ada": 20.0})
READ = replace(RUN, submission="21_own_notebook_read", points=20.0)


def test_every_attack_and_every_honest_student_has_a_row() -> None:
    assert set(attack_names()) == {path.stem for path in CELLS} | set(ATTACKS(toy()))
    rows = [line for line in page({}).splitlines() if line.startswith("| ")]
    labels = [f"| {name.partition('_')[0]} {about(name)}" for name in attack_names()]
    assert all(sum(row.startswith(label) for row in rows) == 1 for label in labels)
    assert all(sum(row.startswith(f"| {about(name)} |") for row in rows) == 1 for name in HONEST)
    assert set(AIM) | set(NOT_APPLICABLE) <= set(attack_names())
    assert all(any(name.startswith(number) for name in attack_names()) for number in READERS)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (RUN, "8"),
        (READ, "**20**, secret read"),
        (replace(READ, points=8.0), "8"),
        (replace(RUN, points=None, stopped="time", processes_left=1), "*no result*, time limit"),
        (replace(RUN, neighbours={"ada": 20.0, "zoe": None}), "8, neighbour without result"),
        (replace(RUN, neighbours={"ada": 10.0}), "8, neighbour's points changed"),
        (replace(RUN, changed=["x"], connections=1), "8, files changed, network reached"),
        (replace(RUN, planted={"p": "/x/bin/otter run"}), "8, ran in the grader, files changed"),
    ],
)
def test_the_entry_and_the_sums_of_a_run_are_right(run: Run, expected: str) -> None:
    assert entry(run) == expected
    rows = page({("nbgrader", run.submission): run}).splitlines()
    sums = dict(row[2:].split(" | ", 1) for row in rows if " | " in row)
    assert sums["attacks run"] == "0 | 1 | 0 |"
    assert sums["attacks with undeserved points"] == f"0 | {int('**' in expected)} | 0 |"
    assert sums["attacks that read a secret"] == f"0 | {int('secret' in expected)} | 0 |"
    assert sums["attackers who lost the points of the other question"] == f"0 | {int('*no' in expected)} | 0 |"
    lost = int("without" in expected)
    assert sums["attacks after which a neighbour had no result"] == f"0 | {lost} | one submission at a time |"


def test_the_page_can_be_written_from_earlier_runs_alone(tmp_path: Path) -> None:
    runs = {("nbgrader", run.submission): run for run in (RUN, READ)}
    save(tmp_path / "cache" / "runs.json", runs)
    assert load(tmp_path / "cache" / "runs.json") == runs
    files = ["--runs", str(tmp_path / "cache" / "runs.json"), "--page", str(tmp_path / "page.md")]
    assert command.main(["--render", *files]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page(runs)


def test_without_bubblewrap_no_student_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("something was run"))
    assert command.main(["--page", str(tmp_path / "page.md")]) == 1
    assert "apt-get install bubblewrap" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
    with pytest.raises(container.ContainerError, match="unprotected"):
        container.run(tmp_path, tmp_path, tmp_path, [])


def test_the_container_shares_no_namespace_and_no_writable_folder(tmp_path: Path) -> None:
    options = container._options(tmp_path / "env", tmp_path / "base", tmp_path / "submission", tmp_path / "shadow")
    assert {"--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--clearenv", "--as-pid-1"} < {
        *options
    }
    assert "--unshare-user" in options or options[options.index("--cap-drop") + 1] == "ALL"
    assert "--bind" not in options and "/home" not in options and "/" not in options
    sizes = [int(options[i + 1]) for i, option in enumerate(options) if option == "--size"]
    assert len(sizes) == options.count("--tmpfs") and max(sizes) <= container.DISK


def stock_points(problem: Problem, answers: Mapping[str, str], whole: bool) -> list[dict[str, list[float]]]:
    """Item → points of each part, by nbgrader's test cells and by otter's cases, run in this process."""
    cells = [cell for cell in nbgrader_source(problem, whole=whole).cells if cell.cell_type == "code"]
    module = types.ModuleType("a_stock_notebook")
    found: list[dict[str, list[float]]] = [{}, {}]
    items = [item.id for item in problem.items]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMEWORK_PROFILE", "grade")
        patch.setitem(sys.modules, module.__name__, module)
        for cell in cells[: 1 + max(n for n, one in enumerate(cells) if grade_id(one).startswith("test_"))]:
            name = grade_id(cell)
            if name.startswith("test_"):
                points = found[0].setdefault(item_of(name, items), [])
                points.append(0.0)
                with contextlib.suppress(Exception):
                    exec(cell.source, module.__dict__)
                    points[-1] = cell.metadata["nbgrader"]["points"]
            elif not (name.startswith("figure_") or NOT_RUN & set(cell.metadata.get("tags", ()))):
                exec(answers.get(name, cell.source), module.__dict__)
        for text in otter_tests(problem).values():
            file: dict[str, Any] = {}
            exec(text, file)
            for case in file["test"]["suites"][0]["cases"]:
                test = doctest.DocTestParser().get_doctest(case["code"], module.__dict__, "case", None, 0)
                failed = doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed
                if case["points"]:
                    found[1].setdefault(file["test"]["name"], []).append(0.0 if failed else case["points"])
    return found


@pytest.mark.parametrize(
    ("answer", "expected"), [("", [8, 4]), (RIGHT_STANDARDIZE, [8, 4]), (FLAT, [8, 0]), (NOTHING, [0, 0])]
)
def test_stock_tests_of_the_toy_pass_right_answers_only(answer: str, expected: list[float]) -> None:
    answers = {"standardize": answer} if answer else {}
    assert stock_points(toy(), answers, whole=False) == [{"standardize": expected, "Line": [8]}] * 2


@pytest.mark.parametrize(
    ("variant", "lost", "elsewhere"),
    [
        ("", 0.0, {}),
        # elsewhere what draws its samples with it is wrong, too
        (
            "wrong/sample_gaussian/noise_shared_by_latents",
            0.75,
            {"negative_elbo_bound": -1.0, "importance_weighted_bound": -1.0},
        ),
        # elsewhere each part is a cell, and here the data type is right; what builds on a wrong function is wrong
        ("wrong/kl_standard_normal/half_missing", 4.0, {"kl_standard_normal": 0.25, "negative_elbo_bound": -5.5}),
        ("wrong/negative_elbo_bound/noise_shared_by_batch", 1.0, {}),
    ],
)
def test_stock_tests_and_the_floor_give_the_deserved_points(
    root: Path, variant: str, lost: float, elsewhere: dict[str, float]
) -> None:
    problem, item = load_problem("vae", root), variant.split("/")[1] if variant else ""
    answers = solution_answers(problem)
    if variant:
        (answers[item],) = (one.source for one in variants(problem, "wrong") if one.name == variant)
    full = {one.id: one.points for one in problem.items if one.kind == "code"}
    deserved = {name: points - (lost if name == item else 0.0) for name, points in full.items()}
    for stock in stock_points(problem, answers, whole=True):
        expected = {name: points + elsewhere.get(name, 0.0) for name, points in deserved.items()}
        assert {name: sum(parts) for name, parts in stock.items()} == pytest.approx(expected)
    assert floor(problem, Submission("ada", variant, answers, 1)).scores == deserved


def test_hidden_tests_are_hidden_and_otters_notebook_checks_each_item_once() -> None:
    for item in toy().items:
        if item.test is not None:
            (_, _, visible), hidden = stock_tests(toy(), item)
            assert not found_in(visible) and all(found_in(source) for _, _, source in hidden), MARKS
    sources = [cell.source for cell in otter_notebook(nbgrader_source(toy())).cells]
    assert sources[0].startswith("import otter") and not found_in("\n".join(sources))
    checks = [text for text in sources if "grader.check" in text]
    assert checks == ['grader.check("standardize")', 'grader.check("Line")']
    assert item_of("test_a_b_part", ["a", "a_b", "a_bc"]) == "a_b"


def test_points_are_read_as_nbgrader_and_otter_count_them() -> None:
    rows: list[list[Any]] = [["ada", "test_a", 8.0, None], ["ada", "test_b", 4.0, 99.0], ["ada", "written", None, 9.0]]
    rows.append(["bob", "test_a", None, None])
    assert [points_of(rows, student) for student in ("ada", "bob", "eve")] == [107.0, None, None]
    text = '{"tests": [{"name": "Public", "output": "seen"}, {"score": 4, "output": "hid", "visibility": "hidden"}]}'
    assert read_results(text) == (4.0, "seen")
    assert read_results("") == read_results("{}") == (None, "")
