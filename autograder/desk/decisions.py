"""Saves what graders decide, so that no decision is lost, doubled or overwritten unseen.

Each action is one transaction. Who saves names the decision that they saw (`Draft.seen`); if another one counts by
then, nothing is written and `ConflictError` says so. Decisions are only added (the database refuses changes), so a
process that is killed leaves either the whole action or nothing of it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from autograder.core.errors import AutograderError
from autograder.desk.database import Database, is_answer, now, of
from autograder.desk.place import Place
from autograder.desk.rubric import Rubric
from autograder.desk.tables import AnswerText, Claim, Decision, RubricRow, Standing


class Kind(StrEnum):
    """Why a decision was made."""

    GRADE = "grade"
    GROUP = "group"
    """With all answers of a group."""
    SECOND = "second"
    """A second, blind grading, which does not count."""
    RUBRIC = "rubric"
    """The rubric changed."""
    UNDO = "undo"
    FORM_GRADER = "form grader"
    """Taken over from nbgrader's form grader."""


@dataclass(frozen=True)
class Marks:
    """What a grader enters."""

    score: float | None
    ticks: tuple[str, ...] = ()
    adjustment: float = 0.0
    reason: str = ""
    comment: str = ""
    rubric_version: int = 1


@dataclass(frozen=True)
class Saved:
    """A decision as it is in the database."""

    id: int
    student: str
    answer: str
    by: str
    at: datetime
    kind: Kind
    marks: Marks
    replaces: int | None
    batch: str


@dataclass(frozen=True)
class Draft:
    """A decision that is to be saved."""

    student: str
    answer: str
    """Digest of the answer."""
    marks: Marks
    seen: int | None
    """The decision that counted when the grader saw the answer."""
    text: str = ""
    """The answer."""


@dataclass(frozen=True)
class Undone:
    """A grader's last action that still counts."""

    place: Place
    grading: int
    """Its number."""
    changes: list[tuple[Saved, Marks]]
    """What each answer has, and what it has without the action."""
    is_done: bool
    """Whether it was taken back; if not, the grader is to be asked first."""


class ConflictError(AutograderError):
    """Another page was saved meanwhile; nothing of this action was saved."""

    def __init__(self, place: Place, student: str = "") -> None:
        what = "answer was graded" if student else "rubric was changed"
        super().__init__(f"this {what} meanwhile, by another grader or in another tab; compare both and save again.")
        self.place = place
        self.student = student


class Decisions:
    """All decisions, and the rubrics by which they were made.

    Args:
        database: the desk's database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._replaced: dict[int, Saved] = {}
        """Decisions that were read by their numbers; none ever changes."""

    def save(self, place: Place, drafts: Sequence[Draft], by: str, kind: Kind = Kind.GRADE) -> list[int]:
        """Saves decisions that one action made, all or none; returns their numbers.

        Raises:
            ConflictError: another decision counts than the grader saw.
            StoreError: the database cannot be used now.
        """
        batch = uuid.uuid4().hex
        with self._db.writing() as db:
            if any(draft.marks.rubric_version != self._version(db, place) for draft in drafts):
                raise ConflictError(place)
            counts = kind is not Kind.SECOND
            numbers = [self._add(db, place, draft, by, kind, batch, counts=counts) for draft in drafts]
            for draft in drafts:
                db.execute(delete(Claim).where(*is_answer(Claim, place, draft.student)))
        return numbers

    def undo(self, by: str, among: Collection[Place] | None = None, *, noted: int = 0, told: int = 0) -> Undone | None:
        """Takes back the last action of a grader that still counts; None if there is none.

        Args:
            by: the grader.
            among: only actions on these questions.
            noted: the latest decision before the grader last did something that cannot be taken back. If that was after
                the action, nothing is taken back unless the grader was told which action it is.
            told: number of the action that the grader was told of.
        """
        own = select(func.max(Decision.id)).where(Decision.by == by, Decision.kind != Kind.RUBRIC)
        with self._db.writing() as db:
            made = [one for one in self._made(db, by) if among is None or one[2] in among]
            if not made:
                return None
            last, _, place, counts = max(made, key=lambda one: one[0].id)
            is_done = told == last.id or noted < (db.scalar(own) or 0)
            batch, changes = uuid.uuid4().hex, []
            for first, saved, where, _ in made:
                if (first.batch, where) != (last.batch, place):
                    continue
                before = None if first.replaces is None else self._by_id(db, first.replaces)
                marks = self._by_newest_rubric(db, place, Marks(None) if before is None else before.marks)
                changes.append((saved, marks))
                if is_done:
                    draft = Draft(saved.student, saved.answer if before is None else before.answer, marks, saved.id)
                    self._add(db, place, draft, by, Kind.UNDO, batch, counts=counts)
        return Undone(place, last.id, changes, is_done)

    def graded(self, place: Place, by: str) -> list[list[str]]:
        """The answers that a grader graded, the last ones first; those of one action together."""
        query = of(select(Decision.student, Decision.batch), Decision, place)
        query = query.where(Decision.by == by, Decision.kind.not_in([Kind.UNDO, Kind.RUBRIC])).order_by(Decision.id)
        actions: dict[str, list[str]] = {}
        with self._db.read() as db:
            for student, batch in db.execute(query):
                actions.setdefault(batch, []).append(student)
        found: dict[str, str] = {}
        for batch in reversed(actions):
            for student in actions[batch]:
                found.setdefault(student, batch)
        return [[one for one in actions[batch] if found[one] == batch] for batch in dict.fromkeys(found.values())]

    def grading(self, saved: Saved) -> Saved | None:
        """The grading that a decision has its marks from: undos and changes of the rubric carry them on."""
        with self._db.read() as db:
            return self._grading(db, saved)

    def standing(self, place: Place) -> dict[str, Saved]:
        """Student → the decision that counts, for every answer of a question that was ever decided.

        A grading that an undo brought back has the name of its grader.
        """
        with self._db.read() as db:
            return self._standing(db, place)

    def seconds(self, place: Place) -> list[tuple[Saved, Saved]]:
        """The first grading of each answer that was graded twice and the second one, both by the newest rubric."""
        with self._db.read() as db:
            return self._seconds(db, place)

    def second(self, place: Place, student: str, by: str) -> Saved | None:
        """A grader's own second grading of an answer."""
        with self._db.read() as db:
            return next((second for _, second in reversed(self._seconds(db, place, student)) if second.by == by), None)

    def answer_text(self, digest: str) -> str:
        """An answer that was graded; empty if it is not known."""
        with self._db.read() as db:
            return db.scalar(select(AnswerText.text).where(AnswerText.digest == digest)) or ""

    def history(self, place: Place, student: str) -> list[Saved]:
        """All decisions about an answer, the first one first."""
        with self._db.read() as db:
            rows = db.execute(_DECISIONS.where(*is_answer(Decision, place, student)).order_by(Decision.id))
            return [_saved(row) for row in rows]

    def unrecorded(self, problem: str) -> list[tuple[Place, Saved]]:
        """The decisions that count and that the gradebook does not have yet."""
        query = (
            _DECISIONS.add_columns(Decision.item)
            .join(Standing, Standing.decision == Decision.id)
            .where(Standing.problem == problem, Standing.recorded.is_distinct_from(Standing.decision))
        )
        with self._db.read() as db:
            return [(Place(problem, row.item), _saved(row)) for row in db.execute(query.order_by(Decision.id))]

    def recorded(self, place: Place, student: str) -> Saved | None:
        """The decision that the gradebook got last."""
        with self._db.read() as db:
            number = db.scalar(select(Standing.recorded).where(*is_answer(Standing, place, student)))
            return None if number is None else self._by_id(db, number)

    def has_recorded(self, place: Place, student: str, decision: int) -> None:
        """Notes that the gradebook has a decision."""
        with self._db.writing() as db:
            db.execute(update(Standing).where(*is_answer(Standing, place, student)).values(recorded=decision))

    def rubric(self, place: Place, source: Rubric) -> Rubric:
        """The newest rubric of a question; that of the source if it was never changed."""
        newest = of(select(RubricRow.version, RubricRow.body), RubricRow, place).order_by(RubricRow.version.desc())
        with self._db.read() as db:
            row = db.execute(newest.limit(1)).first()
        return source if row is None else replace(Rubric.from_json(row.body, row.version), most=source.most)

    def preview(self, place: Place, new: Rubric, renamed: Mapping[str, str] | None = None) -> list[tuple[Saved, float]]:
        """The decisions whose score another version of the rubric would change, and the scores by it."""
        found = []
        for saved in self.standing(place).values():
            score = regraded(saved.marks, new, renamed or {}).score
            if score is not None and score != saved.marks.score:
                found.append((saved, score))
        return found

    def change_rubric(
        self, place: Place, old: Rubric, new: Rubric, by: str, renamed: Mapping[str, str] | None = None
    ) -> list[tuple[Saved, float]]:
        """Saves the next version of a rubric and regrades all answers by it, at once.

        Args:
            place: the question.
            old: the version that the change was made from.
            new: the next one.
            by: who changes it.
            renamed: key of an item → key of the item that is ticked in its place.

        Returns:
            The decisions that counted before, and the scores now, where they differ.

        Raises:
            ConflictError: another grader changed the rubric meanwhile.
        """
        changed = []
        batch = uuid.uuid4().hex
        with self._db.writing() as db:
            if self._version(db, place) != old.version:
                raise ConflictError(place)
            row = {"version": new.version, "body": new.as_json(), "by": by, "at": now()}
            db.execute(insert(RubricRow), {"problem": place.problem, "item": place.item, **row})
            for saved in self._standing(db, place).values():
                marks = regraded(saved.marks, new, renamed or {})
                if marks.score != saved.marks.score:
                    changed.append((saved, marks.score or 0.0))
                if marks.score is not None:  # also where only words changed: students read them
                    draft = Draft(saved.student, saved.answer, marks, saved.id)
                    self._add(db, place, draft, saved.by, Kind.RUBRIC, batch)  # the grading stays its grader's
            for _, second in self._seconds(db, place):
                draft = Draft(second.student, second.answer, regraded(second.marks, new, renamed or {}), second.id)
                self._add(db, place, draft, second.by, Kind.RUBRIC, batch, counts=False)
        return changed

    def _add(
        self, db: Connection, place: Place, draft: Draft, by: str, kind: Kind, batch: str, *, counts: bool = True
    ) -> int:
        marks = draft.marks
        values: dict[str, Any] = {
            "problem": place.problem,
            "item": place.item,
            "student": draft.student,
            "answer": draft.answer,
            "by": by,
            "at": now(),
            "kind": str(kind),
            "score": marks.score,
            "ticks": list(marks.ticks),
            "adjustment": marks.adjustment,
            "reason": marks.reason,
            "comment": marks.comment,
            "rubric_version": marks.rubric_version,
            "replaces": draft.seen,
            "batch": batch,
        }
        if draft.text and db.scalar(select(AnswerText.digest).where(AnswerText.digest == draft.answer)) is None:
            with contextlib.suppress(IntegrityError), db.begin_nested():  # another grader may add it at the same moment
                db.execute(insert(AnswerText), {"digest": draft.answer, "text": draft.text})
        number = int(db.execute(insert(Decision).returning(Decision.id), values).scalar_one())
        if not counts:
            return number
        here = is_answer(Standing, place, draft.student)
        if draft.seen is None:
            row = {"problem": place.problem, "item": place.item, "student": draft.student, "decision": number}
            try:
                db.execute(insert(Standing), {**row, "recorded": None})
            except IntegrityError as error:
                raise ConflictError(place, draft.student) from error
            return number
        unchanged = update(Standing).where(*here, Standing.decision == draft.seen)
        if not db.execute(unchanged.values(decision=number)).rowcount:
            raise ConflictError(place, draft.student)
        return number

    def _standing(self, db: Connection, place: Place) -> dict[str, Saved]:
        query = _DECISIONS.join(Standing, Standing.decision == Decision.id)
        found = {row.student: _saved(row) for row in db.execute(of(query, Standing, place))}
        for student, saved in found.items():
            is_brought_back = saved.kind is Kind.UNDO and saved.marks.score is not None
            if is_brought_back and (grading := self._grading(db, saved)):
                found[student] = replace(saved, by=grading.by)
        return found

    def _seconds(self, db: Connection, place: Place, student: str = "") -> list[tuple[Saved, Saved]]:
        query = of(_DECISIONS, Decision, place).order_by(Decision.id)
        first: dict[tuple[str, str], Saved] = {}
        second: dict[tuple[str, str], Saved] = {}
        for row in db.execute(query.where(Decision.student == student) if student else query):
            saved, answer = _saved(row), (row.student, row.answer)
            if saved.kind is Kind.SECOND or answer in second and second[answer].id == saved.replaces:
                second[answer] = saved
            elif saved.kind in (Kind.RUBRIC, Kind.UNDO):
                if answer in first and first[answer].id == saved.replaces:
                    first[answer] = saved
            elif answer not in first or first[answer].marks.score is None:
                first[answer] = saved
        pairs = [(first[answer], saved) for answer, saved in second.items() if answer in first]
        return [pair for pair in pairs if None not in (pair[0].marks.score, pair[1].marks.score)]

    def _made(self, db: Connection, by: str) -> Iterator[tuple[Saved, Saved, Place, bool]]:
        """A grader's gradings, what came of them by now, where, and whether they are not second ones."""
        standing = _DECISIONS.add_columns(Decision.problem, Decision.item)
        standing = standing.join(Standing, Standing.decision == Decision.id).where(Decision.score.is_not(None))
        for row in db.execute(standing.where((Decision.by == by) | (Decision.kind == Kind.UNDO))).all():
            grading = self._grading(db, _saved(row))
            if grading and grading.by == by:
                yield grading, _saved(row), Place(row.problem, row.item), True
        seconds = select(Decision.problem, Decision.item).where(Decision.by == by, Decision.kind == Kind.SECOND)
        for problem, item in db.execute(seconds.distinct()).all():
            for _, second in self._seconds(db, Place(problem, item)):
                grading = self._grading(db, second)
                if grading and grading.by == by:
                    yield grading, second, Place(problem, item), False

    def _version(self, db: Connection, place: Place) -> int:
        return db.scalar(of(select(func.max(RubricRow.version)), RubricRow, place)) or 1

    def _grading(self, db: Connection, saved: Saved | None) -> Saved | None:
        while saved is not None and saved.replaces is not None and saved.kind in (Kind.RUBRIC, Kind.UNDO):
            before = self._by_id(db, saved.replaces)
            if saved.kind is Kind.UNDO:
                undone = self._grading(db, before)
                saved = None if undone is None or undone.replaces is None else self._by_id(db, undone.replaces)
            else:
                saved = before
        return saved

    def _by_newest_rubric(self, db: Connection, place: Place, marks: Marks) -> Marks:
        version = self._version(db, place)
        if marks.rubric_version == version:
            return marks
        body = db.scalar(of(select(RubricRow.body), RubricRow, place).where(RubricRow.version == version))
        return (
            replace(marks, rubric_version=version)
            if body is None
            else regraded(marks, Rubric.from_json(body, version), {})
        )

    def _by_id(self, db: Connection, number: int) -> Saved:
        if number not in self._replaced:
            self._replaced[number] = _saved(db.execute(_DECISIONS.where(Decision.id == number)).one())
        return self._replaced[number]


_DECISIONS = select(
    Decision.id,
    Decision.student,
    Decision.answer,
    Decision.by,
    Decision.at,
    Decision.kind,
    Decision.score,
    Decision.ticks,
    Decision.adjustment,
    Decision.reason,
    Decision.comment,
    Decision.rubric_version,
    Decision.replaces,
    Decision.batch,
)


def regraded(marks: Marks, rubric: Rubric, renamed: Mapping[str, str]) -> Marks:
    """Marks by another version of the rubric; those without a score stay without."""
    there = {item.key for item in rubric.items}
    moved = dict.fromkeys(renamed.get(key, key) for key in marks.ticks)
    ticks = tuple(key for key in moved if key in there)
    score = None if marks.score is None else rubric.score(ticks, marks.adjustment)
    return replace(marks, ticks=ticks, score=score, rubric_version=rubric.version)


def _saved(row: Any) -> Saved:
    marks = Marks(row.score, tuple(row.ticks), row.adjustment, row.reason, row.comment, row.rubric_version)
    return Saved(row.id, row.student, row.answer, row.by, row.at, Kind(row.kind), marks, row.replaces, row.batch)
