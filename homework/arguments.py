"""Finds the arguments that a call changed in place.

Functions of the notebooks must not change their arguments, because the caller may need them again. In test cells
`student.f(x)` checks this for every call of a function, a method or a `functools.partial` that has a name of the
notebook: tensors, arrays, lists and dicts, and the parameters and buffers of modules, unless the test allows these to
change:

    with modules_may_change():
        losses = student.gan_step(generator, discriminator, optimizers, x_real, z)

For other objects, e.g. an instance of the student's class, the test asks for the check: `watched(layer)(x)`. So a
notebook and the grader check the same calls. Gradients, `requires_grad`, the mode of a module and random generators may
change in any call.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np

from homework.checks import CheckFailed
from homework.lazy_torch import is_module, is_tensor, torch

Kind = Literal["tensor", "array", "list", "dict", "set", "table", "module"]
"""What can be changed in place."""
Path = tuple[int | str, ...]
"""Position in an argument: indices and keys; for a module the name of the parameter or buffer."""
_States = dict[Path, tuple[Kind, Any]]
"""Position → kind and state of the value there."""

_DEPTH = 40
"""Lists and dicts nested more deeply are not checked."""

_modules_may_change = False


class Change(NamedTuple):
    """An argument that a call changed."""

    name: str
    """The parameter's name in the function's signature."""
    path: Path
    """Position in the argument."""
    kind: Kind
    """Kind of the changed value."""

    @property
    def hint(self) -> str:
        """What happened, for the author of the function."""
        if self.kind == "module":
            return "Your code changed a module that it got as an argument. The caller still needs it as it was."
        return "Your code changed one of its arguments in place. The caller still needs it as it was: work on a copy."

    @property
    def detail(self) -> str:
        """Which argument, and where in it. In a hidden test it could tell an input, so only visible ones show it."""
        if self.kind == "module":
            return f"`{'.'.join(map(str, self.path))}` of `{self.name}` has other values after the call."
        place = self.name + "".join(f"[{step!r}]" for step in self.path)
        copy = {"tensor": f"{place}.clone()", "list": f"list({place})"}
        copy |= dict.fromkeys(("array", "set", "table"), f"{place}.copy()")
        return f"Changed: `{place}`; a copy is `{copy.get(self.kind, f'dict({place})')}`."


class Watch:
    """Records the arguments of one call, and finds afterwards which of them changed.

    Args:
        args: the positional arguments.
        kwargs: the keyword arguments.
        modules: also check the parameters and buffers of modules?
    """

    def __init__(self, args: Sequence[Any], kwargs: Mapping[str, Any], *, modules: bool) -> None:
        self._arguments: dict[int | str, Any] = dict(enumerate(args))
        self._arguments.update(kwargs)
        self._modules = modules
        self._before = {key: self._states(value, keep=True) for key, value in self._arguments.items()}

    def changes(self, function: Callable[..., Any]) -> list[Change]:
        """The first change of each argument that changed.

        Args:
            function: the called function; its signature gives the arguments their names.
        """
        found = []
        for key, value in self._arguments.items():
            change = _first_difference(self._before[key], self._states(value, keep=False))
            if change is not None:
                path, kind = change
                found.append(Change(self._name(function, key), path, kind))
        return found

    def _states(self, value: Any, keep: bool) -> _States:
        found: _States = {}
        _collect(value, (), found, set(), keep=keep, modules=self._modules)
        return found

    def _name(self, function: Callable[..., Any], key: int | str) -> str:
        if isinstance(key, str):
            return key
        called = function.forward if is_module(function) else function
        try:
            parameters = list(inspect.signature(called).parameters.values())
        except (TypeError, ValueError):  # of a built-in function
            parameters = []
        for place, parameter in enumerate(parameters):
            if place == key or parameter.kind is parameter.VAR_POSITIONAL:
                return parameter.name
        return f"argument_{key + 1}"


@contextmanager
def modules_may_change() -> Iterator[None]:
    """While the block runs, calls of `student`'s functions may change modules among their arguments."""
    global _modules_may_change
    before, _modules_may_change = _modules_may_change, True
    try:
        yield
    finally:
        _modules_may_change = before


def is_function(value: object) -> bool:
    """Whether calls of this value are checked if it has a name of the notebook."""
    return inspect.isfunction(value) or inspect.ismethod(value) or isinstance(value, functools.partial)


def modules_are_watched() -> bool:
    """Must a call leave modules among its arguments unchanged?"""
    return not _modules_may_change


def require_unchanged(changes: Sequence[Change]) -> None:
    """Raises if a call changed an argument.

    Raises:
        CheckFailed: describes the first change; a student may read it.
    """
    if changes:
        raise CheckFailed(changes[0].hint, changes[0].detail)


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with a check after each call that its arguments are unchanged.

    Args:
        function: a callable; in the grader also an object in the student's process.
    """
    across = getattr(type(function), "call_watched", None)  # of `autograder.sandbox.proxy.Handle`
    if across is not None:
        return functools.partial(across, function)

    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        watch = Watch(args, kwargs, modules=modules_are_watched())
        result = function(*args, **kwargs)
        require_unchanged(watch.changes(function))
        return result

    return call


def _collect(value: Any, path: Path, found: _States, seen: set[int], *, keep: bool, modules: bool) -> None:
    """Adds to `found` the state of every mutable value in `value`, by its path."""
    if id(value) in seen or len(path) > _DEPTH:
        return
    if is_tensor(value):
        found[path] = "tensor", _values(value, keep)
    elif isinstance(value, np.ndarray):
        found[path] = "array", (value.dtype, value.shape, value.tobytes())
    elif isinstance(value, (list, tuple, dict)):
        seen.add(id(value))
        entries = list(value.items() if isinstance(value, dict) else enumerate(value))
        plain = [(key, _plain(entry)) for key, entry in entries]
        found[path] = "dict" if isinstance(value, dict) else "list", plain
        for key, entry in entries:
            step = key if type(key) in (int, str) else repr(key)
            _collect(entry, (*path, step), found, seen, keep=keep, modules=modules)
    elif isinstance(value, set):
        found[path] = "set", [_plain(entry) for entry in value]
    elif _is_table(value):
        found[path] = "table", value.copy() if keep else value
    elif modules and is_module(value):
        for name, tensor in (*value.named_parameters(), *value.named_buffers()):
            if not torch.nn.parameter.is_lazy(tensor):
                found[(*path, name)] = "module", _values(tensor, keep)


def _is_table(value: Any) -> bool:
    """Whether it is a table or a column of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))


def _values(tensor: torch.Tensor, keep: bool) -> torch.Tensor | None:
    """The tensor, or a copy of it if `keep`; None if torch cannot copy it."""
    try:
        return tensor.detach().clone() if keep else tensor.detach()
    except (RuntimeError, NotImplementedError):
        return None


class _ThisObject:
    """Equal only to a wrapper of the same object."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ThisObject) and self._value is other._value

    __hash__ = None  # type: ignore[assignment]


def _plain(entry: Any) -> Any:
    """Identifies an entry of a list or dict: its value if it is plain, else the object itself.

    For tensors and collections only the type counts here: their contents are compared separately.
    """
    if entry is None or type(entry) in (bool, int, float, complex, str, bytes) or isinstance(entry, np.generic):
        return repr(entry)
    is_compared = isinstance(entry, (np.ndarray, list, tuple, dict)) or is_tensor(entry)
    return type(entry) if is_compared else _ThisObject(entry)


def _first_difference(before: _States, after: _States) -> tuple[Path, Kind] | None:
    """The outermost position that differs, and the kind of value that was there."""
    for path, (kind, state) in before.items():
        if path not in after or after[path][0] != kind or not _same(state, after[path][1]):
            return path, kind
    return None


def _same(one: Any, other: Any) -> bool:
    if one is None:  # could not be copied, so it counts as unchanged
        return True
    if is_tensor(one) and is_tensor(other):
        return _same_values(one, other)
    if _is_table(one):
        return bool(type(one) is type(other) and one.equals(other))
    return bool(one == other)


def _same_values(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Are shape, data type, device and values equal? NaN equals NaN; what torch cannot compare counts as equal."""
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return False
    try:
        if torch.equal(one, other):
            return True
        floating = one.is_floating_point() or one.is_complex()
        return floating and torch.allclose(one, other, rtol=0.0, atol=0.0, equal_nan=True)
    except (RuntimeError, NotImplementedError):  # e.g. sparse or quantized ones
        return True
