"""Encodes and decodes the values that examiner and sandbox exchange: JSON nodes and raw tensor bytes, never pickle.

In a frame's header each value is a plain JSON scalar or a list whose first entry is a tag:

    ["i", hexadecimal digits]  ["f", "nan" | "inf" | "-inf"]  ["b", start, length]   integer, float, bytes
    ["l", ...]  ["t", ...]  ["d", [key, value], ...]                                 list, tuple, dict
    ["n", type, [field, ...], ...]  ["s", frozen, ...]  ["x", real, imaginary]       named tuple, set, complex number
    ["U", shape, [text, ...]]  ["P", kind, parts]  ["O", kind, parts]                array of texts, table, other value
    ["T", dtype, shape, start, length, gradient]  ["A", dtype, shape, start, length] tensor, numpy array
    ["D", name]  ["V", device]  ["G", start, length]                                 dtype, device, generator
    ["S", start, stop, step]  ["E"]                                                  slice, ellipsis
    ["h", number, type, callable]  ["c", number]                                     handle, call-back

Both sides use this module, each with its own functions for handles and callbacks. The decoder is strict: exact types,
exact lengths, bounded size, depth and count; anything else raises `WireError`.
"""

from __future__ import annotations

import collections
import functools
import itertools
import keyword
import math
import re
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from homework.lazy_torch import is_available, is_imported, is_tensor, torch

from . import other_values, tables
from .wire import LIMITS, Limits, UnsendableError, WireError

_SAFE_INTEGER = 2**53
_HEXADECIMAL = re.compile("-?[1-9a-f][0-9a-f]*")

DTYPES = {"bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8}
DTYPES |= {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
"""Name of each data type of tensors that can be sent → bytes of an entry."""
_ARRAY_DTYPES = frozenset("bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 float32 float64".split())

_ITERATORS: tuple[type, ...] = (
    types.GeneratorType,
    map,
    filter,
    zip,
    enumerate,
    range,
    reversed,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
    type(iter([])),
    type(iter(())),
    type(iter({})),
    type(iter({}.values())),
    type(iter({}.items())),
    type(collections.OrderedDict().keys()),
    type(collections.OrderedDict().values()),
    type(collections.OrderedDict().items()),
)
_TIMES = (np.datetime64, np.timedelta64)
_DICTS: tuple[type, ...] = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)

_MOST_KINDS = 100
"""Maximum number of types of named tuples in one frame; making one takes a tenth of a millisecond."""

_PLAIN, _INFERENCE = -1, -2
"""In place of a tensor's gradient index: it needs no gradient; it was made in inference mode and must stay unusable for
autograd.
"""


@dataclass
class Encoder:
    """Encodes values as header nodes and body bytes of one frame.

    `opaque` returns the node of a value that is not plain data (an object that stays here, a callback); it raises
    `UnsendableError` if the value cannot be sent.
    """

    opaque: Callable[[Any], list[Any]]
    body: bytearray = field(default_factory=bytearray)
    differentiable: list[torch.Tensor] = field(default_factory=list)
    """Encoded tensors that require a gradient, in order; their nodes contain the index in this list."""
    dtypes: set[str] = field(default_factory=set)
    """Names of the data types of the encoded tensors."""
    count: int = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The node of one value.

        Raises:
            UnsendableError: the value cannot be sent, is too large or is nested too deeply.
        """
        self.count += 1
        if depth > LIMITS.depth:
            raise UnsendableError("a value is nested too deeply")
        if self.count > LIMITS.values:
            raise UnsendableError("a value has too many parts")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else ["i", format(value, "x")]
        if kind is float:
            return value if math.isfinite(value) else ["f", repr(value)]
        if kind is bytes:
            return ["b", *self._put(value)]
        if is_tensor(value):
            return self._tensor(value)
        if kind is np.ndarray:
            return self._array(value)
        if isinstance(value, np.generic) and kind.__module__ == "numpy" and kind not in _TIMES:
            return self.encode(_python_scalar(value), depth)
        if kind is list:
            return ["l", *(self.encode(entry, depth + 1) for entry in value)]
        if kind is tuple or (is_imported() and kind is torch.Size):
            return ["t", *(self.encode(entry, depth + 1) for entry in value)]
        if kind in _DICTS:
            return ["d", *([self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in value.items())]
        if isinstance(value, tuple) and _is_named_tuple(kind):
            fields = list(kind._fields)
            return ["n", kind.__name__, fields, *(self.encode(entry, depth + 1) for entry in tuple(value))]
        if kind in _ITERATORS:
            entries = list(itertools.islice(value, LIMITS.values + 1))
            return ["l", *(self.encode(entry, depth + 1) for entry in entries)]
        if is_imported():
            if kind is torch.dtype and _dtype_name(value) in DTYPES:
                return ["D", _dtype_name(value)]
            if kind is torch.device:
                return ["V", str(value)]
            if kind is torch.Generator:
                return ["G", *self._put(value.get_state().numpy().tobytes())]
        if kind is slice:
            return ["S", *(self.encode(part, depth + 1) for part in (value.start, value.stop, value.step))]
        if value is Ellipsis:
            return ["E"]
        if (kind is set or kind is frozenset) and all(map(_is_key, value)):
            return ["s", kind is frozenset, *(self.encode(entry, depth + 1) for entry in value)]
        if kind is complex:
            return ["x", self.encode(value.real), self.encode(value.imag)]
        return self._table(value, depth) or self._other(value, depth) or self.opaque(value)

    def _table(self, value: Any, depth: int) -> list[Any] | None:
        try:
            found = tables.taken_apart(value)
        except tables.NotPlainError:
            return None
        return found and ["P", found[0], self.encode(found[1], depth + 1)]

    def _other(self, value: Any, depth: int) -> list[Any] | None:
        found = other_values.taken_apart(value)
        return found and ["O", found[0], self.encode(found[1], depth + 1)]

    def _put(self, data: bytes) -> tuple[int, int]:
        start = len(self.body)
        if start + len(data) > LIMITS.body:
            raise UnsendableError("the tensors of one call are too large")
        self.body += data
        return start, len(data)

    def _tensor(self, value: torch.Tensor) -> list[Any]:
        if type(value) is not torch.Tensor and type(value) is not torch.nn.Parameter:
            value = value.as_subclass(torch.Tensor)  # only its numbers and its graph are needed
        name = _dtype_name(value.dtype)
        if value.layout is not torch.strided or value.is_quantized or name not in DTYPES:
            raise UnsendableError(f"a tensor of {value.dtype} and {value.layout} cannot be sent; use a dense real one")
        index = _PLAIN
        if value.is_inference():
            index = _INFERENCE
        elif value.requires_grad:
            index = len(self.differentiable)
            self.differentiable.append(value)
        self.dtypes.add(name)
        flat = value.detach().to("cpu").clone(memory_format=torch.contiguous_format).reshape(-1)
        raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        return ["T", name, list(value.shape), *self._put(raw), index]

    def _array(self, value: np.ndarray[Any, Any]) -> list[Any]:
        if value.dtype.kind == "U":
            return ["U", list(value.shape), self.encode(value.ravel().tolist(), 1)]
        if value.dtype.name not in _ARRAY_DTYPES:
            other = self._other(value, 1)
            if other is None:
                raise UnsendableError(f"a numpy array of dtype {value.dtype} cannot be sent")
            return other
        native = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
        return ["A", value.dtype.name, list(value.shape), *self._put(native.tobytes())]


@functools.cache
def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _python_scalar(value: np.generic) -> Any:
    item = value.item()
    if not isinstance(item, np.generic):
        return item
    return complex(item) if isinstance(item, np.complexfloating) else float(item)  # of more bits than Python's


def _is_named_tuple(kind: type) -> bool:
    fields = getattr(kind, "_fields", None)
    return (
        kind.__bases__ == (tuple,)
        and type(fields) is tuple
        and len(fields) <= 64
        and all(type(name) is str and _is_field(name) for name in fields)
    )


def _is_field(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and not keyword.iskeyword(name) and len(name) <= 64


# --- values in --------------------------------------------------------------------------------------------------------


@dataclass
class Decoder:
    """Decodes the untrusted nodes of one frame into values.

    `handle` and `callback` return the object with a number on this side; `tensor` gets each tensor with a gradient
    index and returns the tensor to use in its place.
    """

    body: bytes
    handle: Callable[[int, str, bool], Any]
    callback: Callable[[int], Any]
    tensor: Callable[[torch.Tensor, int], torch.Tensor] = lambda value, _index: value
    limits: Limits = LIMITS
    count: int = 0
    taken: int = 0
    kinds: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    """Names and fields of the named tuples."""

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of one node.

        Raises:
            WireError: the node is invalid or exceeds a limit.
        """
        self.count += 1
        if self.count > self.limits.values or depth > self.limits.depth:
            raise WireError("a value has too many parts or is nested too deeply")
        kind = type(node)
        if node is None or kind is bool or kind is str:
            return node
        if kind is int:
            if not -_SAFE_INTEGER <= node <= _SAFE_INTEGER:
                raise WireError("an integer beyond 2**53 must be sent as digits")
            return node
        if kind is float:
            if not math.isfinite(node):
                raise WireError("a float that is not finite must be sent by name")
            return node
        if kind is not list or not node or type(node[0]) is not str:
            raise WireError("a value has no tag")
        reader = self._READERS.get(node[0])
        if reader is None:
            raise WireError(f"unknown tag {node[0][:8]!r}")
        return reader(self, node[1:], depth)

    def _integer(self, parts: list[Any], _depth: int) -> int:
        (digits,) = self._exactly(parts, str)
        if len(digits) > 4096 or not _HEXADECIMAL.fullmatch(digits):
            raise WireError("an invalid integer")
        value = int(digits, 16)
        if -_SAFE_INTEGER <= value <= _SAFE_INTEGER:
            raise WireError("an integer up to 2**53 must be sent as a number")
        return value

    def _float(self, parts: list[Any], _depth: int) -> float:
        (name,) = self._exactly(parts, str)
        if name not in ("nan", "inf", "-inf"):
            raise WireError("a float with an unknown name")
        return float(name)

    def _bytes(self, parts: list[Any], _depth: int) -> bytes:
        start, length = self._exactly(parts, int, int)
        return self._slice(start, length)

    def _list(self, parts: list[Any], depth: int) -> list[Any]:
        return [self.decode(entry, depth + 1) for entry in parts]

    def _tuple(self, parts: list[Any], depth: int) -> tuple[Any, ...]:
        return tuple(self._list(parts, depth))

    def _dict(self, parts: list[Any], depth: int) -> dict[Any, Any]:
        result = {}
        for pair in parts:
            if type(pair) is not list or len(pair) != 2:
                raise WireError("a dict entry that is not a pair")
            key = self.decode(pair[0], depth + 1)
            if not _is_key(key):
                raise WireError("a dict key that is not plain")
            result[key] = self.decode(pair[1], depth + 1)
        return result

    def _named_tuple(self, parts: list[Any], depth: int) -> Any:
        if len(parts) < 2 or type(parts[0]) is not str or type(parts[1]) is not list:
            raise WireError("a named tuple without name or fields")
        fields, values = parts[1], parts[2:]
        good = all(type(name) is str and _is_field(name) for name in fields)
        if not good or len(set(fields)) != len(fields) or len(fields) != len(values) or len(fields) > 64:
            raise WireError("a named tuple whose fields do not fit")
        self.kinds.add((parts[0], tuple(fields)))
        if len(self.kinds) > _MOST_KINDS:
            raise WireError("named tuples of too many types")
        made = _named_tuple_type(parts[0] if _is_field(parts[0]) else "Result", tuple(fields))
        return made(*self._list(values, depth))

    def _dense(self, parts: list[Any], size_of: Callable[[str], int]) -> tuple[str, list[int], bytes]:
        name, shape, start, length = self._exactly(parts, str, list, int, int)
        if len(shape) > 16 or any(type(side) is not int or not 0 <= side < 2**31 for side in shape):
            raise WireError("a tensor of an impossible shape")
        if math.prod(shape) * size_of(name) != length:
            raise WireError("a tensor whose bytes do not fit its shape")
        if math.prod(side for side in shape if side) * size_of(name) > self.limits.body:  # a mean over the empty axis
            raise WireError("an empty tensor that would be too large")
        return name, shape, self._slice(start, length)

    def _tensor(self, parts: list[Any], _depth: int) -> torch.Tensor:
        if len(parts) != 5 or type(parts[4]) is not int:
            raise WireError("a tensor without gradient index")
        name, shape, raw = self._dense(parts[:4], _tensor_item_size)
        if name == "bool" and raw and max(raw) > 1:
            raise WireError("a boolean tensor with other values than 0 and 1")
        _require_torch()
        dtype = getattr(torch, name)
        try:
            value = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
            value = value.reshape(shape)
        except RuntimeError as error:
            raise WireError(f"a tensor of an impossible shape: {error}") from None
        if parts[4] == _INFERENCE:
            with torch.inference_mode():
                return value.clone()
        return self.tensor(value, parts[4]) if parts[4] >= 0 else value

    def _array(self, parts: list[Any], _depth: int) -> np.ndarray[Any, Any]:
        name, shape, raw = self._dense(parts, _array_item_size)
        if name == "bool" and raw and max(raw) > 1:
            raise WireError("a boolean array with other values than 0 and 1")
        try:
            return np.frombuffer(bytearray(raw), dtype=name).reshape(shape)
        except ValueError as error:
            raise WireError(f"an array of an impossible shape: {error}") from None

    def _set(self, parts: list[Any], depth: int) -> set[Any] | frozenset[Any]:
        if not parts or type(parts[0]) is not bool:
            raise WireError("a set without its kind")
        entries = self._list(parts[1:], depth)
        if not all(map(_is_key, entries)):
            raise WireError("a set of values that are not plain")
        found = set()
        for entry in entries:  # one by one: many of one hash take long, and the time limit holds between two
            found.add(entry)
        return frozenset(found) if parts[0] else found

    def _complex(self, parts: list[Any], depth: int) -> complex:
        numbers = self._list(parts, depth)
        if len(numbers) != 2 or any(type(number) is not float for number in numbers):
            raise WireError("a complex number without two parts")
        return complex(*numbers)

    def _texts(self, parts: list[Any], depth: int) -> np.ndarray[Any, Any]:
        shape, node = self._exactly(parts, list, list)
        texts = self.decode(node, depth + 1)
        if type(texts) is not list or not all(type(text) is str for text in texts):
            raise WireError("an array of texts with something else")
        longest = max(map(len, texts), default=1)
        if 4 * longest * len(texts) > self.limits.body:  # each takes the room of the longest one
            raise WireError("an array of texts that would be too large")
        return np.array(texts, dtype=f"U{max(longest, 1)}").reshape(other_values.shape_of(shape, len(texts)))

    def _table(self, parts: list[Any], depth: int) -> Any:
        return tables.put_together(*self._kind_and_parts(parts, depth))

    def _other(self, parts: list[Any], depth: int) -> Any:
        return other_values.put_together(*self._kind_and_parts(parts, depth))

    def _kind_and_parts(self, parts: list[Any], depth: int) -> tuple[Any, Any]:
        if len(parts) != 2:
            raise WireError("a value without its parts")
        return parts[0], self.decode(parts[1], depth + 1)

    def _dtype(self, parts: list[Any], _depth: int) -> torch.dtype:
        (name,) = self._exactly(parts, str)
        if name not in DTYPES:
            raise WireError("an unknown dtype")
        _require_torch()
        dtype: torch.dtype = getattr(torch, name)
        return dtype

    def _device(self, parts: list[Any], _depth: int) -> torch.device:
        (name,) = self._exactly(parts, str)
        if name not in ("cpu", "cuda", "cuda:0"):
            raise WireError("an unknown device")
        _require_torch()
        return torch.device(name)

    def _generator(self, parts: list[Any], _depth: int) -> torch.Generator:
        start, length = self._exactly(parts, int, int)
        _require_torch()
        generator = torch.Generator()
        raw = self._slice(start, length)
        if len(raw) != generator.get_state().numel():
            raise WireError("a generator's state of the wrong length")
        try:
            generator.set_state(torch.frombuffer(bytearray(raw), dtype=torch.uint8))
        except RuntimeError as error:
            raise WireError(f"an invalid generator state: {error}") from None
        return generator

    def _slice_value(self, parts: list[Any], depth: int) -> slice:
        if len(parts) != 3:
            raise WireError("a slice without three parts")
        bounds = self._list(parts, depth)
        if any(bound is not None and type(bound) is not int for bound in bounds):
            raise WireError("a slice with odd bounds")
        return slice(*bounds)

    def _ellipsis(self, parts: list[Any], _depth: int) -> Any:
        self._exactly(parts)
        return Ellipsis

    def _handle(self, parts: list[Any], _depth: int) -> Any:
        number, name, is_callable = self._exactly(parts, int, str, bool)
        return self.handle(number, name, is_callable)

    def _callback(self, parts: list[Any], _depth: int) -> Any:
        (number,) = self._exactly(parts, int)
        return self.callback(number)

    def _exactly(self, parts: list[Any], *kinds: type) -> list[Any]:
        if len(parts) != len(kinds) or any(type(part) is not kind for part, kind in zip(parts, kinds, strict=True)):
            raise WireError("a value whose parts have the wrong types")
        return parts

    def _slice(self, start: int, length: int) -> bytes:
        if start < 0 or length < 0 or start + length > len(self.body):
            raise WireError("a value points outside its frame")
        self.taken += length
        if self.taken > self.limits.body:
            raise WireError("the values of one frame point at more bytes than a frame may hold")
        return self.body[start : start + length]

    _READERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "i": _integer,
        "f": _float,
        "b": _bytes,
        "l": _list,
        "t": _tuple,
        "d": _dict,
        "n": _named_tuple,
        "T": _tensor,
        "A": _array,
        "D": _dtype,
        "V": _device,
        "G": _generator,
        "S": _slice_value,
        "E": _ellipsis,
        "s": _set,
        "x": _complex,
        "U": _texts,
        "P": _table,
        "O": _other,
        "h": _handle,
        "c": _callback,
    }


@functools.lru_cache(maxsize=256)
def _named_tuple_type(name: str, fields: tuple[str, ...]) -> Any:
    """A named-tuple type, cached because creating it takes a thousand times as long as creating an instance."""
    return collections.namedtuple(name, fields)


def _is_key(key: Any) -> bool:
    if type(key) in (tuple, frozenset):
        return all(_is_key(part) for part in key)
    return key is None or type(key) in (str, int, float, bool)


def _require_torch() -> None:
    """Imports torch for the first value that needs it.

    Raises:
        WireError: it is not installed here.
    """
    if not (is_imported() or is_available()):
        raise WireError("a value of torch, which is not installed here")


def _tensor_item_size(name: str) -> int:
    if name not in DTYPES:
        raise WireError("a tensor of an unknown dtype")
    return DTYPES[name]


def _array_item_size(name: str) -> int:
    if name not in _ARRAY_DTYPES:
        raise WireError("an array of an unknown dtype")
    return np.dtype(name).itemsize
