"""Who grades: a token for each grader, which answers they have before them, and what else they did."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from autograder.desk.database import Database, is_answer, now, of
from autograder.desk.place import Place
from autograder.desk.tables import Claim, Decision, Event, Grader, Setting

CLAIM = timedelta(minutes=10)
"""How long an answer belongs to who opened it last."""
NAME_SHOWN, SECOND_OPINION, OPINION_WITHDRAWN = "name shown", "second opinion", "opinion withdrawn"
RUBRIC_CHANGED = "rubric changed"
"""Kinds of what a grader does beside grading."""

_SKEW = timedelta(minutes=1)
"""How far a claim may lie in the future: clocks of two machines differ. Beyond that, the clock was set back."""


class Noted(NamedTuple):
    """Something that a grader did beside grading."""

    student: str
    kind: str
    by: str
    at: datetime
    after: int
    """Number of the latest decision before it."""


class Graders:
    """The people who grade.

    Args:
        database: the desk's database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._admitted: dict[str, str] = {}
        """Digest of a token → grader, for tokens that end with this process."""

    def secret(self) -> str:
        """The database's secret, drawn at the first call."""
        with contextlib.suppress(IntegrityError), self._db.writing() as db:  # it is there, or another desk draws it
            db.execute(insert(Setting), {"name": "secret", "value": secrets.token_hex(16)})
        with self._db.read() as db:
            return str(db.scalar(select(Setting.value).where(Setting.name == "secret")))

    def invite(self, name: str) -> str:
        """A new token for a grader; an earlier one stops working."""
        token = secrets.token_urlsafe(24)
        row = {"name": name, "token_sha256": _digest(token), "invited_at": now()}
        with self._db.writing() as db:
            db.execute(delete(Grader).where(Grader.name == name))
            db.execute(insert(Grader), row)
        return token

    def admit(self, name: str) -> str:
        """A token for a grader that ends with this process; earlier ones stay valid."""
        token = secrets.token_urlsafe(24)
        self._admitted[_digest(token)] = name
        return token

    def grader(self, token: str) -> str | None:
        """The name of who has this token."""
        if _digest(token) in self._admitted:
            return self._admitted[_digest(token)]
        with self._db.read() as db:
            found: str | None = db.scalar(select(Grader.name).where(Grader.token_sha256 == _digest(token)))
        return found

    def claim(self, place: Place, student: str, by: str) -> bool:
        """Claims an answer; False if another grader has it. A claim ends with `CLAIM`, or when the clock jumps."""
        at = now()
        values = {"problem": place.problem, "item": place.item, "student": student, "by": by, "since": at}
        try:
            with self._db.writing() as db:
                row = db.execute(select(Claim.by, Claim.since).where(*is_answer(Claim, place, student))).first()
                if row is not None and row.by != by and _holds(at - row.since):
                    return False
                if row is None:
                    db.execute(insert(Claim), values)
                    return True
                seen = (*is_answer(Claim, place, student), Claim.by == row.by, Claim.since == row.since)
                return bool(db.execute(update(Claim).where(*seen).values(by=by, since=at)).rowcount)
        except IntegrityError:  # another grader claimed it at the same moment
            return False

    def claimed(self, place: Place) -> dict[str, str]:
        """Student → who has the answer before them."""
        at = now()
        with self._db.read() as db:
            rows = db.execute(of(select(Claim.student, Claim.by, Claim.since), Claim, place))
            return {student: by for student, by, since in rows if _holds(at - since)}

    def note(self, place: Place, student: str, by: str, kind: str) -> None:
        """Notes an event, and the latest decision before it: clocks may jump."""
        values = {"problem": place.problem, "item": place.item, "student": student, "by": by, "at": now()}
        with self._db.writing() as db:
            latest = db.scalar(select(func.max(Decision.id))) or 0
            db.execute(insert(Event), {**values, "kind": kind, "note": str(latest)})

    def last_noted(self, by: str) -> int:
        """The latest decision before a grader last changed a rubric, asked for a second opinion or withdrew one."""
        query = select(Event.note).where(Event.by == by, Event.kind != NAME_SHOWN).order_by(Event.id.desc()).limit(1)
        with self._db.read() as db:
            return int(db.scalar(query) or 0)

    def events(self, place: Place) -> list[Noted]:
        """A question's events, the first one first."""
        query = select(Event.student, Event.kind, Event.by, Event.at, Event.note)
        with self._db.read() as db:
            rows = db.execute(of(query, Event, place).order_by(Event.id))
            return [Noted(student, kind, by, at, int(note or 0)) for student, kind, by, at, note in rows]


def _holds(age: timedelta) -> bool:
    return -_SKEW <= age <= CLAIM


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
