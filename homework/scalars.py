"""Numbers as they come in: plain ones, and tensors with one element."""

from __future__ import annotations

import torch


def is_whole(value: object) -> bool:
    """Is it an `int`, and not a truth value?"""
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(value: float | torch.Tensor) -> float:
    """A number, or a tensor with one element (gradients do not matter), as a float."""
    return float(value.detach() if isinstance(value, torch.Tensor) else value)
