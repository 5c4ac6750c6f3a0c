"""Digests of plain values: equal values have equal digests on every machine."""

from __future__ import annotations

import hashlib
import json


def key_of(*parts: object) -> str:
    """The SHA-256 of plain values, as hex digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
