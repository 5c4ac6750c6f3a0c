"""Finds the few among many inputs on which a step fails, so that the step can be done for the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from autograder.core.errors import AutograderError

_T = TypeVar("_T")


def without_offenders(
    items: Sequence[_T], step: Callable[[Sequence[_T]], object]
) -> tuple[list[_T], list[tuple[_T, Exception]]]:
    """Those on which a step can be done, and those on which it raises if it is done for one alone, with what.

    Args:
        items: what a step failed on.
        step: is done for each of them alone. An `AutograderError` of it is not caught.
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
