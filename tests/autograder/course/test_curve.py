"""A curve raises whole scores, and lowers none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.errors import CourseError
from autograder.core.results import GradedLog
from autograder.course.curve import Curve, curve_note
from tests.autograder.course.test_config import GOOD, load
from tests.autograder.graded_folder import log_of


@pytest.mark.parametrize(
    ("curve", "score", "raised"),
    [
        (Curve(1.1, 2.0, 20.0), 10.0, 13.0),
        (Curve(1.1, 2.0, 20.0), 18.0, 20.0),
        (Curve(1.1, 2.0, 20.0), 22.0, 22.0),  # above `most` already
        (Curve(1.1, 2.0, 20.0), 0.0, 0.0),
        (Curve(2.0), 15.0, 25.0),  # the maximum
        (Curve(add=3.0), 4.5, 7.5),
        (Curve(add=3.0, most=40.0), 24.0, 27.0),
    ],
)
def test_a_score_is_multiplied_then_raised_up_to_the_most(curve: Curve, score: float, raised: float) -> None:
    assert score + curve.gain(score, 25.0) == pytest.approx(raised)


@given(st.floats(1, 5), st.floats(0, 50), st.one_of(st.none(), st.floats(0.1, 60)), st.floats(0, 40), st.floats(0, 40))
def test_no_score_is_lowered_and_the_order_of_scores_stays(
    factor: float, add: float, most: float | None, one: float, other: float
) -> None:
    curve = Curve(factor, add, most)
    raised = [score + curve.gain(score, 25.0) for score in sorted((one, other))]
    assert raised[0] <= raised[1] + 1e-9 and raised[0] >= min(one, other)


def test_the_table_is_read(tmp_path: Path) -> None:
    course = load(tmp_path, GOOD + "\n[curve]\nvae = { factor = 1.1, add = 2, most = 20 }\nrlhf = { add = 1.5 }\n")
    assert course.curves == {"vae": Curve(1.1, 2.0, 20.0), "rlhf": Curve(1.0, 1.5, None)}
    assert load(tmp_path).curves == {}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("va = { add = 2 }", "key 'va' is in no homework (did you mean 'vae'?); name a problem: vae, gan, rlhf"),
        ("11 = { add = 2 }", "key '11' is a homework; name a problem"),
        ("vae = 2", "key 'vae' is 2; write it as a table"),
        ("vae = { plus = 2 }", "table [curve], key 'vae', key 'plus' is unknown"),
        ("vae = { factor = 0.9 }", "key 'vae', key 'factor' is 0.9; it must be at least 1, because a curve lowers no"),
        ("vae = { most = 20 }", "give a factor above 1, points to add, or both"),
        ("vae = { add = -1 }", "key 'add' is -1; it must be a number of at least 0"),
        ("vae = { add = 2, most = 0 }", "key 'most' is 0; it must be above 0"),
        ('vae = { factor = "1.1" }', "key 'factor' is '1.1'; it must be a number"),
    ],
)
def test_a_wrong_table_is_refused_with_the_fix(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(CourseError) as caught:
        load(tmp_path, f"{GOOD}\n[curve]\n{table}\n")
    assert said in str(caught.value)


def test_the_note_for_the_student(tmp_path: Path) -> None:
    log: GradedLog = log_of("ada")
    course = load(tmp_path, GOOD.replace('"vae"', '"toy"') + "\n[curve]\ntoy = { factor = 1.5, add = 1, most = 40 }\n")
    assert curve_note(course, log) == (
        f"The course raises the scores of this problem (multiplied by 1.5, plus 1, at most 40): {log.score:g} points "
        f"become {1.5 * log.score + 1:g}. The score above does not include this."
    )
    assert curve_note(load(tmp_path), log) == curve_note(None, log) == ""
