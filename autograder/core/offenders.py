"""Finds the inputs on which a batch step fails, so that the step can run on the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from autograder.core.errors import AutograderError

_T = TypeVar("_T")


def without_offenders(
    items: Sequence[_T], step: Callable[[Sequence[_T]], object]
) -> tuple[list[_T], list[tuple[_T, Exception]]]:
    """Runs a step on each item alone; returns the items on which it succeeds, and those on which it raises.

    Args:
        items: a batch on which the step failed.
        step: called with a list of one item. Its `AutograderError`s are not caught.

    Returns:
        The items on which the step succeeds, and pairs of an item and the exception it raised.
    """
    sound, offenders = [], []
    for item in items:
        try:
            step([item])
            sound.append(item)
        except AutograderError:
            raise
        except Exception as error:
            offenders.append((item, error))
    return sound, offenders
