"""Text that can be written: JSON and Python know half surrogate pairs, which no file, page or database takes."""

from __future__ import annotations

from typing import Any


def well_formed(text: str) -> str:
    """The text with a question mark for each half surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def well_formed_json(value: Any) -> Any:
    """JSON values with all their texts well-formed, names included.

    Raises:
        RecursionError: they are nested hundreds of levels deep.
    """
    if type(value) is str:
        return well_formed(value)
    if type(value) is list:
        return [well_formed_json(entry) for entry in value]
    if type(value) is dict:
        return {well_formed(name): well_formed_json(entry) for name, entry in value.items()}
    return value
