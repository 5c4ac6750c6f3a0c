"""Which answer a grader gets next; a share of the answers goes to two graders, who do not know of each other."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping

from autograder.desk.class_answers import Answer
from autograder.desk.decisions import Decisions, Kind, Saved
from autograder.desk.graders import Graders
from autograder.desk.place import Place
from autograder.desk.question import Question


class Queue:
    """The order of work.

    Args:
        decisions: what is decided.
        graders: who has which answer before them.
        second_share: share of the answers that are graded twice.
    """

    def __init__(self, decisions: Decisions, graders: Graders, second_share: float) -> None:
        self._decisions, self._graders, self._second_share = decisions, graders, second_share

    def next(self, question: Question, grader: str, after: str = "") -> str | None:
        """The next answer for a grader, claimed for them; None if nothing is left.

        Args:
            question: the question.
            grader: who grades.
            after: the answer before, by its name; if it was skipped, it comes last.
        """
        arranged = question.arranged()
        standing, claimed = self._decisions.standing(question.place), self._graders.claimed(question.place)
        waits = set(self.for_second(question, grader, standing))
        before = arranged.student.get(after, "")
        place = next((number for number, block in enumerate(arranged.blocks) if before in block), 0)
        left = [
            [one for one in block if not is_graded(standing, arranged.by_student[one])]
            for block in arranged.blocks[place:] + arranged.blocks[:place]
        ]
        first = [before if before in block else block[0] for block in left if block]
        order = [one for block in arranged.blocks for one in block]
        place = order.index(before) if before else 0
        second = [one for one in order[place:] + order[:place] if one in waits]
        done = sum(saved.by == grader for saved in standing.values())
        is_turn = done % 10 == 9 and before not in waits
        between = [*second[:1], *first, *second[1:]] if is_turn else [*first, *second]
        for student in sorted(between, key=before.__eq__):
            if claimed.get(student, grader) != grader or not self._graders.claim(question.place, student, grader):
                continue
            if student in waits or not is_graded(
                self._decisions.standing(question.place), arranged.by_student[student]
            ):
                return arranged.ref[student]  # not graded between the look at all and the claim
        return None

    def for_second(self, question: Question, grader: str, standing: Mapping[str, Saved]) -> list[str]:
        """Students whose answers are to be graded a second time, by this grader."""
        if not self._second_share:
            return []
        arranged = question.arranged()
        twice = {first.student for first, _ in self._decisions.seconds(question.place)}
        return [
            saved.student
            for saved in standing.values()
            if saved.by != grader
            and saved.kind in (Kind.GRADE, Kind.RUBRIC)
            and saved.student in arranged.by_student
            and is_graded(standing, arranged.by_student[saved.student])
            and saved.student not in twice
            and _share(question.place, saved.student) < self._second_share
        ]


def is_graded(standing: Mapping[str, Saved], answer: Answer) -> bool:
    """Whether an answer, as it is now, has a score."""
    saved = standing.get(answer.student)
    return saved is not None and saved.marks.score is not None and saved.answer == answer.digest


def _share(place: Place, student: str) -> float:
    """A number from 0 to 1 that is the same at each call and has no relation to the answer."""
    digest = hashlib.blake2b("\0".join(("second", *place, student)).encode("utf-8", "replace"), digest_size=8)
    return random.Random(digest.hexdigest()).random()
