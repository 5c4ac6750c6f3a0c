"""Students complain; what the commands print is enough to answer each of them, in at most three commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.autograder.cli.term_class import TermClass, term_class
from tests.autograder.grading.test_grade import a_log, as_bytes
from tests.autograder.grading.test_two_mistakes import NEITHER, TWO_PARTS
from tests.autograder.toy import LINE, RIGHT_STANDARDIZE, STANDARDIZE, edit_source, solved, submit

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # nbgrader builds rows before adding them
]

RIGHT_LINE = LINE + "return self.slope * x + self.intercept"
MOST_COMMANDS = 3
# Hidden tests of this course: one compares to the last bit, one gives one second, one draws between two calls.
TOO_STRICT = {'"wrong on other data")': '"wrong on other data", rtol=1e-9, atol=0)'}
TOO_SHORT = {"seconds=10": "seconds=1"}
DRAWS = {
    "hidden_x = 5": "noise = student.torch.randn\n"
    "student.torch.manual_seed(5)\n"
    "student.standardize(noise(3, 2))\nfirst = noise(4)\n"
    "student.standardize(noise(3, 2))\nsecond = noise(4)\n"
    'assert not torch.equal(first, second), "what is drawn after your function repeats"\n'
    "hidden_x = 5"
}


@dataclass
class Complaint:
    """A student's complaint about an item, and the teaching assistant who answers it."""

    term: TermClass
    student: str
    item: str
    said: list[str] = field(default_factory=list)
    """What each command printed, with single blanks."""

    def run(self, *words: str, code: int = 0) -> str:
        """Runs one of the commands that the teaching assistant may use."""
        result = self.term.run(*words, code=code)
        self.said.append(" ".join(result.output.split()))
        assert len(self.said) <= MOST_COMMANDS
        return self.said[-1]

    def inspect(self, *options: str, code: int = 0) -> str:
        """Inspects the item."""
        return self.run("inspect", self.student, "toy", self.item, "--out", str(self.term.out), *options, code=code)

    def grade(self, *options: str) -> str:
        """Grades the class again."""
        return self.run("grade", "toy", "--submitted", str(self.term.submitted), "--out", str(self.term.out), *options)

    def decide(self, decision: str, reason: str) -> None:
        """Decides the request; no request is open then, and the student reads the reason."""
        where = ("regrade", self.student, "toy", self.item)
        self.run(*where, "--decide", decision, "--reason", reason, "--out", str(self.term.out))
        page = (self.term.out / self.student / "toy" / "feedback.html").read_text(encoding="utf-8")
        assert f"<strong>{decision}</strong>: {reason}" in page
        assert "0 regrade requests open" in self.term.run("regrade").output

    @property
    def score(self) -> float:
        """The item's points in the student's log."""
        score: float = self.term.item(self.student, self.item)["score"]
        return score


Complains = Callable[..., Complaint]


@pytest.fixture
def complains(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complains:
    """A student complains about an item of a class that was graded."""

    def complain(item: str, edits: dict[str, str] | None = None, log: bytes | None = None, **answers: str) -> Complaint:
        edit_source(course, edits or {})
        term = term_class(course, tmp_path, monkeypatch)
        submit(term.submitted, "bo", solved())
        submit(term.submitted, "kim", solved(**answers), log)
        term.grade()
        term.run("regrade", "kim", "toy", item, "--note", "My answer is right.", "--out", str(term.out))
        return Complaint(term, "kim", item)

    return complain


def test_a_hidden_test_is_too_strict(complains: Complains) -> None:
    batch_norm = "    return torch.nn.functional.batch_norm(x, None, None, training=True, eps=eps)"
    kim = complains("standardize", TOO_STRICT, standardize=STANDARDIZE + batch_norm)
    said = kim.inspect()
    assert "recorded: 4 of 12, partial" in said and "(hidden, part 'values', weight 8 of 12 (8 points))" in said
    assert "rounding in float32 can cause it, so the check may be too strict" in said
    assert "rtol=1e-9, atol=0" in said, "the check's own tolerance"
    kim.term.change({new: old for old, new in TOO_STRICT.items()})
    kim.grade("--yes")
    assert kim.score == 12
    kim.decide("accepted", "The test compared too strictly.")
    assert kim.term.everywhere()["kim"] == (20, 25)


def test_the_time_limit_is_too_short_for_a_slow_answer(complains: Complains) -> None:
    slow = LINE + "for _ in range(150_000_000): pass\n        return self.slope * x + self.intercept"
    kim = complains("Line", TOO_SHORT, Line=slow)
    said = kim.inspect()
    assert "now: 0 of 8, timeout" in said and "the time limit ran out in this statement" in said
    assert (
        "the test may take 1 s of processor time; `seconds=` in the head of the test cell at solutions/toy.py" in said
    )
    kim.term.change({"seconds=1": "seconds=60"})
    kim.grade("--yes")
    assert kim.score == 8
    kim.decide("accepted", "Your answer is right; it had too little time.")


def test_a_busy_machine_took_too_long(complains: Complains) -> None:
    kim = complains("Line", Line=RIGHT_LINE)
    path = kim.term.out / "kim" / "toy" / "submission_log.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    (line,) = (item for item in record["grades"]["items"] if item["id"] == "Line")
    line |= {"score": 0.0, "status": "timeout", "message": "`Line` did not finish in time."}
    path.write_text(json.dumps(record), encoding="utf-8")
    said = kim.inspect(code=1)
    assert "recorded: 0 of 8, timeout now: 8 of 8, passed" in said
    assert "the recorded result (timeout) did not happen again: a busy or small machine can cause it" in said
    kim.grade("--yes")
    assert kim.score == 8
    kim.decide("accepted", "Our machine was too busy.")


def test_the_answer_needs_more_memory_than_there_is(complains: Complains) -> None:
    kim = complains("Line", Line=LINE + "return (self.slope * x + self.intercept + torch.zeros(2**36))[: len(x)]")
    said = kim.inspect()
    assert "now: 0 of 8, out of memory" in said and "a process of the student's may use 4 GiB of memory" in said
    assert "return (self.slope * x + self.intercept + torch.zeros(2**36))" in said and "can't allocate memory" in said
    kim.decide("declined", "Your answer makes a tensor of 256 GiB.")


def test_a_library_is_another_version(complains: Complains) -> None:
    new = LINE + "return torch.straight_line(self.slope, x, self.intercept)"
    kim = complains("Line", Line=new, log=as_bytes(a_log(student="kim")))
    said = kim.inspect()
    assert "The student worked with python 3.12.1 and torch 2.9.0; grading has python 3." in said
    assert "AttributeError: module 'torch' has no attribute 'straight_line'" in said
    answer = kim.term.submitted.parent / "answer.py"
    answer.write_text(RIGHT_LINE, encoding="utf-8")
    assert "score: 0 of 8, error → 8 of 8, passed" in kim.inspect("--try", str(answer))
    kim.decide("declined", "The first cell of the notebook names the version of torch that counts.")


def test_a_known_wrong_solution(complains: Complains) -> None:
    kim = complains("Line", Line=LINE + "return self.intercept * x + self.slope")
    said = kim.inspect()
    assert "gives the answers of the known wrong solution swapped: you swapped slope and intercept" in said
    assert "expected 1, 7" in said
    kim.decide("declined", "Slope and intercept are swapped.")
    assert kim.score == 0


def test_two_known_wrong_solutions_in_one_answer(complains: Complains) -> None:
    kim = complains("Line", TWO_PARTS, Line=NEITHER)
    said = kim.inspect()
    assert "wrong solution absolute_slope: (a part of the answers) you used the absolute value of the slope" in said
    assert "wrong solution no_intercept: (a part of the answers) you forgot the intercept" in said
    assert (
        "hidden, part 'a negative slope', weight 1 of 5" in said and "hidden, part 'the intercept', weight 3 of" in said
    )
    kim.decide("declined", "The sign of the slope and the intercept are lost.")


def test_another_wrong_function_of_the_same_student(complains: Complains) -> None:
    one = "one = standardize(torch.tensor([[1.0], [5.0]]))[1, 0]"
    builds = LINE + f"{one}\n        return one * self.slope * x + self.intercept"
    kim = complains("Line", standardize=STANDARDIZE + "    return x - x.mean(0)", Line=builds)
    said = kim.inspect()
    assert (
        "it uses standardize, which did not pass; with the reference's function in its place: 8 of 8, passed. So "
        "standardize is the cause" in said
    )
    assert "other cells that the answer uses answer to standardize" in said
    kim.decide("declined", "Your Line is right; your standardize is not, and Line uses it.")


def test_a_wrong_answer_that_uses_another_wrong_function_is_not_excused(complains: Complains) -> None:
    builds = LINE + "return self.intercept * x + self.slope + 0 * standardize(x[:, None])[:, 0]"
    kim = complains("Line", standardize=STANDARDIZE + "    return x - x.mean(0)", Line=builds)
    assert "in its place: 0 of 8, failed. So its own code has a mistake, too" in kim.inspect()


def test_an_answer_seeds_the_global_generator(complains: Complains) -> None:
    seeds = STANDARDIZE + "    torch.manual_seed(7)\n" + RIGHT_STANDARDIZE.partition("\n")[2]
    kim = complains("standardize", DRAWS, standardize=seeds)
    said = kim.inspect()
    assert "student.standardize seeds torch's global generator (with 7): what is drawn after it repeats" in said
    assert "(with 5)" not in said, "the test did it"
    answer = kim.term.submitted.parent / "answer.py"
    answer.write_text(seeds.replace("torch.manual_seed(7)", "pass"), encoding="utf-8")
    said = kim.inspect("--try", str(answer))
    assert "→ 12 of 12, passed" in said
    kim.decide("declined", "Your function seeds the global generator.")


def test_an_answer_changes_its_input(complains: Complains) -> None:
    changes = STANDARDIZE + "    x -= x.mean(0)\n    return x / torch.sqrt(x.var(0, unbiased=False) + eps)"
    kim = complains("standardize", standardize=changes)
    said = kim.inspect()
    assert "Your code changed one of its arguments in place" in said and "a copy is `x.clone()`" in said
    kim.decide("declined", "Your function changes its input.")
