"""The tables of the desk's database. Decisions are only ever added; `standing` says which one counts.

rubric ──< decision >── standing (one per answer)      claim: who has an answer before them
                                                       event: names shown, second opinions asked for, ...
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_ID = String(200)
_LONG_ID = String(400)


class Base(DeclarativeBase):  # type: ignore[misc]  # SQLAlchemy is not checked
    """Base of all tables."""


class Grader(Base):
    """A person who grades."""

    __tablename__ = "grader"
    name: Mapped[str] = mapped_column(_ID, primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    invited_at: Mapped[datetime]


class Setting(Base):
    """Something that holds for the whole database."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(_ID, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class RubricRow(Base):
    """A version of a question's rubric."""

    __tablename__ = "rubric"
    __table_args__ = (UniqueConstraint("problem", "item", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    problem: Mapped[str] = mapped_column(_ID)
    item: Mapped[str] = mapped_column(_ID)
    version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(_ID)
    at: Mapped[datetime]


class Decision(Base):
    """What one person decided about one answer; never changed, never removed."""

    __tablename__ = "decision"
    __table_args__ = (Index("decision_answer", "problem", "item", "student"), Index("decision_by", "by", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    problem: Mapped[str] = mapped_column(_ID)
    item: Mapped[str] = mapped_column(_ID)
    student: Mapped[str] = mapped_column(_LONG_ID)
    answer: Mapped[str] = mapped_column(String(64))
    """Digest of the answer that was graded."""
    by: Mapped[str] = mapped_column(_ID)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))
    """One of `Kind`."""
    score: Mapped[float | None]
    """None: the answer is not graded any more, after an undo."""
    ticks: Mapped[list[str]] = mapped_column(JSON)
    """Keys of the ticked rubric items."""
    adjustment: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    """Reason of the adjustment."""
    comment: Mapped[str] = mapped_column(Text)
    rubric_version: Mapped[int]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    """The decision that counted before."""
    batch: Mapped[str] = mapped_column(String(40))
    """The same for all decisions that one action made: a group, a change of the rubric."""


class AnswerText(Base):
    """An answer that was graded, since a new submission replaces it in the graded folder."""

    __tablename__ = "answer_text"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class Standing(Base):
    """Which decision counts for an answer, and whether the gradebook has it."""

    __tablename__ = "standing"
    problem: Mapped[str] = mapped_column(_ID, primary_key=True)
    item: Mapped[str] = mapped_column(_ID, primary_key=True)
    student: Mapped[str] = mapped_column(_LONG_ID, primary_key=True)
    decision: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    recorded: Mapped[int | None]
    """The decision that the gradebook has; None: none of the desk's."""


class Claim(Base):
    """An answer that a grader has open."""

    __tablename__ = "claim"
    problem: Mapped[str] = mapped_column(_ID, primary_key=True)
    item: Mapped[str] = mapped_column(_ID, primary_key=True)
    student: Mapped[str] = mapped_column(_LONG_ID, primary_key=True)
    by: Mapped[str] = mapped_column(_ID)
    since: Mapped[datetime]


class Event(Base):
    """Anything else that is to be known later."""

    __tablename__ = "event"
    __table_args__ = (Index("event_answer", "problem", "item", "student"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    problem: Mapped[str] = mapped_column(_ID)
    item: Mapped[str] = mapped_column(_ID)
    student: Mapped[str] = mapped_column(_LONG_ID)
    by: Mapped[str] = mapped_column(_ID)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text)
