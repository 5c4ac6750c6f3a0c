"""One question for the whole class: which answers are equal, in which order they are graded, and by which names.

Equal answers (`normal_form`) are graded together. Blocks of equal answers follow each other by similarity, and each
answer has a name (`ref`) that tells nothing about its student.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from autograder.course.problem import Item
from autograder.desk.class_answers import Answer, ClassAnswers
from autograder.desk.place import Place
from autograder.desk.rubric import Rubric, rubric_of

LOOK_SECONDS = 1.0
"""Seconds after which the files are looked at again, since a class may be graded again meanwhile."""

if TYPE_CHECKING:
    from autograder.desk.features import Matrix, TextFeatures


@dataclass(frozen=True)
class Arrangement:
    """The answers of a question at one time, arranged.

    Args:
        answers: the answers, by student.
        place: the question.
        secret: makes the names of answers.
        first_picture: reads a picture.
    """

    place: Place
    answers: Sequence[Answer]
    secret: str
    """Of the database; without it an answer's name cannot be computed."""
    first_picture: Callable[[str], bytes]
    """Student → the content of the first picture of the answer, for those who have one."""
    ref: Mapping[str, str] = field(init=False)
    """Student → the answer's name."""
    student: Mapping[str, str] = field(init=False)
    """The answer's name → student."""

    def __post_init__(self) -> None:
        refs = {answer.student: _ref(self.secret, self.place, answer.student) for answer in self.answers}
        object.__setattr__(self, "ref", refs)
        object.__setattr__(self, "student", {ref: student for student, ref in refs.items()})

    @cached_property
    def by_student(self) -> dict[str, Answer]:
        """Student → answer."""
        return {answer.student: answer for answer in self.answers}

    @cached_property
    def blocks(self) -> list[list[str]]:
        """Students with equal answers together, the blocks in the order in which they are graded."""
        from autograder.desk.features import order

        first = [group[0] for group in self._equal]
        ranked = order(self.kernel[first][:, first])
        return [[self.answers[index].student for index in self._equal[number]] for number in ranked]

    @cached_property
    def block(self) -> dict[str, list[str]]:
        """Student → the students of the block."""
        return {student: block for block in self.blocks for student in block}

    @cached_property
    def near(self) -> dict[str, list[str]]:
        """Student → the students with nearly the same answer, without those of the block; only where there are any."""
        from autograder.desk.groups import near_groups

        found = {}
        for group in near_groups(self._forms, self.features.characters, [equal[0] for equal in self._equal]):
            for index in group:
                own = self.block[self.answers[index].student]
                others = [one for other in group if other != index for one in self.block[self.answers[other].student]]
                found.update(dict.fromkeys(own, others))
        return {student: others for student, others in found.items() if others}

    @cached_property
    def kernel(self) -> Matrix:
        """Similarity of each answer to each other one, `[N, N]`: of the texts, and of the first pictures if any."""
        from autograder.desk.features import picture_features

        with_picture = [index for index, answer in enumerate(self.answers) if answer.pictures]
        kernel = self.features.kernel
        if with_picture:
            found = picture_features([self.first_picture(self.answers[index].student) for index in with_picture])
            kernel = kernel / 2
            for row, index in enumerate(with_picture):
                kernel[index, with_picture] += found[row] / 2
        return kernel

    @cached_property
    def features(self) -> TextFeatures:
        """What the answers have in common."""
        from autograder.desk.features import TextFeatures

        return TextFeatures.of(self._forms)

    @cached_property
    def _forms(self) -> list[str]:
        from autograder.desk.normal_form import normal_form

        return [normal_form(answer.text) for answer in self.answers]

    @cached_property
    def _equal(self) -> list[list[int]]:
        from autograder.desk.groups import equal_groups

        own = [
            answer.text if answer.is_readable else f"{number} {answer.text}"
            for number, answer in enumerate(self.answers)
        ]
        texts = ["\n".join((text, *answer.pictures)) for text, answer in zip(own, self.answers, strict=True)]
        groups = equal_groups(texts)
        return [sorted(group, key=lambda index: self.ref[self.answers[index].student]) for group in groups]


class Question:
    """A question that people grade.

    Args:
        item: its item.
        answers: the class's answers to the problem.
        secret: makes the names of answers.
    """

    def __init__(self, item: Item, answers: ClassAnswers, secret: str) -> None:
        self._secret = secret
        self.item = item
        self.place = Place(answers.problem.id, item.id)
        self.answers = answers
        self.source_rubric: Rubric = rubric_of(item)
        self._arranged: Arrangement | None = None
        self._looked = 0.0

    @property
    def is_code(self) -> bool:
        """Whether answers are code with figures, not text."""
        return self.item.cell.cell_type == "code"

    def arranged(self) -> Arrangement:
        """The answers as they are now."""
        now = time.monotonic()
        if self._arranged is not None and now - self._looked < LOOK_SECONDS:
            return self._arranged
        found, self._looked = self.answers.of(self.item.id), now
        if self._arranged is None or [one.digest for one in self._arranged.answers] != [one.digest for one in found]:
            self._arranged = Arrangement(self.place, found, self._secret, self._first_picture)
        return self._arranged

    def _first_picture(self, student: str) -> bytes:
        digest = self.answers.all_of(student)[self.item.id].pictures[0]
        return base64.b64decode(self.answers.pictures(student)[digest].data)


def _ref(secret: str, place: Place, student: str) -> str:
    """A name for an answer, which does not tell the student's; the same at each start of the desk."""
    text = "\0".join((*place, student)).encode("utf-8", "replace")
    return hashlib.blake2b(text, digest_size=6, key=secret.encode()).hexdigest()
