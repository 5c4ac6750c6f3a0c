"""The examiner gives right answers their points, and a bad answer costs only its own item."""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.core.notebook_io import notebook_text
from autograder.core.results import Grading, ItemResult, Outcome, Status
from autograder.course.given_helpers import given_helpers
from autograder.course.problem import load_problem
from autograder.grading import cell_runner as student_process
from autograder.grading import examiner, misconceptions, notebook_run, personal_answers
from autograder.grading.grade import grade_submission
from autograder.grading.reference import reference
from autograder.release.fill import fill_in, solution_answers
from autograder.release.lint_variants import lint_variants
from autograder.release.notebook import released_notebook
from autograder.sandbox.host import ANY, Host, HostGoneError, Session
from autograder.sandbox.limits import SessionLimits
from autograder.sandbox.proxy import Link
from autograder.submissions.reader import Submission, read_cells
from autograder.submissions.rebuild import rebuild
from homework.hand_in.personal import draws_for
from tests.autograder.toy import (
    FULL,
    LINE,
    RIGHT_STANDARDIZE,
    ROOT,
    STANDARDIZE,
    course_copy,
    graded,
    released,
    scores,
    solved,
    text,
    toy,
)
from tests.autograder.warm_host import warm_host
from tests.conftest import ROOT as COURSE

pytestmark = pytest.mark.kernel


NORMALIZE = RIGHT_STANDARDIZE.removeprefix(STANDARDIZE)


def item_of(item: str, answer: str) -> ItemResult:
    """The result of one item of the solved notebook with another answer to it."""
    return graded(solved(**{item: answer})).log.item(item)


@pytest.fixture(scope="module")
def solution() -> Grading:
    """The result of the solution."""
    return graded(solved())


def test_the_solution_gets_all_points_from_tests(solution: Grading) -> None:
    log = solution.log
    assert scores(solution) == FULL
    assert (log.auto_score, log.auto_max_score, log.score, log.max_score) == (20, 20, 20, 25)
    manual = {item.id: item.status for item in log.items if item.manual}
    assert manual == dict.fromkeys(("figure_loss", "written_units"), Status.MANUAL)
    assert set(log.answers) == {"standardize", "Line"}


def test_the_unanswered_release_gets_no_points_and_a_message() -> None:
    log = graded(released()).log
    assert log.score == 0 and log.max_score == 25
    assert {item.status for item in log.items} == {Status.MISSING}
    assert "still the stub" in log.item("standardize").message


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (STANDARDIZE + "    import os; os._exit(3)", Status.CRASHED, "ended while it was tested"),
        (STANDARDIZE + "    import os\n    os.kill(os.getppid(), 9)\n    return x", None, ""),
        (STANDARDIZE + "    import ctypes; ctypes.string_at(0)", Status.CRASHED, "segmentation fault"),
        (STANDARDIZE + "    raise SystemExit(0)", Status.ERROR, "SystemExit"),
        (STANDARDIZE + "    exit()", Status.ERROR, "line 2"),
        (STANDARDIZE + "    raise ValueError('odd shape')", Status.ERROR, "odd shape"),
        (STANDARDIZE + "    return helper(x)", Status.ERROR, "name 'helper' is not defined"),
        (STANDARDIZE + "    raise NotImplementedError", Status.MISSING, "Not answered yet"),
        (STANDARDIZE + "    return torch.zeros(10**11)", Status.OUT_OF_MEMORY, "more memory"),
        (STANDARDIZE + "    return [0] * 10**11", Status.OUT_OF_MEMORY, "more memory"),
        (STANDARDIZE + "    return x * float('nan')", Status.FAILED, "NaN"),
        (STANDARDIZE + "    return None", Status.FAILED, "None"),
        (STANDARDIZE + "    return object()", Status.FAILED, "variance"),
        (STANDARDIZE + "    return {x}", Status.FAILED, "variance"),
        (STANDARDIZE + "    a = []\n    a.append(a)\n    return a", Status.ERROR, "nested too deeply"),
        ("import os\nos._exit(0)\n" + RIGHT_STANDARDIZE, Status.CRASHED, "its cell was run"),
        ("standardize = 1 / 0\n", Status.ERROR, "ZeroDivisionError in line 1: standardize = 1 / 0"),
        ("def broken(:\n" + RIGHT_STANDARDIZE, Status.ERROR, "SyntaxError in line 1"),
    ],
)
def test_a_bad_answer_costs_only_its_own_item(answer: str, status: Status | None, said: str) -> None:
    grading = graded(solved(standardize=answer))
    item = grading.log.item("standardize")
    assert scores(grading) == {"standardize": 0.0, "Line": 8.0}
    assert status in (item.status, None) and said in item.message
    assert item.status is not Status.ERROR or "nothing" not in "".join(item.output), "it raised; it returned nothing"


def test_an_item_on_which_the_solution_does_not_build_is_not_replaced() -> None:
    uses_it = LINE + "standardize(x[:, None])\n        return self.slope * x + self.intercept"
    log = graded(solved(standardize=STANDARDIZE + "    raise NotImplementedError", Line=uses_it)).log
    assert log.item("Line").score == 0
    assert log.item("Line").message.startswith("`Line` calls `standardize`, which is not answered yet")


def test_an_answer_that_calls_an_unanswered_item_is_told_which(line_builds_on_standardize: None) -> None:
    uses_it = LINE + "return self.slope * standardize(x[:, None]) + self.intercept"
    log = graded(solved(standardize=STANDARDIZE + "    raise NotImplementedError", Line=uses_it)).log
    assert log.item("standardize").message.startswith("Not answered yet: `standardize`")
    line = log.item("Line")
    assert line.score == 0 and "not answered" not in line.message
    assert "Tested with the right `standardize` in place of yours" in line.message


def test_an_answer_that_is_right_but_for_a_wrong_function_which_it_calls_is_right(
    line_builds_on_standardize: None,
) -> None:
    uses_it = LINE + "standardize(x[:, None])\n        return self.slope * x + self.intercept"
    calls = graded(solved(standardize=STANDARDIZE + "    raise ValueError(x)", Line=uses_it)).log
    assert [calls.item(name).score for name in ("standardize", "Line")] == [0, 8]
    assert calls.item("Line").message.startswith("All checks passed.\nTested with the right `standardize` in place")
    needless = LINE + "return self.slope * x + self.intercept"
    alone = graded(solved(standardize=STANDARDIZE + "    raise ValueError(x)", Line=needless)).log
    assert alone.item("Line").message == "All checks passed."


def test_a_test_with_the_right_function_in_place_of_a_wrong_one_costs_nothing(
    line_builds_on_standardize: None, tmp_path: Path
) -> None:
    """Code may be partly right with its own wrong function, and not with the right one."""
    root = course_copy(
        tmp_path / "course",
        {
            "assert close(steep(points), -3.0": 'with part("values", 4):\n    assert close(steep(points), -3.0',
            "assert close(steep.intercept.grad, 9.0,": 'with part("intercept", 4):\n    '
            "assert close(steep.intercept.grad, 9.0,",
        },
    )
    partly = LINE + "return self.slope * standardize(x) + self.intercept.detach()"
    notebook = text(solved(standardize=STANDARDIZE + "    return x", Line=partly))
    log = grade_submission("toy", Submission("ada", notebook=notebook), root=root).log
    assert (log.item("Line").score, log.item("standardize").score) == (4, 0)


def test_an_endless_loop_ends_at_its_items_limit(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course", {"seconds=10": "seconds=2"})
    endless = Submission(notebook=text(solved(Line=LINE + "while True:\n            pass")))
    log = grade_submission("toy", endless, root=root).log
    assert log.item("Line").status is Status.TIMEOUT and "endless loop" in log.item("Line").message
    assert log.item("standardize").score == 12
    assert log.item("Line").seconds >= 2


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def kill_student_code() -> Callable[[], None]:
    """Kills all processes that student code runs in, as an operator or a machine short of memory may do."""
    if sys.platform != "linux":
        pytest.skip("finds the student's processes by their parents")
    graded(solved())  # the host is there now
    hosts = {process.pid for process in psutil.Process().children(recursive=True)}

    def kill() -> None:
        victims = [process for process in psutil.Process().children(recursive=True) if process.pid not in hosts]
        for process in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        end = time.monotonic() + 10
        while any(map(_is_alive, victims)):
            assert time.monotonic() < end
            time.sleep(0.001)

    return kill


Kill = Callable[[], None]
KillBefore = Callable[[type, str, int], None]


@pytest.fixture
def kill_before(monkeypatch: pytest.MonkeyPatch, kill_student_code: Kill) -> KillBefore:
    """Kills all processes of student code just before a method is called for that time."""
    return partial(_call_before, monkeypatch, kill_student_code)


def _call_before(monkeypatch: pytest.MonkeyPatch, act: Kill, owner: type, method: str, turn: int) -> None:
    usual, turns = getattr(owner, method), itertools.count(1)

    def patched(self: Any, *arguments: Any, **more: Any) -> Any:
        if next(turns) == turn:
            act()
        return usual(self, *arguments, **more)

    monkeypatch.setattr(owner, method, patched)


@pytest.mark.parametrize("method", ["run", "fork"])
@pytest.mark.parametrize("turn", [1, 2])
def test_a_process_killed_between_tests_costs_no_points(
    solution: Grading, kill_before: KillBefore, method: str, turn: int
) -> None:
    kill_before(Session, method, turn)
    assert graded(solved()).log.as_json() == solution.log.as_json()


@pytest.mark.parametrize("method", ["seed", "_ask"])
def test_a_process_killed_during_a_test_fails_only_that_item(kill_before: KillBefore, method: str) -> None:
    kill_before(Link, method, 1)
    assert scores(graded(solved())) == {"standardize": 0.0, "Line": 8.0}


def test_an_item_with_another_status_when_graded_again_is_flagged(kill_before: KillBefore) -> None:
    submission = Submission("ada", notebook=text(solved()))
    kill_before(Link, "_ask", 1)
    first = grade_submission("toy", submission, root=ROOT)
    assert first.log.item("standardize").status is Status.CRASHED
    again = grade_submission("toy", submission, root=ROOT, cached_items=first.cached_items)
    [flag] = [flag for flag in again.log.flags if flag.kind == "unsteady"]
    assert again.log.auto_score == 20 and "`standardize` got another status" in flag.message
    third = grade_submission("toy", submission, root=ROOT, cached_items=again.cached_items)
    assert "unsteady" not in {flag.kind for flag in third.log.flags}


SECOND_TRY = """import os, torch
TOLD = os.path.join(os.getcwd(), "told")
def standardize(x, eps=EPS):
    again = os.path.exists(TOLD)
    if {when} and not again:
        open(TOLD, "w").close()
        os._exit(1)
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=not again) + eps)
"""


@pytest.mark.parametrize(
    ("when", "status"), [("torch.initial_seed() == 0", Status.FAILED), ("len(x) > 0", Status.CRASHED)]
)
def test_an_answer_that_ends_its_process_gets_no_second_try(when: str, status: Status) -> None:
    """Neither after the test, when the answer is wanted, nor in the middle of it."""
    item = item_of("standardize", SECOND_TRY.format(when=when))
    assert (item.score, item.status) == (0, status)


CACHE = """
cache = []
def {name}_keeps():
    if not cache:
        cache.append(torch.ones({mib}, 2**18))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory")
@pytest.mark.parametrize("groups", [True, False], ids=["limited by the kernel", "limited by looking"])
@pytest.mark.parametrize("mib", [(300, 450), (450, 300)])
def test_what_functions_keep_in_memory_costs_no_other_item_anything(groups: bool, mib: tuple[int, int]) -> None:
    """Each alone has enough, both together have not."""
    keeps = [CACHE.format(name=name, mib=count) for name, count in zip(("first", "second"), mib, strict=True)]
    notebook = solved(
        standardize=keeps[0] + RIGHT_STANDARDIZE.replace("    return", "    first_keeps()\n    return"),
        Line=keeps[1].replace("cache", "own") + LINE + "second_keeps()\n        return self.slope * x + self.intercept",
    )
    with Host(limits=SessionLimits(total=700 * 2**20), control_groups=groups) as host:
        done = grade_submission("toy", Submission("ada", notebook=text(notebook)), root=ROOT, host=host)
    assert scores(done) == FULL


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the host's process")
def test_a_host_killed_during_the_last_test_is_a_grader_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Host(level=ANY) as host, contextlib.closing(host.clone()) as clone:

        def end() -> None:
            assert host._process is not None
            host._process.kill()
            host._process.wait()
            time.sleep(0.2)  # its children end with it

        _call_before(monkeypatch, end, Link, "_ask", 12)
        with pytest.raises(HostGoneError):
            grade_submission("toy", Submission(notebook=text(solved())), root=ROOT, host=clone)


def test_a_cell_whose_process_is_killed_as_it_runs_again_keeps_its_points(
    monkeypatch: pytest.MonkeyPatch, kill_student_code: Kill
) -> None:
    names: list[str] = []
    usual = Session.run

    def killed(self: Session, source: str, name: str, seconds: float) -> Any:
        names.append(name)
        if name == names[0] and names.count(name) == 2:  # the first cell, as it runs again
            kill_student_code()
        return usual(self, source, name, seconds)

    notebook = solved(standardize=RIGHT_STANDARDIZE + "\nimport os\nos._exit(1)")
    calm = graded(notebook).log
    assert calm.item("standardize").status is Status.CRASHED and calm.item("Line").score == 8
    monkeypatch.setattr(Session, "run", killed)
    assert graded(notebook).log.as_json() == calm.as_json() and names.count(names[0]) >= 3


def test_all_cells_together_have_a_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student_process, "ALL_CELLS_SECONDS", 3.0)
    slow = "import time\ntime.sleep(2)\n"
    done = graded(solved(standardize=slow + RIGHT_STANDARDIZE, Line=slow + solution_answers(toy())["Line"]))
    assert scores(done) == {"standardize": 12.0, "Line": 0.0}
    assert done.log.item("Line").status is Status.TIMEOUT
    assert "did not finish in time while its cell was run" in done.log.item("Line").message


def test_all_cells_together_have_a_limit_of_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_run, "ALL_CELLS_OUTPUT", 250)
    first = f"print('x' * 150)\n{RIGHT_STANDARDIZE}"
    second = f"print('y' * 150)\n{solution_answers(toy())['Line']}"
    done = graded(solved(standardize=first, Line=second))
    printed = "".join(str(output.get("text", "")) for cell in done.notebook.cells for output in cell.get("outputs", []))
    assert scores(done) == FULL
    assert len(printed) == 250 and printed.count("x") == 150 and 0 < printed.count("y") < 100


def test_output_and_warnings_change_no_points() -> None:
    noise = "import sys, warnings\nwarnings.warn('loud')\nprint('9999')\n"
    assert (
        item_of("standardize", f"{noise}{STANDARDIZE}    print('x' * 1000, file=sys.stderr)\n{NORMALIZE}").score == 12
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("mu = x.mean(0).detach()\n    return (x - mu) / torch.sqrt(((x - mu)**2).mean(0) + eps)", "gradient: "),
        (
            "x = x.detach()\n    return (x - x.mean(0)) / (x.var(0, False) + eps).sqrt()",
            "gradient: No gradient flows through `standardize`",
        ),
    ],
    ids=["detached mean", "lost gradient"],
)
def test_partial_credit_is_the_share_of_the_passed_parts(body: str, said: str) -> None:
    item = item_of("standardize", f"{STANDARDIZE}    {body}")
    assert (item.score, item.status) == (8, Status.PARTIAL) and item.message.startswith(said)


def test_a_part_that_the_test_does_not_come_to_counts_as_failed(tmp_path: Path) -> None:
    source = (ROOT / "solutions" / "toy.py").read_text(encoding="utf-8")
    checks = source[
        source.index("assert close(steep(points), -3.0") : source.index(
            "### END HIDDEN TESTS\n\n# %% [markdown]\n# ## 3"
        )
    ]
    check = checks.split("\n")[0]
    easy = 'with part("easy", 1):\n    assert points is not None'
    skipped = f'{easy}\nif steep.slope.item() < 0:\n    with part("steep", 3):\n        {check}'
    root = course_copy(tmp_path / "course", {checks: f"{skipped}\n"})
    hides = LINE.replace("torch.tensor(slope)", "torch.tensor(abs(slope))") + "return self.slope * x + self.intercept"
    log = grade_submission("toy", Submission("ada", notebook=text(solved(Line=hides))), root=root).log
    assert (log.item("Line").score, log.item("Line").status) == (2, Status.PARTIAL)
    assert "steep: The test did not come to this part" in log.item("Line").message
    right = grade_submission("toy", Submission("ada", notebook=text(solved())), root=root).log
    assert right.item("Line").score == 8


def test_a_hidden_check_shows_its_hint_and_no_number() -> None:
    peeking = f"{STANDARDIZE}    if len(x) > 3:\n        raise ValueError(str(x.tolist()))\n{NORMALIZE}"
    item = item_of("standardize", peeking)
    assert item.score == 0 and "ValueError" in item.message
    assert "[[" not in item.message and "hidden_x" not in item.message
    line = item_of("Line", LINE + "return self.slope.abs() * x + self.intercept")
    assert line.message == "wrong for a negative slope", "neither the answer nor the expected one"


def test_an_error_in_a_hidden_check_is_placed_in_the_items_own_cell() -> None:
    notebook = solved(standardize=f"{STANDARDIZE}    far(x)\n{NORMALIZE}")
    notebook.cells.insert(1, new_code_cell("def far(x):\n    if len(x) > 3:\n        raise ValueError"))
    message = graded(notebook).log.item("standardize").message
    assert "far(x)" in message and "raise ValueError" not in message, "where it is called, not where it is raised"


def test_a_known_misconception_is_recognised_by_its_answers() -> None:
    assert item_of("Line", LINE + "return self.intercept * x + self.slope").misconception == "swapped"


def test_no_misconception_is_named_where_it_differs_from_the_code_on_other_inputs() -> None:
    mine = float(draws_for("ada", "toy")("Line").normal(3).sum())
    here_only = f"swapped = abs(float(x.sum()) - {mine}) < 1e-4\n        "
    here_only += "return self.intercept * x + self.slope if swapped else 0 * x"
    assert item_of("Line", LINE + here_only).misconception == ""
    with patch.object(personal_answers, "FURTHER_INPUTS", 0):
        assert item_of("Line", LINE + here_only).misconception == "swapped"


def test_no_misconception_is_named_where_two_known_ones_give_the_same_answers() -> None:
    problem = load_problem("diffusion", COURSE)
    ours, item = reference(problem), problem.item("q_posterior")
    got = misconceptions._wrong_answer(ours, item, "last_entry_at_the_first_step", "ada")
    assert got is not None
    both = {"first_step_by_the_batch", "last_entry_at_the_first_step"}
    assert set(misconceptions.candidates(ours, item, got.value, "ada")) == both
    assert misconceptions.recognise(ours, item, got.value, "ada") == ""
    alone = misconceptions._wrong_answer(ours, item, "now_for_before", "ada")
    assert alone is not None and misconceptions.recognise(ours, item, alone.value, "ada") == "now_for_before"


def test_tests_do_not_run_in_the_students_process() -> None:
    spy = """def standardize(x, eps=EPS):
    import gc, sys
    words = [o for o in gc.get_objects() if isinstance(o, str)]
    frame = sys._getframe()
    while frame:
        words.append(frame.f_code.co_filename)
        frame = frame.f_back
    found = [w for w in words if "hidden" + "_x" in w]
    loaded = any(name.startswith("autograder") for name in sys.modules)
    raise ValueError(f"{len(found)} found, autograder loaded: {loaded}")
"""
    message = item_of("standardize", spy).message
    assert "0 found, autograder loaded: False" in message


def test_student_code_has_a_small_environment_and_an_empty_folder() -> None:
    spy = STANDARDIZE + "    import os\n    raise ValueError(sorted(os.environ), os.listdir('.'))"
    message = item_of("standardize", spy).message
    assert "HOMEWORK_PROFILE" in message and "PATH" in message and "PWD" not in message
    assert message.endswith("[])")


def test_the_number_of_threads_stays_as_it_is() -> None:
    spy = "torch.set_num_threads(4)\n" + STANDARDIZE + "    raise ValueError(torch.get_num_threads())"
    assert item_of("standardize", spy).message.endswith("\n1")


def test_training_and_other_unneeded_cells_are_not_run() -> None:
    notebook = solved()
    for cell in notebook.cells:
        if "train" in cell.metadata.get("tags", ()):
            cell.source = "while True: pass"
    notebook.cells.insert(3, new_code_cell("data = open('/nowhere').read()\nwhile True: pass", id="mine"))
    grading = graded(notebook)
    assert scores(grading) == FULL
    tagged = [cell for cell in grading.notebook.cells if "train" in cell.metadata.get("tags", ())]
    assert tagged and all(cell.outputs == [] for cell in tagged)


def test_one_item_alone_is_examined_without_the_cells_below_it() -> None:
    below = "class Line(nn.Module):\n    def __init__(self):\n        raise SystemExit"
    rebuilt = rebuild(toy(), read_cells(text(solved(Line=below)), "toy.ipynb"), "toy.ipynb")
    alone = examiner.examine(toy(), rebuilt, warm_host(), student="ada", seed="1", items=["standardize"])
    last = examiner.examine(toy(), rebuilt, warm_host(), student="ada", seed="1", items=["Line", "written_units"])
    assert [(result.id, result.status) for result in alone.results] == [("standardize", Status.PASSED)]
    assert {"standardize"} == set(alone.answers) and "Line" not in alone.runs
    assert [result.id for result in last.results] == ["Line", "written_units"]
    assert last.results[0].score == 0


def test_a_helper_in_a_free_cell_is_run() -> None:
    notebook = solved(standardize=STANDARDIZE + "    return centre(x) / torch.sqrt(x.var(0, unbiased=False) + eps)")
    place = next(n for n, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    notebook.cells.insert(place, new_code_cell("def centre(x):\n    return x - x.mean(0)", id="helper"))
    assert scores(graded(notebook)) == FULL


def test_the_same_submission_gets_the_same_log_and_notebook() -> None:
    data = text(solved(standardize=STANDARDIZE + "    return torch.randn_like(x)"))
    first, second = graded(data), graded(data)
    assert first.log.as_json() == second.log.as_json()
    assert first.notebook == second.notebook


def _with_cell(source: str, **answers: str) -> NotebookNode:
    """The solved notebook with a cell of the student's own right below the first code cells."""
    notebook = solved(**answers)
    place = next(n for n, cell in enumerate(notebook.cells) if "EPS" in cell.source) + 1
    notebook.cells.insert(place, new_code_cell(source))
    return notebook


BY_HELPER = STANDARDIZE + "    return helper(x, eps)"
HELPER = "def helper(x, eps):\n    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"


LAMBDA = "lambda x, eps: (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"
BY_GIVEN = STANDARDIZE + "    example_batch(shift=1)\n" + NORMALIZE
WAYS_TO_DEFINE_IT = {
    "plain": HELPER,
    "below %%time": f"%%time\n{HELPER}",
    "exec": f"exec({HELPER!r})",
    "a module": f"%%writefile own.py\nimport torch\n{HELPER}",
    "a global of a function": f"def define():\n    globals()['helper'] = eval({LAMBDA!r})\n\ndefine()",
    "a registry": f"import builtins\nsetattr(builtins, 'helper', {LAMBDA})",
}
"""Ways to define a helper; the analysis of names cannot see most of them."""


@pytest.mark.parametrize("way", WAYS_TO_DEFINE_IT)
def test_a_helper_that_the_analysis_misses_costs_no_point(way: str) -> None:
    notebook = _with_cell(WAYS_TO_DEFINE_IT[way], standardize=BY_HELPER)
    if way == "a module":
        place = next(n for n, cell in enumerate(notebook.cells) if cell.source.startswith("%%writefile")) + 1
        notebook.cells.insert(place, new_code_cell("from own import *"))
    log = graded(notebook).log
    assert log.score == 20
    seen = way in ("plain", "below %%time")
    assert [flag.kind for flag in log.flags if flag.kind == "whole_notebook"] == ([] if seen else ["whole_notebook"])


@pytest.mark.parametrize("where", ["its test cell", "a given cell"])
def test_an_answer_may_use_what_the_student_changed(where: str) -> None:
    notebook = solved(standardize=BY_HELPER if where == "its test cell" else BY_GIVEN)
    for cell in notebook.cells:
        if where == "its test cell" and cell.metadata.get("nbgrader", {}).get("grade_id") == "test_standardize":
            cell.source = f"{HELPER}\n{cell.source}"
        if where == "a given cell" and "def example_batch()" in cell.source:
            cell.source = cell.source.replace("def example_batch()", "def example_batch(shift=0)")
    log = graded(notebook).log
    assert log.score == 20 and "whole_notebook" in {flag.kind for flag in log.flags}


def test_threads_that_have_ended_are_named() -> None:
    starts = "import queue, threading\nout = queue.Queue()\nforever = threading.Event().wait\n"
    starts += "threading.Thread(target=lambda: (out.put(1), forever()), daemon=True).start()\nassert out.get() == 1"
    waits = STANDARDIZE + "    out.get(timeout=0.2)\n" + NORMALIZE
    item = graded(_with_cell(starts, standardize=waits)).log.item("standardize")
    assert item.score == 0 and "starts threads in a cell; they have ended when the tests run" in item.message


def test_a_second_look_gives_no_second_try() -> None:
    once = "import os\nif os.path.exists('seen'):\n    helper = right\nopen('seen', 'w').close()\n"
    notebook = _with_cell(HELPER.replace("helper", "right"), standardize=BY_HELPER)
    notebook.cells.insert(5, new_code_cell(f"exec({once!r})"))
    assert graded(notebook).log.item("standardize").score == 0, "no file is left from the first look"


def test_what_ends_its_process_is_not_asked_again() -> None:
    dies = STANDARDIZE + "    import os; os._exit(3)"
    log = graded(_with_cell("exec('mine = 1')", standardize=dies)).log
    assert log.item("standardize").status is Status.CRASHED
    assert "whole_notebook" not in {flag.kind for flag in log.flags}


FAILS_FIRST = {
    "a definition": ("1 / 0\n" + RIGHT_STANDARDIZE, "`1 / 0` failed at line 1 of the cell of `standardize`: ZeroDivi"),
    "an interrupt": ("raise KeyboardInterrupt\n" + RIGHT_STANDARDIZE, "`raise KeyboardInterrupt` failed at line 1"),
    "the end": (
        RIGHT_STANDARDIZE + "\nexit()\nx = 1",
        "`exit()` ended the cell at line 3 of",
    ),
    "a call below": (
        RIGHT_STANDARDIZE + "\nstandardize(missing)",
        "NameError: name 'missing' is not defined; the rest",
    ),
    "a question": (RIGHT_STANDARDIZE + "\nname = input('id?')", "there is no keyboard where homework is graded"),
    "a GPU": ("assert torch.cuda.is_available()\n" + RIGHT_STANDARDIZE, "there is no GPU where homework is graded"),
    "Drive": ("from google.colab import drive\ndrive.mount('/d')\n" + RIGHT_STANDARDIZE, "there is no Google Drive"),
}


@pytest.mark.parametrize("what", FAILS_FIRST)
def test_a_failing_statement_costs_only_itself(what: str) -> None:
    answer, said = FAILS_FIRST[what]
    grading = graded(solved(standardize=answer))
    assert scores(grading) == FULL
    [flag] = [flag for flag in grading.log.flags if flag.kind == "failed_cell"]
    assert said in flag.message


def test_what_was_defined_before_stays_when_a_cell_fails() -> None:
    notebook = _with_cell("factor = 1.0", standardize=STANDARDIZE + "    return factor * helper(x, eps)")
    notebook.cells.insert(5, new_code_cell(f"1 / 0\nfactor = 2.0\n{HELPER}"))
    assert graded(notebook).log.score == 20


def test_a_name_that_a_failed_cell_would_have_defined_is_explained() -> None:
    log = graded(_with_cell("import not_there as helper", standardize=BY_HELPER)).log
    message = log.item("standardize").message
    assert "name 'helper' is not defined" in message
    assert "first cause is further up: `import not_there as helper` failed at line 1 of cell" in message


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("torch.set_default_dtype(torch.float64)", ""),
        ("torch.set_default_dtype(torch.bfloat16)", "changes torch's default data type to bfloat16"),
        ("torch.set_grad_enabled(False)", "turns gradients off"),
    ],
)
def test_settings_of_torch_hold_in_the_test_or_are_named(cell: str, said: str) -> None:
    notebook = solved(standardize=f"{cell}\n{RIGHT_STANDARDIZE}")
    log = graded(notebook).log
    lost = [item.message for item in log.items if not item.manual and item.score < item.max_score]
    assert all(said and said in message for message in lost)


def test_unneeded_cells_do_not_use_up_the_time_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student_process, "CELL_SECONDS", 2.0)
    monkeypatch.setattr(student_process, "UNSURE_CELLS_SECONDS", 3.0)
    monkeypatch.setattr(student_process, "ALL_CELLS_SECONDS", 4.0)
    notebook = _with_cell(f"exec({HELPER!r})", standardize=BY_HELPER)
    for _ in range(4):
        notebook.cells.insert(4, new_code_cell("import time\ntime.sleep(60)"))
    started = time.monotonic()
    log = graded(notebook).log
    assert log.item("Line").score == 8, "its cells have time of their own"
    assert time.monotonic() - started < 120, "half of what its cells would sleep"


def test_a_redefined_helper_of_the_tests_is_named() -> None:
    problem = load_problem("continual_learning", COURSE)
    right = solution_answers(problem)
    lie = right["permute_pixels"] + "\n\ndef leaves_alone(*_):\n    return True\n"
    notebook = fill_in(released_notebook(problem), {**right, "permute_pixels": lie})
    given = next(cell for cell in notebook.cells if "def kept_by(" in cell.source)
    given.source = given.source.replace("def size_of", "print('mine')\n\n\ndef size_of")  # no helper is changed
    submission = Submission("ada", notebook=notebook_text(notebook).encode())
    log = grade_submission("continual_learning", submission, root=COURSE, attempts=1).log
    said = [flag.message for flag in log.flags if flag.kind == "test_helper"]
    assert said == ["leaves_alone: redefined in the notebook; the tests used the given definition."]
    assert log.item("permute_pixels").score == log.item("permute_pixels").max_score


def test_a_given_class_of_the_tests_that_was_changed_is_named() -> None:
    problem = load_problem("gan", COURSE)
    helpers = given_helpers(problem)
    given = next(cell.source for cell in problem.cells if "class Generator(" in cell.source)
    assert helpers.asked.keys() == {"Generator", "Discriminator", "make_optimizers"}
    assert helpers.changed_in(given) == frozenset() == helpers.changed_in("state = Generator().state_dict()")
    assert helpers.changed_in("Generator.state_dict = lambda self: {}") == {"Generator"}
    assert helpers.changed_in("def make_optimizers(*_):\n    return 1, 2") == {"make_optimizers"}


@pytest.mark.parametrize("typo", ["np.random.seed = 42", "random.seed = 42", "torch.manual_seed = 42"])
def test_a_seed_that_was_assigned_in_place_of_called_costs_nothing(typo: str) -> None:
    own = new_code_cell(f"import random\nimport numpy as np\n{typo}", id="typo")
    notebook = solved(standardize=f"import random, numpy as np\n{typo}\n{RIGHT_STANDARDIZE}")
    notebook.cells.insert(3, own)
    assert graded(notebook).log.score == 20


def test_answers_of_passed_items_are_asked_at_the_end_and_one_that_ends_its_process_costs_the_others_nothing() -> None:
    ends = (
        STANDARDIZE
        + "    if x.shape == (4, 2):\n        import os\n        os._exit(0)\n    return "
        + NORMALIZE.strip()[7:]
    )
    log = graded(solved(standardize=ends)).log
    assert log.auto_score == 20 and set(log.answers) == {"Line"}
    below = solved()
    below.cells.insert(-1, new_code_cell("def standardize(x, eps=EPS):\n    return 5 * x", id="later"))
    assert graded(below).log.answers["Line"] == graded(solved()).log.answers["Line"]


@pytest.mark.parametrize("state", ["lambda: object()", "lambda: numpy.zeros(3)", "lambda: torch.float16", "None"])
def test_a_patched_default_type_costs_no_other_item_anything(state: str) -> None:
    cell = f"import numpy\ntorch.get_default_dtype = {state}"
    log = graded(solved(standardize=cell + "\n" + RIGHT_STANDARDIZE)).log
    assert log.outcome is Outcome.GRADED


def test_a_helper_that_cannot_be_written_again_is_a_redefined_one() -> None:
    problem = load_problem("continual_learning", COURSE)
    helpers = reference(problem).helpers
    for odd in ("print(f\"{'a\u00a0b'}\")", "x = " + "{1: " * 180 + "1" + "}" * 180):
        assert helpers.redefined_in(f"def leaves_alone(*_):\n    {odd}\n    return True\n") <= {"leaves_alone"}


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("import numpy as np\nnp.testing.assert_allclose(steep(points).detach(), 7.0)", "A check of `Line` failed."),
        ('raise AssertionError(f"expected {points}")', "A check of `Line` failed."),
        ('assert steep is None, "see the formula"', "see the formula"),
    ],
)
def test_a_hidden_check_shows_only_messages_that_its_author_wrote_as_they_are(
    tmp_path: Path, check: str, said: str
) -> None:
    old = 'assert close(steep(points), -3.0 * points + 0.5, "wrong for a negative slope")'
    root = course_copy(tmp_path / "course", {old: check})
    log = grade_submission("toy", Submission("ada", notebook=text(solved())), root=root).log
    assert log.item("Line").message == said


def test_a_known_wrong_solution_that_cannot_be_run_costs_no_student_anything(tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    broken = root / "solutions" / "variants" / "toy" / "wrong" / "standardize" / "broken.py"
    broken.write_text("# misconception: you returned too early\ndef standardize(x, eps):\n    pass\nreturn x\n")
    assert any(
        one.path == broken and "not valid Python" in one.message for one in lint_variants(load_problem("toy", root))
    )
    wrong = Submission("ada", notebook=text(solved(standardize=STANDARDIZE + "    return x")))
    log = grade_submission("toy", wrong, root=root).log
    assert (log.item("standardize").score, log.item("Line").score) == (0, 8)
