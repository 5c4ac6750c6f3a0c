"""Says what may explain an item's result beside its checks: the machine, another wrong item, random generators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from autograder.core.results import ItemResult, Status
from autograder.core.text import listed
from autograder.grading.failed import environment
from autograder.grading.item_cache import DOUBTFUL
from autograder.grading.verdict import Verdict
from autograder.sandbox.limits import SessionLimits
from homework.hand_in.log import WITHOUT_TORCH

if TYPE_CHECKING:
    from autograder.course.problem import Item


def of_machine(item: Item, result: ItemResult, recorded: ItemResult | None, place: str) -> Iterator[str]:
    """What the machine's limits and its load have to do with the result.

    Args:
        item: the item.
        result: the result of grading it again.
        recorded: the recorded result; None if there is none.
        place: path and line of the item's test cell in the source.
    """
    if result.status is Status.TIMEOUT:
        yield (
            f"the test may take {item.seconds:g} s of processor time; `seconds=` in the head of the test cell at "
            f"{place} sets the limit. Raise it and inspect again to see whether the answer is right but slow"
        )
    elif result.status in DOUBTFUL:
        yield f"a process of the student's may use {SessionLimits().memory / 2**30:g} GiB of memory"
    if recorded is not None and recorded.status in DOUBTFUL and result.status not in DOUBTFUL:
        words = str(recorded.status).replace("_", " ")
        yield f"the recorded result ({words}) did not happen again: a busy or small machine can cause it. Grade again"


def of_environment(theirs: Mapping[str, str]) -> Iterator[str]:
    """Where the student's log was written by other software than grading uses.

    Args:
        theirs: `environment` of the log.
    """
    ours = environment()
    others = [name for name in ("python", "torch") if theirs.get(name, ours[name]) not in (ours[name], WITHOUT_TORCH)]
    if others:
        there, here = (" and ".join(f"{name} {versions[name]}" for name in others) for versions in (theirs, ours))
        yield f"The student worked with {there}; grading has {here}. Functions may be missing or behave differently."


def of_other_items(others: Sequence[str], points: float, with_right: Verdict | None) -> Iterator[str]:
    """That the item's code uses items which did not pass, and what it gets when these are right.

    Args:
        others: ids of those items.
        points: what the item is worth.
        with_right: the verdict with the reference's functions in their place; None if it is not known.
    """
    if others:
        names = listed(others, 6)
        said = f"it uses {names}, which did not pass"
        if with_right is not None:
            score = with_right.score(points)
            then = f"{score:g} of {points:g}, {with_right.status}"
            cause = f"{names} is the cause" if score >= points else "its own code has a mistake, too"
            said += f"; with the reference's function in its place: {then}. So {cause}"
        yield said
