"""Redirects GPU devices to the CPU, for the code of one notebook; only processes with torch import it.

Devices named `cuda` become the CPU in every call of torch, by a mode that is on only in notebooks whose own text needs
it, because it costs time. What cannot be redirected raises torch's error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


def redirect_to_cpu() -> None:
    """Redirects all GPU devices to the CPU in this process, until its end."""
    _CpuOnly().__enter__()  # type: ignore[no-untyped-call]
    set_default_device = torch.set_default_device
    torch.set_default_device = lambda device: set_default_device(_cpu(device))
    torch.Generator = _Generator  # type: ignore[misc]
    for name in ("synchronize", "set_device", "init", "ipc_collect", "reset_peak_memory_stats"):
        setattr(torch.cuda, name, _nothing)
    torch.cuda.get_device_name = lambda *_: "CPU: there is no GPU where homework is graded"


def _nothing(*_: Any, **__: Any) -> None:
    """Does what a function of `torch.cuda` does on a machine without a GPU."""


def _cpu(value: Any) -> Any:
    """The CPU for a GPU device, else the value itself."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type == "cuda" else value
    return "cpu" if isinstance(value, str) and re.fullmatch(r"cuda(:\d+)?", value) else value


class _Generator(torch.Generator):
    """A generator of random numbers; one for a GPU is on the CPU."""

    def __new__(cls, device: Any = "cpu") -> _Generator:
        return super().__new__(cls, _cpu(device))  # type: ignore[call-arg]


class _CpuOnly(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.pin_memory:
            return args[0]
        if func is torch.Tensor.cuda:
            return args[0].clone()
        result = func(*map(_cpu, args), **{name: _cpu(value) for name, value in kwargs.items()})
        is_moved = func is torch.Tensor.to and any(_cpu(value) is not value for value in (*args, *kwargs.values()))
        return result.clone() if is_moved and result is args[0] else result
