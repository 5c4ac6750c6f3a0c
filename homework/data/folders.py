"""Where data lie on this machine: in a folder that somebody prepared, or in the cache."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(*parts: str) -> Path | None:
    """`parts` below `$HOMEWORK_DATA`; None if that is not set."""
    folder = os.environ.get("HOMEWORK_DATA", "").strip()
    return Path(folder).expanduser().joinpath(*parts) if folder else None


def cache_folder(*parts: str) -> Path:
    """Where downloaded data are kept: `parts` below `$HOMEWORK_CACHE`, else below `~/.cache/homework`."""
    folder = os.environ.get("HOMEWORK_CACHE", "").strip() or "~/.cache/homework"
    return Path(folder).expanduser().joinpath(*parts)
