"""Reads untrusted JSON so that it can be written again: finite numbers, well-formed text, bounded depth."""

from __future__ import annotations

import json
import math
from typing import Any

from autograder.core.text import printable, well_formed

MOST_DEPTH = 100
"""Maximum nesting of lists and objects; a log has ten levels."""


class ContentError(ValueError):
    """The JSON contains a value that cannot be written again; the message begins with a verb and says where."""


def read_json(data: bytes) -> Any:
    """Parses a JSON file; lone surrogates in its strings become question marks.

    Args:
        data: the file's bytes.

    Raises:
        ContentError: a number is infinite (`1e999`), or the nesting is too deep.
        ValueError: not UTF-8 or not JSON; `NaN` and `Infinity` are not JSON.
    """
    try:
        return _checked(json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant), ())
    except RecursionError:
        raise ContentError(f"is nested more than {MOST_DEPTH} levels deep") from None


def _checked(value: Any, path: tuple[str, ...]) -> Any:
    kind = type(value)
    if kind is str:
        return well_formed(value)
    if kind is float and not math.isfinite(value):
        raise ContentError(f"contains an infinite number at {_place(path)}")
    if kind is list or kind is dict:
        if len(path) >= MOST_DEPTH:
            raise ContentError(f"is nested more than {MOST_DEPTH} levels deep at {_place(path)}")
        if kind is list:
            return [_checked(entry, (*path, str(number))) for number, entry in enumerate(value)]
        return {well_formed(name): _checked(entry, (*path, name)) for name, entry in value.items()}
    return value


def _place(path: tuple[str, ...]) -> str:
    """The path to a value as text, e.g. `metrics/vae/test_nelbo/value`, cut if it is long."""
    return printable("/".join(printable(name, 60) for name in path), 200) or "top level"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed in a log")
