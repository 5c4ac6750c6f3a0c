"""Lets code that names a GPU or a compiler run on the CPU without one, since the machines that grade have neither.

`torch.cuda.is_available()` stays False. `cpu_only` is for notebooks whose own text names a GPU.
"""

from __future__ import annotations

import re
from typing import Any

_HARMLESS = re.compile(
    r"""(?P<q>["'])cuda(?::\d+)?(?P=q)\s*\)?\s+if\s+(?:torch\.)?cuda\.is_available\(\)"""
    r"""|(?:torch\.)?cuda\.(?:is_available|manual_seed(?:_all)?|device_count)\b"""
)
"""Text about a GPU that asks whether there is one, or does nothing without one."""


def names_gpu(source: str) -> bool:
    """Returns whether a cell names a GPU without asking whether there is one."""
    return "cuda" in source and "cuda" in _HARMLESS.sub("", source)


def not_compiled(model: Any = None, **_: Any) -> Any:
    """Replaces `torch.compile`: returns the model as it is."""
    return (lambda function: function) if model is None else model


def keep_one_thread(_number: int) -> None:
    """Replaces `torch.set_num_threads`: a submission is graded with one thread."""
