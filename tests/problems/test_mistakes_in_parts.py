"""A wrong solution that is not known is seldom taken for two known ones, each in a part of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course.problem import load_problem, problem_ids
from autograder.grading import misconceptions
from autograder.grading.reference import quiet_process, reference

INPUTS = ("ada", "ada, 0", "ada, 1")
ACCEPTED = {
    # each of the two gives the part of the answer that it is named for
    "comparing_distributions/fit_gaussian/directions_swapped",
    "summarization/train_step/mean_of_means",
    "summarization/train_step/padding_counted",
}


def taken_for_two(root: Path) -> Iterator[str]:
    """The known wrong solutions that would be named as two others if they were not known."""
    for problem_id in problem_ids(root):
        ours = reference(load_problem(problem_id, root))
        for item in misconceptions.asked_items(ours):
            for slug, names in misconceptions.known_misconceptions(ours, item).items():
                try:
                    first, *more = (misconceptions.answer(ours, item, names, student) for student in INPUTS)
                except Exception:
                    continue  # no answer, so nothing is named
                same = misconceptions.candidates(ours, item, first, INPUTS[0])
                parts = misconceptions.part_candidates(ours, item, first, INPUTS[0])
                left = {part: [one for one in known if one not in same] for part, known in parts.items()}
                for student, got in zip(INPUTS[1:], more, strict=True):
                    left = {
                        part: misconceptions.that_answer(ours, item, known, got, student, part=part)
                        for part, known in left.items()
                    }
                if len({known[0] for known in left.values() if len(known) == 1}) > 1:
                    yield f"{problem_id}/{item.id}/{slug}"


@pytest.mark.slow
def test_an_unknown_mistake_is_seldom_taken_for_two_known_ones(root: Path) -> None:
    with quiet_process():
        assert set(taken_for_two(root)) <= ACCEPTED
