"""Answers the examiner's requests about a notebook's names in the sandbox, one frame at a time.

The requests are `get`, `index`, `call`, `backward`, `run`, `define`, `replace`, `seed`, `state`, `listen` and `ping`.
Objects that are not plain data stay here in a registry and are sent as numbered handles. A call with tensors that
require a gradient keeps its inputs and outputs, so that the examiner's backward pass can request the vector-Jacobian
product.
"""

from __future__ import annotations

import builtins
import inspect
import random
import socket
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from homework.arguments import Watch, is_function
from homework.lazy_torch import is_grad_enabled, is_imported, set_grad_enabled, torch, when_imported

from .bounded_stream import Bounded
from .codec import Decoder, Encoder
from .errors import cell_file, describe
from .graphs import Graphs, Sizes, connected, through
from .wire import UnsendableError, receive_frame, send_frame

_MISSING = object()
_MOST_GRAPHS = 256
"""Calls whose graphs are kept for a backward pass of the test's."""
_seed_numpy, _seed_random = np.random.seed, random.seed
"""As they were before student code ran, which may say `random.seed = 42`."""
_BUILTINS = dict(vars(builtins))
"""As they were before student code ran."""


class Callback:
    """A proxy of an examiner's function for student code; it takes plain values."""

    def __init__(self, desk: RequestServer, number: int) -> None:
        self._desk = desk
        self._number = number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the examiner's function; the result is plain data."""
        return self._desk.call_back(self._number, args, kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Callback:
        return self


class StandIn(Callback):
    """An examiner's function in place of one of the notebook's: gradients flow through it, and it draws from torch's
    global generator of this process.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the examiner's function; raises its error with the same built-in type."""
        return self._desk.ask_stand_in(self._number, args, kwargs)


class RequestServer:
    """Serves one examiner's requests about one namespace until the connection closes.

    Args:
        sock: the connection.
        names: the namespace.
        threads: whether cells started threads, which are not in this fork.
    """

    def __init__(self, sock: socket.socket, names: dict[str, Any], *, threads: bool = False) -> None:
        self._sock = sock
        self._threads = threads
        self._names = names
        self._helpers: dict[str, Any] = {}
        """Helpers of tests; the notebook's own code does not see them."""
        self._objects: list[Any] = []
        self._named: list[Any] = []
        """The functions that were asked for by a name of the notebook."""
        self._numbers: dict[int, int] = {}
        self._graphs = Graphs(_MOST_GRAPHS)
        self._heard: Bounded | None = None
        """What was printed; None if it is not listened to."""

    def serve(self) -> None:
        """Answers requests until the other side closes the connection, which raises `ClosedError`."""
        while True:
            self._answer(*receive_frame(self._sock))

    def call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Asks the examiner to call one of its functions; answers the examiner's requests meanwhile."""
        encoder = Encoder(self._opaque)
        header = {"op": "callback", "number": number, "args": encoder.encode(args), "kwargs": encoder.encode(kwargs)}
        reply, body = self._ask(header, encoder)
        if "raised" in reply:
            raise RuntimeError(str(reply["raised"]))
        return self._decoder(body, []).decode(reply["value"])

    def ask_stand_in(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Like `call_back`, for a stand-in."""
        encoder = Encoder(self._opaque)
        header = {"op": "stand_in", "number": number, "args": encoder.encode(args), "kwargs": encoder.encode(kwargs)}
        header |= {
            "grad": is_grad_enabled(),
            "random": encoder.encode(torch.default_generator) if is_imported() else None,
        }
        reply, body = self._ask(header, encoder)
        if "raised" in reply:
            raise getattr(builtins, reply["type"])(reply["raised"])
        if reply["random"] is not None:
            torch.default_generator.set_state(self._decoder(body, []).decode(reply["random"]).get_state())

        def ask(gradients: list[torch.Tensor | None], _sizes: Sizes) -> list[torch.Tensor | None]:
            encoder = Encoder(self._opaque)
            header = {"op": "stand_in_backward", "graph": reply["graph"], "gradients": encoder.encode(gradients)}
            answer, found = self._ask(header, encoder)
            if "raised" in answer:
                raise RuntimeError(answer["raised"])
            return list(self._decoder(found, []).decode(answer["value"]))

        def connect(outputs: list[torch.Tensor]) -> list[torch.Tensor]:
            return through(ask, outputs, encoder.differentiable)

        return connected(lambda: self._decoder(body, []), reply["value"], connect)

    def _ask(self, header: dict[str, Any], encoder: Encoder) -> tuple[dict[str, Any], bytes]:
        """Asks the examiner; answers the examiner's requests meanwhile."""
        send_frame(self._sock, header, encoder.body)
        while True:
            reply, body = receive_frame(self._sock)
            if "op" not in reply:
                return reply, body
            self._answer(reply, body)

    def _answer(self, header: dict[str, Any], body: bytes) -> None:
        try:
            reply, out = self._OPERATIONS[header["op"]](self, header, body)
        except BaseException as error:  # includes SystemExit and KeyboardInterrupt raised by student code
            reply, out = {"raised": describe(error)}, b""
        try:
            send_frame(self._sock, reply, out)
        except UnsendableError as error:
            send_frame(self._sock, {"raised": describe(error)})

    def _get(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes | bytearray]:
        name = header["name"]
        if header["of"] is None:
            value = self._helpers.get(name, self._names.get(name, _MISSING))
            if value is _MISSING:
                raise NameError(f"name {name!r} is not defined")
            self._named += [value] * is_function(value)
        else:
            value = getattr(self._objects[header["of"]], name)
        return self._reply(value, [])

    def _index(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes | bytearray]:
        key = self._decoder(body, []).decode(header["key"])
        return self._reply(self._objects[header["of"]][key], [])

    def _call(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes | bytearray]:
        leaves: list[torch.Tensor] = []
        decoder = self._decoder(body, leaves)
        args, kwargs = decoder.decode(header["args"]), decoder.decode(header["kwargs"])
        with set_grad_enabled(bool(header["grad"])):
            function = self._objects[header["of"]]
            has_name = any(function is one for one in self._named)
            is_watched = header.get("watch") and (header.get("always") or has_name or inspect.isfunction(function))
            watch = Watch(args, kwargs, modules=header["watch"] == "all") if is_watched else None
            value = function(*args, **kwargs)
            changes = watch.changes(function) if watch is not None else []
            reply, out = self._reply(value, leaves)
            reply["changed"] = [[name, list(path), kind] for name, path, kind in changes]
            return reply, out

    def _backward(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes | bytearray]:
        gradients = self._decoder(body, []).decode(header["gradients"])
        return self._reply(self._graphs.backward(header["graph"], gradients), [])

    def _run(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        """Runs code of a test inside the notebook."""
        exec(compile(header["source"], cell_file(header["name"]), "exec", dont_inherit=True), self._names)
        return {"value": None}, b""

    def _define(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        """Runs definitions in a namespace of their own, with some of the notebook's names, for the examiner."""
        space = {"__name__": "__main__", "__builtins__": dict(_BUILTINS)}
        space |= {name: self._names[name] for name in header["uses"] if name in self._names}
        for source in header["sources"]:
            exec(compile(source, "<helpers>", "exec"), space)
        self._helpers = {name: space[name] for name in header["names"]}
        return {"value": None}, b""

    def _replace(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        """Puts an examiner's function in place of one of the notebook's, under all its names."""
        stand_in, before = StandIn(self, header["number"]), self._names.get(header["name"], _MISSING)
        for name in [name for name, value in self._names.items() if value is before] + [header["name"]]:
            self._names[name] = stand_in
        return {"value": None}, b""

    def _seed(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        seed_everything(header["seed"])
        return {"value": None}, b""

    def _state(self, _header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes | bytearray]:
        """What the notebook's cells may have changed, and a test in the notebook would share."""
        dtype = str(torch.get_default_dtype()).removeprefix("torch.") if is_imported() else None
        return self._reply({"dtype": dtype, "grad": is_grad_enabled(), "threads": self._threads}, [])

    def _listen(self, header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        """What was printed since the last such request, and keeps what is printed from now on."""
        heard = self._heard.getvalue() if self._heard is not None else ""
        self._heard = sys.stdout = sys.stderr = Bounded(header["limit"])
        return {"value": heard.encode("utf-8", "replace").decode()}, b""

    def _ping(self, _header: dict[str, Any], _body: bytes) -> tuple[dict[str, Any], bytes]:
        return {"value": None}, b""

    _OPERATIONS: dict[str, Callable[..., tuple[dict[str, Any], bytes | bytearray]]] = {
        "get": _get,
        "index": _index,
        "ping": _ping,
        "call": _call,
        "backward": _backward,
        "run": _run,
        "define": _define,
        "replace": _replace,
        "seed": _seed,
        "state": _state,
        "listen": _listen,
    }

    def _reply(self, value: Any, leaves: list[torch.Tensor]) -> tuple[dict[str, Any], bytes | bytearray]:
        """The reply with a value; tensors with a graph are kept, parameters are sent with their gradient."""
        encoder = Encoder(self._opaque)
        node = encoder.encode(value)
        known = {id(leaf) for leaf in leaves}
        # a leaf that the caller did not send is a parameter: a copy of it and of its gradient is sent
        parameters = [tensor.is_leaf and id(tensor) not in known for tensor in encoder.differentiable]
        reply: dict[str, Any] = {"value": node}
        if encoder.differentiable:
            outputs = [t for t, parameter in zip(encoder.differentiable, parameters, strict=True) if not parameter]
            reply["parameters"] = [
                [encoder.encode(None if t.grad is None else t.grad.detach())] if parameter else None
                for t, parameter in list(zip(encoder.differentiable, parameters, strict=True))
            ]
            reply["graph"] = self._graphs.keep(leaves, outputs) if outputs else -1
        return reply, encoder.body

    def _opaque(self, value: Any) -> list[Any]:
        if isinstance(value, Callback):
            return ["c", value._number]
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._objects)
            self._objects.append(value)
            self._numbers[id(value)] = number
        return ["h", number, str(type(value).__name__)[:80], callable(value)]

    def _decoder(self, body: bytes, leaves: list[torch.Tensor]) -> Decoder:
        def leaf(tensor: torch.Tensor, index: int) -> torch.Tensor:
            tensor.requires_grad_()
            leaves.append(tensor)
            return tensor

        return Decoder(
            body,
            handle=lambda number, _name, _callable: self._objects[number],
            callback=lambda number: Callback(self, number),
            tensor=leaf,
        )


def seed_everything(seed: int) -> None:
    """Seeds torch, numpy and random in this process; torch on the CPU only, because a GPU check takes milliseconds."""
    when_imported(lambda: torch.default_generator.manual_seed(seed), "seed")
    _seed_numpy(seed % 2**32)
    _seed_random(seed)
