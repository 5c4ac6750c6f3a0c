"""torch, which the first code that uses it imports: work without tensors neither needs torch nor waits for it.

`torch` stands for the module; reading an attribute of it imports torch. Before that no value is a tensor, so
`is_tensor` and `is_module` import nothing; `when_imported` keeps what a process wants of torch, e.g. a seed.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeGuard

from homework.import_hooks import on_import

if TYPE_CHECKING:
    import torch as torch

_waiting: dict[object, Callable[[], object]] = {}
"""What to do after the import, by name."""


class _LazyTorch:
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python and libraries look up such names on every object
            raise AttributeError(name)
        return getattr(importlib.import_module("torch"), name)


def is_imported() -> bool:
    """Whether this process has imported torch."""
    return _is_imported


def is_available() -> bool:
    """Whether torch can be imported; imports it."""
    try:
        importlib.import_module("torch")
    except Exception:  # it is not installed, or its libraries cannot be loaded
        return False
    return _is_imported


def is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Whether the value is a tensor."""
    return _is_imported and isinstance(value, torch.Tensor)


def is_module(value: object) -> TypeGuard[torch.nn.Module]:
    """Whether the value is a module of `torch.nn`."""
    return _is_imported and isinstance(value, torch.nn.Module)


def is_dtype(value: object) -> TypeGuard[torch.dtype]:
    """Whether the value is one of torch's data types."""
    return _is_imported and isinstance(value, torch.dtype)


def is_grad_enabled() -> bool:
    """Whether torch computes gradients; True without torch, because that is its default."""
    return torch.is_grad_enabled() if _is_imported else True


def set_grad_enabled(mode: bool) -> AbstractContextManager[object]:
    """Sets whether torch computes gradients inside the block; does nothing without torch."""
    return torch.set_grad_enabled(mode) if _is_imported else contextlib.nullcontext()


def when_imported(action: Callable[[], object], name: object = None) -> Callable[[], object]:
    """Runs an action now if torch is imported, else right after its import.

    Args:
        action: what to do with torch.
        name: a later action of the same name takes the place of one that waits.

    Returns:
        A function that drops the action if it still waits.
    """
    name = action if name is None else name
    if _is_imported:
        action()
    else:
        _waiting[name] = action
    return lambda: _waiting.pop(name, None)


def _has_been_imported() -> None:
    """Puts the module in the place of the stand-in, so that using it costs no more time; does what waits."""
    global _is_imported
    stand_in, module = globals()["torch"], sys.modules["torch"]
    if not hasattr(module, "Tensor"):  # some other module of this name, e.g. a student's file
        return
    for user in list(sys.modules.values()):
        names = getattr(user, "__dict__", {})
        if names.get("torch") is stand_in:
            names["torch"] = module
    _is_imported = True
    while _waiting:
        _waiting.pop(next(iter(_waiting)))()


_is_imported = "torch" in sys.modules
if not TYPE_CHECKING:
    torch = sys.modules.get("torch") or _LazyTorch()
    if not _is_imported:
        on_import("torch", after=_has_been_imported)
