"""Proxies of the student's functions for tests: `student.f(x)` runs in the sandbox, and gradients flow back.

All data from the sandbox pass the strict decoder of `guest.codec`. The trusted side answers only requests about its own
functions: those that the test passed as arguments, and stand-ins (`Link.replace`).
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import socket
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, get_args

from autograder.core.machine import memory_at_most, memory_with
from autograder.sandbox.guest.codec import DTYPES, Decoder, Encoder
from autograder.sandbox.guest.graphs import Graphs, Sizes, connected, through
from autograder.sandbox.guest.wire import (
    ClosedError,
    Deadline,
    Limits,
    TooLateError,
    UnsendableError,
    WireError,
    receive_frame,
    send_frame,
)
from autograder.sandbox.student_error import StudentError
from homework.arguments import Change, Kind, modules_are_watched, require_unchanged
from homework.lazy_torch import is_grad_enabled, is_imported, is_tensor, set_grad_enabled, torch, when_imported

_MAX_CHANGES = 20
"""Maximum number of changed arguments of one call, and of steps into one argument, in a message."""
_PONG = Limits(header=100, body=0, values=10)
"""Of the answer whether a fork is there."""
_MOST_HEARD = 5_000
"""Characters that are kept of what one call prints."""
_MAX_CALLBACKS = 100_000
"""Maximum number of callbacks that the test of one item answers. A loop over images asks thousands of times, and each
call is kept for a backward pass; memory is limited by `trusted_limits`."""
_DTYPE = "float32"
"""torch's default data type where a notebook does not change it."""
_STAND_IN_MEMORY = 2**30
"""Bytes that a stand-in may allocate in one call; the student's code chooses its arguments."""


class RemoteError(Exception):
    """Student code raised an exception. An instance is also an instance of the built-in type that was raised."""

    error: StudentError
    given: frozenset[str]
    """Names of the data types of the tensors that the call got, e.g. `float32`."""


def remote_error(error: StudentError, given: Collection[str] = ()) -> RemoteError:
    """The exception for an error of student code."""
    base = getattr(builtins, error.kind)
    if not issubclass(base, Exception) or base in _NOT_REBUILT:
        base = Exception
    made = RemoteError if base is Exception else type(f"Remote{error.kind}", (RemoteError, base), {})
    remote = made(error.detail)
    assert isinstance(remote, RemoteError)
    remote.error = error
    remote.given = frozenset(given)
    return remote


# their constructors need more than a message, or catching them has another meaning on the trusted side
_NOT_REBUILT = (
    AssertionError,
    StopIteration,
    StopAsyncIteration,
    ExceptionGroup,
    BaseExceptionGroup,
    UnicodeDecodeError,
    UnicodeEncodeError,
    UnicodeTranslateError,
)


@dataclass(frozen=True)
class NotebookState:
    """What a notebook's cells changed, and a test in the notebook would share: torch's settings, threads."""

    dtype: str = _DTYPE
    """Name of the default data type, untrusted."""
    grad: bool = True
    """Whether gradients are computed."""
    threads: bool = False
    """Whether cells started threads; they have ended where tests run."""

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Applies them in this process while the block runs, from the import of torch on."""
        with contextlib.ExitStack() as undo:

            def apply() -> None:
                undo.callback(torch.set_default_dtype, torch.get_default_dtype())
                torch.set_default_dtype(torch.float64 if self.dtype == "float64" else torch.float32)
                undo.enter_context(torch.set_grad_enabled(self.grad))

            undo.callback(when_imported(apply))
            yield

    @property
    def warning(self) -> str:
        """What a student should know about the changed settings; empty if they are the defaults."""
        found = []
        if self.dtype != _DTYPE:
            found.append(
                f"Your notebook changes torch's default data type to {self.dtype}; undo it with "
                "torch.set_default_dtype(torch.float32) in the same cell."
            )
        if not self.grad:
            found.append(
                "Your notebook turns gradients off for all cells; use `with torch.no_grad():` around the lines that "
                "need it instead of torch.set_grad_enabled(False)."
            )
        if self.threads:
            found.append(
                "Your notebook starts threads in a cell; they have ended when the tests run. Start them inside the "
                "function that uses them."
            )
        return "\n".join(found)


class Handle:
    """A proxy of an object in the sandbox. Calls, indexing, attribute access and passing as an argument work."""

    __slots__ = ("_callable", "_kind", "_link", "_number")

    def __init__(self, link: Link, number: int, kind: str, is_callable: bool) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_callable", is_callable)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._link.get(self._number, name)

    def __getitem__(self, key: Any) -> Any:
        return self._link.index(self._number, key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the object in the sandbox."""
        return self._link.call(self._number, args, kwargs)

    def call_watched(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the object; raises if the call changed an argument (`homework.arguments.watched`)."""
        return self._link.call(self._number, args, kwargs, always=True)

    def __repr__(self) -> str:
        return "<an object on the student's side>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError(
            "an object of the student's code that is not plain data has no truth, length, order or equality here"
        )

    __bool__ = __len__ = __iter__ = __contains__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __setattr__ = __setitem__ = __delattr__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Student:
    """The student's notebook: its attributes are plain values, or handles of other objects.

    Args:
        link: the connection.
        instead: values on this side that are used instead of the notebook's.
    """

    __slots__ = ("_instead", "_link")

    def __init__(self, link: Link, instead: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_instead", instead or {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._instead[name] if name in self._instead else self._link.name(name)


class Link:
    """One connection to a fork of the student's notebook.

    Args:
        sock: socket connected to `guest.server.RequestServer`.
        deadline: after it every request raises `TooLateError`; None: no deadline.
        cells: cell id → text of the notebook's cells, in which the places of errors are looked up.
    """

    def __init__(
        self, sock: socket.socket, deadline: Deadline | None = None, cells: Mapping[str, str] | None = None
    ) -> None:
        self._sock = sock
        self._cells = cells or {}
        self._deadline = deadline
        self._callbacks: list[Callable[..., Any]] = []
        self._stand_ins: set[int] = set()
        self._graphs = Graphs(_MAX_CALLBACKS)
        self._answered = 0
        self._failure: BaseException | None = None
        self._functions: dict[str, Handle] = {}
        self._state: NotebookState | None = None
        self.has_helpers = False
        """Whether names were defined anew (`define`)."""
        self.watches_arguments = True
        """Whether a function call raises if it changes one of its arguments."""
        self.watches_modules = True
        """Whether parameters and buffers of modules count then."""

    def wait_until(self, deadline: Deadline) -> None:
        """Sets the deadline of all further requests."""
        self._deadline = deadline

    def name(self, name: str) -> Any:
        """The value of a global name of the notebook; functions and classes are cached, which halves the requests."""
        if name in self._functions:
            return self._functions[name]
        value = self.get(None, name)
        if isinstance(value, Handle) and value._callable:
            self._functions[name] = value
        return value

    def get(self, of: int | None, name: str) -> Any:
        """An attribute of an object, or a global name of the notebook (`of` is None)."""
        return self._ask({"op": "get", "of": of, "name": name}, Encoder(self._opaque))

    def index(self, of: int, key: Any) -> Any:
        """`object[key]`."""
        encoder = Encoder(self._opaque)
        return self._ask({"op": "index", "of": of, "key": encoder.encode(key)}, encoder)

    def call(self, of: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, always: bool = False) -> Any:
        """Calls an object; the result is connected by autograd to the tensors that require a gradient.

        Args:
            of: the object's number.
            args: the positional arguments.
            kwargs: the keyword arguments.
            always: whether to watch the arguments even if the object is not a function.

        Raises:
            CheckFailed: the call changed an argument, and arguments are watched.
        """
        encoder = Encoder(self._opaque)
        header = {"op": "call", "of": of, "args": encoder.encode(args), "kwargs": encoder.encode(kwargs)}
        header["grad"] = is_grad_enabled()
        modules = self.watches_modules and modules_are_watched()
        header["watch"] = ("all" if modules else "data") if self.watches_arguments else ""
        header["always"] = always
        return self._ask(header, encoder)

    def seed(self, seed: int) -> None:
        """Seeds torch, numpy and random in the sandbox."""
        self._ask({"op": "seed", "seed": seed}, Encoder(self._opaque))

    def run(self, source: str, name: str) -> None:
        """Runs trusted code inside the notebook; raises what it raises there, which student code can forge.

        Args:
            source: the code.
            name: the id of its cell, for places of errors.
        """
        self._ask({"op": "run", "source": source, "name": name}, Encoder(self._opaque))

    def define(self, names: Collection[str], sources: Sequence[str], uses: Sequence[str]) -> None:
        """Defines names of the notebook anew.

        Args:
            names: the names.
            sources: trusted Python that defines them, and what it imports.
            uses: other names of the notebook that the definitions use.
        """
        self.has_helpers = True
        header = {"op": "define", "names": sorted(names), "sources": list(sources), "uses": list(uses)}
        self._functions.clear()
        self._ask(header, Encoder(self._opaque))

    def replace(self, name: str, function: Callable[..., Any]) -> None:
        """Puts a function of this side in the place of one of the notebook's: the student's code then calls it.

        Gradients flow through it, and it draws from the sandbox's global generator of torch. Its arguments are
        untrusted.
        """
        self._stand_ins.add(len(self._callbacks))
        self._callbacks.append(function)
        self._functions.clear()
        self._ask({"op": "replace", "name": name, "number": len(self._callbacks) - 1}, Encoder(self._opaque))

    def state(self) -> NotebookState:
        """What the notebook's cells changed; asked once."""
        if self._state is None:
            state = self._ask({"op": "state"}, Encoder(self._opaque))
            state = state if type(state) is dict else {}
            dtype = state.get("dtype")
            self._state = NotebookState(
                dtype if type(dtype) is str and dtype in DTYPES else _DTYPE,
                state.get("grad") is not False,
                state.get("threads") is True,
            )
        return self._state

    def listen(self) -> str:
        """What the student's code printed since the last call, untrusted; before the first call nothing is kept.

        Grading never asks, since what code prints in a test could tell its inputs.
        """
        said = self._ask({"op": "listen", "limit": _MOST_HEARD}, Encoder(self._opaque))
        return said if type(said) is str else ""

    def is_there(self) -> bool:
        """Whether the fork still answers; it learns nothing, and what it answers does not matter."""
        try:
            send_frame(self._sock, {"op": "ping"}, deadline=self._deadline)
            reply, body = receive_frame(self._sock, self._deadline, _PONG)
        except (ClosedError, TooLateError, WireError):
            return False
        return reply == {"value": None} and not body

    def close(self) -> None:
        """Closes the connection; the fork ends."""
        self._sock.close()

    def _ask(self, header: dict[str, Any], encoder: Encoder) -> Any:
        send_frame(self._sock, header, encoder.body, self._deadline)
        while True:
            reply, body = receive_frame(self._sock, self._deadline)
            op = reply.get("op")
            if type(op) is str and op in self._ANSWERS:
                self._ANSWERS[op](self, reply, body)
                continue
            if self._failure is not None:  # an error in the test's own function takes precedence
                failure, self._failure = self._failure, None
                raise failure
            if "raised" in reply:
                raise remote_error(StudentError.of(reply["raised"], self._cells), encoder.dtypes)
            value = self._value(reply, body, [t for t in encoder.differentiable if is_grad_enabled()])
            require_unchanged(self._changes(reply.get("changed", [])))
            return value

    def _answer(self, question: dict[str, Any], body: bytes) -> None:
        """Answers a callback: runs a function of the test on plain values from the sandbox."""
        function, args, kwargs = self._asked(question, self._decoder(body))
        encoder = Encoder(self._opaque)
        try:
            reply = {"value": encoder.encode(function(*args, **kwargs))}
        except Exception as error:
            self._failure = self._failure or error
            reply, encoder = {"raised": "the given function could not use these arguments"}, Encoder(self._opaque)
        send_frame(self._sock, reply, encoder.body, self._deadline)

    def _asked(self, question: dict[str, Any], decoder: Decoder) -> tuple[Callable[..., Any], Any, Any]:
        """The function that the sandbox calls and its arguments."""
        number = question.get("number")
        self._answered += 1
        if type(number) is not int or not 0 <= number < len(self._callbacks) or self._answered > _MAX_CALLBACKS:
            raise WireError("a call of an unknown callback")
        if (number in self._stand_ins) != (question["op"] == "stand_in"):
            raise WireError("a callback of the other kind")
        args, kwargs = decoder.decode(question.get("args")), decoder.decode(question.get("kwargs"))
        if type(args) is not tuple or type(kwargs) is not dict or not all(type(key) is str for key in kwargs):
            raise WireError("a callback with invalid arguments")
        return self._callbacks[number], args, kwargs

    def _answer_as_stand_in(self, question: dict[str, Any], body: bytes) -> None:
        """Answers a call of a stand-in; keeps its graph if its arguments require a gradient."""
        leaves: list[torch.Tensor] = []
        decoder = self._decoder(body)
        if question.get("grad") is True:
            decoder.tensor = lambda tensor, _index: _leaf(leaves, tensor)
        function, args, kwargs = self._asked(question, decoder)
        generator = decoder.decode(question.get("random"))
        if generator is not None and not (is_imported() and type(generator) is torch.Generator):
            raise WireError("a call of a stand-in with an invalid state of the generator")
        encoder = Encoder(self._opaque)
        before = torch.get_rng_state() if is_imported() else None
        try:
            if generator is not None:
                torch.set_rng_state(generator.get_state())
            with set_grad_enabled(question.get("grad") is True), memory_at_most(memory_with(_STAND_IN_MEMORY)):
                value = function(*args, **kwargs)
            reply = {"value": encoder.encode(value)}
            reply["random"] = None if generator is None else encoder.encode(torch.default_generator)
            reply["graph"] = self._graphs.keep(leaves, encoder.differentiable) if encoder.differentiable else -1
        except Exception as error:
            encoder = Encoder(self._opaque)
            known = next(base for base in type(error).__mro__ if getattr(builtins, base.__name__, None) is base)
            kind = "Exception" if issubclass(known, _NOT_REBUILT) else known.__name__
            reply = {"raised": str(error), "type": kind}
        finally:
            if before is not None:
                torch.set_rng_state(before)
        send_frame(self._sock, reply, encoder.body, self._deadline)

    def _answer_backward(self, question: dict[str, Any], body: bytes) -> None:
        """Answers with the gradients of a call of a stand-in."""
        gradients = self._decoder(body).decode(question.get("gradients"))
        if type(gradients) is not list or not all(g is None or is_tensor(g) for g in gradients):
            raise WireError("invalid gradients")
        encoder = Encoder(self._opaque)
        try:
            reply = {"value": encoder.encode(self._graphs.backward(question.get("graph"), gradients))}
        except (ValueError, RuntimeError) as error:  # their number or shapes do not fit
            reply, encoder = {"raised": str(error)}, Encoder(self._opaque)
        send_frame(self._sock, reply, encoder.body, self._deadline)

    _ANSWERS: ClassVar[dict[str, Callable[[Link, dict[str, Any], bytes], None]]] = {
        "callback": _answer,
        "stand_in": _answer_as_stand_in,
        "stand_in_backward": _answer_backward,
    }

    def _value(self, reply: dict[str, Any], body: bytes, inputs: list[torch.Tensor]) -> Any:
        """Decodes a reply and connects its tensors to the graph kept in the sandbox."""
        if "value" not in reply:
            raise WireError("an answer without a value")
        if "graph" not in reply:
            plain = self._decoder(body)
            plain.tensor = _no_gradient
            return plain.decode(reply["value"])
        graph, parameters = reply["graph"], reply.get("parameters")
        if type(graph) is not int or type(parameters) is not list:
            raise WireError("an answer with an invalid graph")

        def replace(raw: list[torch.Tensor]) -> list[torch.Tensor]:
            if len(raw) != len(parameters) or not all(tensor.is_floating_point() for tensor in raw):
                raise WireError("an answer whose gradients do not fit its tensors")
            outputs = [tensor for tensor, parameter in zip(raw, parameters, strict=True) if parameter is None]
            results = iter(through(functools.partial(self.backward, graph), outputs, inputs))
            return [
                next(results) if parameter is None else self._parameter(tensor, parameter, body)
                for tensor, parameter in zip(raw, parameters, strict=True)
            ]

        return connected(lambda: self._decoder(body), reply["value"], replace)

    def _parameter(self, tensor: torch.Tensor, gradient: Any, body: bytes) -> torch.Tensor:
        if type(gradient) is not list or len(gradient) != 1:
            raise WireError("a parameter with an invalid gradient")
        value = self._decoder(body).decode(gradient[0])
        tensor.requires_grad_()
        if value is not None:
            if not is_tensor(value) or value.shape != tensor.shape or value.dtype != tensor.dtype:
                raise WireError("a parameter whose gradient does not fit")
            tensor.grad = value
        return tensor

    def backward(self, graph: int, gradients: list[torch.Tensor | None], inputs: Sizes) -> list[torch.Tensor | None]:
        """The vector-Jacobian product of a kept call: a gradient or None for each of its inputs."""
        encoder = Encoder(self._opaque)
        found = self._ask({"op": "backward", "graph": graph, "gradients": encoder.encode(gradients)}, encoder)
        if type(found) is not list or len(found) != len(inputs):
            raise WireError("a backward pass with the wrong number of gradients")
        for value, (shape, dtype) in zip(found, inputs, strict=True):
            if value is None:
                continue
            if not is_tensor(value) or value.shape != shape or value.dtype != dtype:
                raise WireError("a backward pass with a gradient of the wrong shape or dtype")
        return found

    def _opaque(self, value: Any) -> list[Any]:
        if isinstance(value, Handle):
            if value._link is not self:
                raise UnsendableError("an object of another connection cannot be passed here")
            return ["h", value._number, value._kind, value._callable]
        if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
            self._callbacks.append(value)
            return ["c", len(self._callbacks) - 1]
        raise UnsendableError(
            f"a {type(value).__name__} cannot be passed to the student's code: pass plain data, tensors, functions, "
            "or an object made on its side (student.SomeClass(...))"
        )

    def _decoder(self, body: bytes) -> Decoder:
        return Decoder(body, handle=lambda n, kind, call: Handle(self, n, kind, call), callback=self._own_callback)

    @staticmethod
    def _changes(told: Any) -> list[Change]:
        """The changed arguments from an untrusted reply; checks each field."""
        found = []
        for entry in told[:_MAX_CHANGES] if type(told) is list else ():
            if type(entry) is not list or [type(part) for part in entry] != [str, list, str]:
                raise WireError("an invalid changed argument")
            name, path, kind = entry
            if kind not in get_args(Kind) or not all(type(step) in (int, str) for step in path):
                raise WireError("an invalid changed argument")
            steps = tuple(step[:80] if type(step) is str else step for step in path[:_MAX_CHANGES])
            found.append(Change(name[:80] if name.isidentifier() else "argument", steps, kind))
        return found

    def _own_callback(self, number: int) -> Callable[..., Any]:
        if not 0 <= number < len(self._callbacks):
            raise WireError("a call of an unknown callback")
        return self._callbacks[number]


def _no_gradient(_tensor: torch.Tensor, _index: int) -> torch.Tensor:
    raise WireError("a tensor with a gradient in an answer without a graph")


def _leaf(leaves: list[torch.Tensor], tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        raise WireError("a tensor of whole numbers cannot have a gradient")
    leaves.append(tensor.requires_grad_())
    return tensor
