"""Plain numbers, and tensors with one element."""

from __future__ import annotations

from homework.lazy_torch import is_tensor, torch


def is_whole(value: object) -> bool:
    """Is it an `int` and not a `bool`?"""
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(value: float | torch.Tensor) -> float:
    """The float of a number or of a tensor with one element, with or without gradient."""
    return float(value.detach() if is_tensor(value) else value)
