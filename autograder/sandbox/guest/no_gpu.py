"""Lets code that names a GPU or a compiler run on the CPU without one, since the machines that grade have neither.

`torch.cuda.is_available()` stays False. Devices named `cuda` become the CPU in every call of torch, by a mode that is
on only in notebooks whose own text needs it, because it costs time. What cannot be redirected raises torch's error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_HARMLESS = re.compile(
    r"""(?P<q>["'])cuda(?::\d+)?(?P=q)\s*\)?\s+if\s+(?:torch\.)?cuda\.is_available\(\)"""
    r"""|(?:torch\.)?cuda\.(?:is_available|manual_seed(?:_all)?|device_count)\b"""
)
"""Text about a GPU that asks whether there is one, or does nothing without one."""


def names_gpu(source: str) -> bool:
    """Returns whether a cell names a GPU without asking whether there is one."""
    return "cuda" in source and "cuda" in _HARMLESS.sub("", source)


def redirect_to_cpu() -> None:
    """Redirects all GPU devices to the CPU in this process, until its end."""
    _CpuOnly().__enter__()  # type: ignore[no-untyped-call]
    set_default_device = torch.set_default_device
    torch.set_default_device = lambda device: set_default_device(_cpu(device))
    torch.Generator = _Generator  # type: ignore[misc]
    for name in ("synchronize", "set_device", "init", "ipc_collect", "reset_peak_memory_stats"):
        setattr(torch.cuda, name, _nothing)
    torch.cuda.get_device_name = lambda *_: "CPU: there is no GPU where homework is graded"


def not_compiled(model: Any = None, **_: Any) -> Any:
    """Replaces `torch.compile`: returns the model as it is."""
    return (lambda function: function) if model is None else model


def keep_one_thread(_number: int) -> None:
    """Replaces `torch.set_num_threads`: a submission is graded with one thread."""


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
