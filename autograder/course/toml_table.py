"""Reads TOML tables strictly: every error names file, table, key, what is wrong and the fix."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.core.errors import CourseError


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint at the known word that is most like this one; empty if none is."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class TomlTable:
    """One TOML table. Each read removes a key, so the keys that remain are unknown.

    Every method that reads a key raises `CourseError` where the value has another form.
    """

    def __init__(self, path: Path, name: str, data: Mapping[str, Any]):
        self.path = path
        self.name = name
        self._left = dict(data)
        self._known: list[str] = []

    def wrong(self, key: str, what: str, fix: str) -> CourseError:
        """The error that names file, table, key, what is wrong and the fix."""
        misspelt = difflib.get_close_matches(key, self._left, n=1)
        if misspelt and "missing" in what:
            return CourseError(f"{self.path}: {self.name} has an unknown key {misspelt[0]!r}; did you mean {key!r}?")
        return CourseError(f"{self.path}: {self.name}, key {key!r} {what}; {fix}.")

    def _take(self, key: str, default: object = None) -> Any:
        self._known.append(key)
        return self._left.pop(key, default)

    def table(self, key: str, optional: bool = False) -> TomlTable:
        """A table."""
        value = self._take(key, {} if optional else None)
        if not isinstance(value, dict):
            raise self.wrong(key, "is missing" if value is None else "is not a table", f"write it as [{key}]")
        return TomlTable(self.path, f"table [{key}]", value)

    def tables(self, key: str) -> list[TomlTable]:
        """The tables of an array."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(key, "is not a list of tables", f"write each as [[{key}]]")
        return [TomlTable(self.path, f"table [[{key}]] number {i}", entry) for i, entry in enumerate(value, start=1)]

    def entries(self) -> dict[str, TomlTable]:
        """All keys that are left, each a table, e.g. `vae = { factor = 1.1 }`."""
        found = {}
        for key in list(self._left):
            value = self._take(key)
            if not isinstance(value, dict):
                raise self.wrong(key, f"is {value!r}", f"write it as a table, e.g. {key} = {{ factor = 1.1 }}")
            found[key] = TomlTable(self.path, f"{self.name}, key {key!r}", value)
        return found

    def text(self, key: str, pattern: str = r"(?s).*\S.*", form: str = "non-empty text") -> str:
        """A text of this form."""
        value = self._take(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self.wrong(key, _missing_or(value), f"it must be {form}, in quotes")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of problem ids."""
        is_id = re.compile(r"[a-z][a-z0-9_]*").fullmatch
        return self._words(key, is_id, 'problem ids, e.g. ["vae", "gan"]', optional=False)

    def places(self, key: str) -> tuple[str, ...]:
        """A list of `problem/item`; empty if the key is missing."""
        is_place = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z_][A-Za-z0-9_]*").fullmatch
        return self._words(key, is_place, 'items, each as problem/item, e.g. ["vae/written_beta"]')

    def modules(self, key: str) -> tuple[str, ...]:
        """A list of names of Python modules; empty if the key is missing."""

        def is_module(name: str) -> bool:
            return all(part.isidentifier() for part in name.split("."))

        found = self._words(key, is_module, 'Python modules, e.g. ["torch", "pandas"]')
        for name in found:
            if found.count(name) > 1:
                raise self.wrong(key, f"lists {name!r} twice", "remove one")
        return found

    def _words(
        self, key: str, is_word: Callable[[str], object], what: str, *, optional: bool = True
    ) -> tuple[str, ...]:
        """A list of texts of one form; `what` describes them."""
        value = self._take(key, [] if optional else None)
        good = isinstance(value, list) and (optional or value)
        for entry in value if good else [None]:
            if not isinstance(entry, str) or not is_word(entry):
                raise self.wrong(key, f"has {entry!r}" if good else _missing_or(value), f"it must be a list of {what}")
        return tuple(value)

    def number(self, key: str, most: float = math.inf, whole: bool = False) -> float | None:
        """A number from 0; None if the key is missing."""
        value = self._take(key)
        if value is None:
            return None
        good = isinstance(value, int) or (isinstance(value, float) and not whole and math.isfinite(value))
        if isinstance(value, bool) or not good or not 0 <= value <= most:
            kind = "a whole number" if whole else "a number"
            limits = "of at least 0" if math.isinf(most) else f"from 0 to {most:g}"
            raise self.wrong(key, f"is {value!r}", f"it must be {kind} {limits}")
        return float(value)

    def moment(self, key: str) -> datetime:
        """A date and time with time zone."""
        value = self._take(key)
        form = "it must be a date and time with time zone, without quotes, e.g. 2027-01-31T23:59:00+01:00"
        if not isinstance(value, datetime):
            raise self.wrong(key, _missing_or(value), form)
        if value.tzinfo is None:
            raise self.wrong(key, f"is {value.isoformat()}, which has no time zone", form)
        return value

    def finish(self) -> None:
        """Raises if unknown keys remain."""
        for key in self._left:
            known = ", ".join(sorted(set(self._known)))
            raise self.wrong(key, f"is unknown{did_you_mean(key, self._known)}", f"known keys: {known}")


def _missing_or(value: object) -> str:
    return "is missing" if value is None else f"is {value!r}"
