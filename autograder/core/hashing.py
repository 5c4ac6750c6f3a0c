"""Digests that name the content of plain values: equal values, equal digests, on every machine."""

from __future__ import annotations

import hashlib
import json


def key_of(*parts: object) -> str:
    """The digest of some plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
