"""The feedback says in words how a student's answer differs from the right one."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.results import GradedLog, Status
from autograder.grading.answer_diff import BEGINNING, MOST_PARTS, compare
from autograder.grading.answer_relation import about
from autograder.grading.grade import grade_submission
from autograder.grading.personal_answers import no_answer
from autograder.grading.tolerance import precision_of
from autograder.grading.verdict import Verdict
from autograder.sandbox.guest.wire import ClosedError, TooLateError
from autograder.sandbox.proxy import remote_error
from autograder.sandbox.student_error import Line, StudentError
from autograder.submissions.reader import Submission
from homework.hand_in.personal import plain_json
from tests.autograder.toy import LINE, RIGHT_STANDARDIZE, ROOT, STANDARDIZE, graded, solved, text

RIGHT = torch.tensor([[0.1234, 1.5678, -2.3451], [3.1416, 0.7071, 2.7183]])
ROW, SOFT = RIGHT.flatten(), RIGHT.softmax(1)


def said(got: Any, right: Any = RIGHT) -> str:
    """The words about an answer, which may hold tensors, beside a right one."""
    return " ".join(compare(plain_json(got), plain_json(right), precision_of(right)))


@pytest.mark.parametrize(
    ("got", "right", "words"),
    [
        (None, RIGHT, "nothing (`None`); expected: an array of shape 2 × 3. Is a `return` missing?"),
        (2.5, ROW, "one number; expected: 6 numbers"),
        ("text", ROW, "a text; expected: 6 numbers"),
        ([1, 2], True, "2 whole numbers; expected: one truth value"),
        (RIGHT.sum(), RIGHT, "The sum of the expected ones gives yours."),
        (RIGHT.mean(0), RIGHT, "The mean of the expected ones over axis 0 gives yours."),
        (RIGHT, RIGHT.sum(1), "The sum of yours over axis 1 gives the expected ones."),
        (RIGHT.T, RIGHT, "The axes are swapped."),
        (ROW[:, None], ROW, "The numbers agree, but axes of length 1"),
        (2 * ROW[:, None], ROW, "Besides the numbers, axes of length 1"),
        (torch.ones(6, 6), ROW, "broadcast to `[B, B]`"),
        (torch.ones(2, 3, 4), RIGHT, "more axes than expected"),
        (torch.ones(3), RIGHT, "fewer axes than expected"),
        (torch.ones(5), ROW, "5 numbers; expected: 6 numbers."),
        ([[1.0], [2.0, 3.0]], ROW, "a list of 2 parts; expected: 6 numbers"),
        ([], ROW, "an empty list; expected: 6 numbers"),
        ({"a": 1}, ROW, "1 named part; expected: 6 numbers"),
    ],
)
def test_another_shape_is_described_with_a_possible_cause(got: Any, right: Any, words: str) -> None:
    assert words in said(got, right)


@pytest.mark.parametrize(
    ("got", "right", "words"),
    [
        (-RIGHT, RIGHT, "Each of yours has the opposite sign."),
        (2 * RIGHT, RIGHT, "Each of yours is 2 times the expected one."),
        (RIGHT / 5, RIGHT, "is the expected one divided by 5. This happens with a mean in place of a sum"),
        (1.37 * RIGHT, RIGHT, "is about 1.4 times the expected one."),
        (RIGHT / math.log(2), RIGHT, "did you use a logarithm to base 2, not the natural one?"),
        (RIGHT - 0.919, RIGHT, "Each of yours is 0.92 too small."),
        (RIGHT**2, RIGHT, "the square of the expected one"),
        (RIGHT.abs().sqrt(), RIGHT.abs(), "the square root of the expected one"),
        (RIGHT.exp(), RIGHT, "the exponential of the expected one"),
        (RIGHT.abs().log(), RIGHT.abs(), "the logarithm of the expected one"),
        (1 - RIGHT, RIGHT, "1 minus the expected one"),
        (1 / RIGHT, RIGHT, "1 divided by the expected one"),
        (torch.zeros(2, 3), RIGHT, "Each of yours is 0."),
        (torch.full((2, 3), 0.4321), RIGHT, "All of yours are the same number."),
        (RIGHT.flip(1), RIGHT, "in reverse order along axis 1."),
        (ROW[[3, 1, 2, 0, 5, 4]], ROW, "the expected numbers in another order."),
        (ROW.roll(1), ROW, "shifted one position too late."),
        (ROW.roll(-1), ROW, "shifted one position too early."),
        (torch.tensor([1, 2, 3, 4]), torch.tensor([0, 1, 2, 3]), "Each of yours is 1 too large."),
        (3 * 0.123456, 0.123456, "Yours is 3 times the expected one."),
        (0.987, 0.123456, "Yours is about 0.99, the expected one about 0.12."),
        (SOFT + 0.1, SOFT, "Each of yours is 0.1 too large. The expected numbers sum to 1; yours"),
        (
            RIGHT.sin(),
            RIGHT,
            "None of the 6 agrees. Yours are between −0.71 and 1, the expected ones between −2.3 and 3.1.",
        ),
    ],
)
def test_the_relation_of_the_numbers_is_named(got: Any, right: Any, words: str) -> None:
    assert words in said(got, right)


def test_the_number_of_equal_entries_and_the_first_difference_are_named() -> None:
    last_row, first, from_two, one = RIGHT.repeat(3, 1), ROW.clone(), ROW.clone(), ROW.reshape(1, 2, 3).clone()
    last_row[-1] *= -1
    first[0] += 1
    from_two[2:] += torch.arange(4) ** 2 + 1
    one[0, 1, 1] += 1
    assert "15 of 18 agree; the others are in row 5 (counted from 0)" in said(last_row, RIGHT.repeat(3, 1))
    assert "Where they differ, each of yours has the opposite sign" in said(last_row, RIGHT.repeat(3, 1))
    assert "5 of 6 agree; the first difference is at position 0" in said(first, ROW)
    assert "2 of 6 agree; all from position 2 on differ" in said(from_two, ROW)
    assert "the others are in rows 1 and 3 (counted" in said(one.repeat(1, 2, 1)[0], RIGHT.repeat(2, 1))


def test_nan_and_infinite_numbers_are_named() -> None:
    broken = RIGHT.clone()
    broken[0, 1] = math.nan
    assert "1 of your 6 numbers is NaN or infinite where a finite number is expected" in said(broken)
    assert "Yours is NaN or infinite" in said(math.nan, 0.5)
    assert "Where the expected number is infinite or NaN, yours is not." in said(ROW[:2], [math.inf, 1.5678])


def test_each_part_is_described() -> None:
    right = {"loss": torch.tensor(1.234), "gradients": [ROW, RIGHT], "held": torch.tensor(0.4321)}
    got = {"loss": torch.tensor(-1.234), "gradients": [ROW, 2 * RIGHT], "held": torch.tensor(0.4321)}
    first, second, third = compare(plain_json(got), plain_json(right), precision_of(right))
    assert first == f"{BEGINNING} `loss` is one number, as expected. Yours has the opposite sign."
    assert second.startswith("`gradients`, part 2 is an array of shape 2 × 3") and "2 times the expected" in second
    assert third == "As expected: `held`."
    assert "`gradients` is missing; expected: a list of 2 parts." in said({"loss": 1.0, "held": 0.4321}, right)
    assert "Their names are `loss`, `gradients`, `held`." in said([1.0, 2.0, 3.0], right)


def test_only_the_first_of_many_parts_are_described() -> None:
    right = {f"part{number}": number + 0.1234 for number in range(20)}
    lines = compare({name: -9.87 for name in right}, right, precision_of(right))
    assert len(lines) == MOST_PARTS + 1 and lines[-1] == "16 more parts differ."


def test_the_right_answer_says_that_the_mistake_is_elsewhere() -> None:
    assert "you return what is expected. The mistake shows on other inputs" in said(RIGHT * (1 + 1e-7))


@pytest.mark.parametrize(("right", "got"), [(7, 9), (3.5, 2.0), ([2, 5], [1, 9]), (0.5, 1.5), (True, False)])
def test_a_few_short_numbers_are_not_revealed(right: Any, got: Any) -> None:
    words = said(got, right)
    assert not {str(each) for each in np.ravel(right).tolist()} & set(re.findall(r"[\d.]*\d", words.split("agree")[-1]))
    assert re.search(r"too (large|small)|false", words)


def test_student_text_is_not_repeated() -> None:
    evil = "<script>alert(1)</script>"
    for got in (evil, {evil: 1.0}, [evil] * 3, {"loss": evil, evil: [evil]}, [[evil], {evil: evil}]):
        for right in (RIGHT, 1.0, {"loss": 1.0}, [RIGHT, ROW]):
            assert "script" not in said(got, right)


def test_an_answer_of_any_size_and_depth_is_described_in_a_few_words() -> None:
    deep: Any = 1.0
    for _ in range(500):
        deep = [deep]
    for got in (deep, [0.5] * 50_000, {str(number): 1 for number in range(50_000)}, "x" * 500_000, [[0.5] * 99] * 99):
        lines = compare(got, plain_json(RIGHT), precision_of(RIGHT))
        assert lines and len(" ".join(lines)) < 600


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "<b>`x`</b>", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["loss", "<i>"]), inner, max_size=2),
    max_leaves=12,
)


@given(ANYTHING, ANYTHING)
def test_random_answers_are_described_in_sentences(got: Any, right: Any) -> None:
    lines = compare(got, right, precision_of(right))
    assert lines[0].startswith(BEGINNING) and all(line and line[-1] in ".?:" for line in lines)
    assert len(" ".join(lines)) < 3000


@pytest.mark.parametrize(
    ("number", "words"),
    [(0.123456, "0.12"), (-1234.5, "−1200"), (1.23e-7, "1.2e−07"), (0.0, "0"), (-0.0, "0"), (99.7, "100")],
)
def test_numbers_have_two_digits(number: float, words: str) -> None:
    assert about(number) == words


RAISED = StudentError("ValueError", "17.25 is in here", (Line("cell", 3, "f", "return x @ y"),))


def test_an_exception_is_described_without_its_message() -> None:
    error = remote_error(RAISED)
    words = no_answer(error).why_missing(Verdict(Status.FAILED, "something else"))
    assert "raises ValueError in `f`, line 3 of the cell: `return x @ y`" in words and "submission_log.json" in words
    assert "17.25" not in words, "hidden inputs could be in it"
    where = "ValueError in `f`, line 3 of the cell: `return x @ y`"
    assert "the same happens" in no_answer(error).why_missing(Verdict(Status.ERROR, f"Your code raised {where}"))
    assert no_answer(error).why_missing(Verdict(Status.ERROR, f"{where}\n17.25 is in here")) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [(ClosedError(""), "ended"), (TooLateError(), "in time"), (TypeError("float() of a tuple"), "could not be used")],
)
def test_an_ended_process_a_timeout_and_an_unusable_result_are_named(error: Exception, words: str) -> None:
    assert words in no_answer(error).why_missing(Verdict(Status.FAILED, ""))


@pytest.mark.kernel
def test_only_items_that_lost_points_have_a_description(line_builds_on_standardize: None) -> None:
    wrong = STANDARDIZE + "    return 3 * (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)"
    dependent = LINE + "return self.slope * standardize(x[:, None])[:, 0] + self.intercept"
    log = graded(solved(standardize=wrong, Line=dependent)).log
    first, second = log.item("standardize"), log.item("Line")
    assert "Each of yours is 3 times the expected one." in first.output[0] and not first.depends_on
    assert not second.output and not second.depends_on  # what it does with a wrong `standardize` says little
    assert "Tested with the right `standardize`" in second.message
    assert GradedLog.from_json(log.as_json()).items == tuple(replace(item, seconds=0.0) for item in log.items)
    right = graded(solved(standardize=RIGHT_STANDARDIZE, Line=dependent)).log
    assert not right.item("standardize").output and not right.item("Line").depends_on
    assert "output" not in right.as_json()["grades"]["items"][0]


@pytest.mark.kernel
def test_a_cached_result_has_the_description() -> None:
    submission = Submission(student="ada", notebook=text(solved(standardize=STANDARDIZE + "    return x")))
    before = grade_submission("toy", submission, root=ROOT)
    again = grade_submission("toy", submission, root=ROOT, cached_items=before.cached_items)
    assert before.log.item("standardize").output
    assert again.log.item("standardize").output == before.log.item("standardize").output


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    y = x", "nothing (`None`)"),
        ("    return x.sum().item()", "one number"),
        ("    return {'<b>': x}", "1 named part"),
        ("    if len(x) != 4:\n        return x\n    raise ValueError('<b>')", "raises ValueError in `standardize`"),
        ("    if len(x) != 4:\n        return x\n    return object()", "could not be used"),
        ("    if len(x) != 4:\n        return x\n    import os\n    os._exit(1)", "Python process of your code ended"),
    ],
)
def test_each_kind_of_result_on_per_student_inputs_is_described(body: str, words: str) -> None:
    item = graded(solved(standardize=STANDARDIZE + body)).log.item("standardize")
    assert words in " ".join(item.output) and item.score == 0
