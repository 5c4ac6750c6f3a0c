"""What a grader enters on a page: read, checked, and made into marks or into a new rubric."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from autograder.core.errors import AutograderError
from autograder.desk.decisions import Marks, Saved
from autograder.desk.rubric import Rubric, RubricError, RubricItem, from_yaml, merged

_MOST_ADJUSTMENT = 100.0
_LONGEST_COMMENT, _LONGEST_REASON = 10_000, 500


class FormError(AutograderError):
    """What was entered cannot be saved; the message says what to change."""


@dataclass(frozen=True)
class Form:
    """What a grader enters for an answer."""

    ticks: tuple[str, ...]
    adjustment: float
    reason: str
    comment: str
    seen: int | None
    """The decision that counted when the page was shown."""
    answer: str
    """Digest of the answer that was shown."""
    version: int
    """Version of the rubric that was shown."""
    alone: bool = False
    """Whether to grade this answer only, and not the equal ones."""
    is_second: bool = False
    """Whether this is a second, blind grading."""
    replaces_form_grader: bool = False
    """Whether the grader saw the form grader's score, which this one replaces."""


def read_form(data: FormData) -> Form:
    """The form of an answer.

    Raises:
        FormError: a field is not what the page sends.
    """

    def number(name: str, otherwise: str) -> float:
        text = str(data.get(name, "")).strip().replace(",", ".").replace("−", "-") or otherwise
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise FormError(f"{text[:20]!r} is not a number of points; write e.g. -0.5.")
        return found

    seen = str(data.get("seen", ""))
    return Form(
        ticks=tuple(str(key) for key in data.getlist("tick")),
        adjustment=number("adjustment", "0"),
        reason=str(data.get("reason", "")),
        comment=str(data.get("comment", "")).replace("\r\n", "\n"),
        seen=int(seen) if re.fullmatch("[0-9]{1,15}", seen) else None,
        answer=str(data.get("answer", "")),
        version=int(number("version", "0")),
        alone=bool(data.get("alone")),
        is_second=bool(data.get("second")),
        replaces_form_grader=bool(data.get("replaces")),
    )


def marks_of(form: Form, rubric: Rubric) -> Marks:
    """The marks that a form gives by a rubric.

    Raises:
        FormError: they cannot be saved.
    """
    if form.version != rubric.version:
        raise FormError("the rubric changed since this page was shown; look at it and save again.")
    known = {item.key for item in rubric.items}
    if unknown := set(form.ticks) - known:
        raise FormError(f"the rubric has no item {', '.join(sorted(unknown))}; look at it and save again.")
    if not abs(form.adjustment) <= _MOST_ADJUSTMENT:  # false for nan
        raise FormError("the adjustment is not a number of points.")
    if form.adjustment and not form.reason.strip():
        raise FormError("give the reason of the adjustment: the student reads it.")
    if form.reason.strip() and not form.adjustment:
        raise FormError("the reason has no points: enter the points to add beside it, or remove it.")
    if len(form.reason) > _LONGEST_REASON:
        raise FormError(f"the reason has {len(form.reason)} characters; at most {_LONGEST_REASON} can be saved.")
    if len(form.comment) > _LONGEST_COMMENT:
        raise FormError(f"the comment has {len(form.comment)} characters; at most {_LONGEST_COMMENT} can be saved.")
    ticks = tuple(item.key for item in rubric.items if item.key in form.ticks)
    score = rubric.score(ticks, form.adjustment)
    return Marks(score, ticks, form.adjustment, form.reason.strip(), form.comment.strip(), rubric.version)


def shown_marks(saved: Saved | None, entered: FormData | None) -> dict[str, Any]:
    """What stands in the form: what was entered but not saved, or what was saved."""
    if entered is not None:
        return {
            "ticks": {str(key) for key in entered.getlist("tick")},
            "adjustment": str(entered.get("adjustment", "")),
            "reason": str(entered.get("reason", "")),
            "comment": str(entered.get("comment", "")),
        }
    if saved is None or saved.marks.score is None:
        return {"ticks": set(), "adjustment": "", "reason": "", "comment": ""}
    marks = saved.marks
    adjustment = f"{marks.adjustment:g}" if marks.adjustment else ""
    return {"ticks": set(marks.ticks), "adjustment": adjustment, "reason": marks.reason, "comment": marks.comment}


def digest_of(rubric: Rubric, renamed: Mapping[str, str]) -> str:
    """Tells whether a change of a rubric is the one that was previewed."""
    text = json.dumps([rubric.as_json(), rubric.version, renamed], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def entered_rows(form: FormData) -> list[tuple[str, str, str]]:
    """Key, points and text of each item of a rubric as they were entered, right or wrong."""
    columns = [[str(value).strip() for value in form.getlist(name)] for name in ("key", "points", "text")]
    return [row for row in zip(*columns, strict=False) if row[1] or row[2]]


def read_rubric(old: Rubric, form: FormData) -> tuple[Rubric, dict[str, str]]:
    """The rubric that a form describes; and old key → key of the item that takes its place."""
    if str(form.get("yaml", "")).strip():
        return from_yaml(str(form["yaml"]), old), {}
    items: list[RubricItem] = []
    columns = [[str(value).strip() for value in form.getlist(name)] for name in ("key", "text", "points")]
    if len({len(column) for column in columns}) > 1:
        raise RubricError("the form is not complete; open the page again.")
    for key, text, points in zip(*columns, strict=True):
        if not text and not points:
            continue  # a line that was emptied is removed
        try:
            number = float(points.replace(",", ".").replace("−", "-"))
        except ValueError:
            raise RubricError(f"{points[:20]!r} is not a number of points; write e.g. 1.5.") from None
        fresh = Rubric((*old.items, *items), old.most).new_key()
        items.append(RubricItem(key or fresh, number, text))
    chosen = [str(key) for key in form.getlist("merge")]
    new = old.with_items(items)
    if not chosen:
        return new, {}
    joined = " / ".join(item.text for item in new.items if item.key in chosen)
    one, renamed = merged(Rubric(new.items, new.most, old.version), chosen, joined)
    return one, renamed
