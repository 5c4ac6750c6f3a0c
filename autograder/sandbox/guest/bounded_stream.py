"""A text stream of bounded length, in place of standard output and standard error."""

from __future__ import annotations

import io


class Bounded(io.StringIO):
    """A text stream that keeps the first characters and drops the rest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._left = limit

    def write(self, text: str) -> int:
        """Keeps what there is room for; returns the length of the text."""
        kept = text[: self._left]
        if kept:
            super().write(kept)
            self._left -= len(kept)
            if not self._left:
                super().write("\n[further output dropped]\n")
        return len(text)
