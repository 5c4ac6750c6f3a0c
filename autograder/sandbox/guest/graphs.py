"""Gradients of calls that cross the wire: the side that computed a call keeps its graph for the other side.

The caller's tensors get a gradient function that asks for the vector-Jacobian product. Both sides use this module.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from homework.lazy_torch import torch

from .codec import Decoder
from .wire import WireError

Sizes: TypeAlias = "list[tuple[torch.Size, torch.dtype]]"
"""Shape and data type of each input of a call that requires a gradient."""


class Graphs:
    """The calls that this side computed.

    Args:
        most: so many calls are kept for a backward pass; the oldest is dropped first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = OrderedDict()
        self._next = 0

    def keep(self, leaves: list[torch.Tensor], outputs: list[torch.Tensor]) -> int:
        """Keeps a call; returns its number.

        Args:
            leaves: its inputs that require a gradient.
            outputs: its results that depend on them.
        """
        self._next += 1
        self._kept[self._next] = (leaves, outputs)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._next

    def backward(self, number: Any, gradients: Sequence[torch.Tensor | None]) -> list[torch.Tensor | None]:
        """The vector-Jacobian product of a kept call: a gradient or None for each of its inputs.

        Raises:
            WireError: the call is unknown or was dropped.
        """
        if type(number) is not int or number not in self._kept:
            raise WireError("a backward pass through an unknown call")
        leaves, outputs = self._kept[number]
        for leaf in leaves:
            leaf.grad = None
        pairs = [(out, grad) for out, grad in zip(outputs, gradients, strict=True) if grad is not None]
        if pairs:
            torch.autograd.backward([out for out, _ in pairs], [grad for _, grad in pairs], retain_graph=True)
        return [None if leaf.grad is None else leaf.grad.detach() for leaf in leaves]


def connected(
    decoder: Callable[[], Decoder], node: Any, replace: Callable[[list[torch.Tensor]], list[torch.Tensor]]
) -> Any:
    """The value of a node in which the tensors that need a gradient are replaced.

    Args:
        decoder: makes a decoder of the node's frame.
        node: the node.
        replace: gets the decoded tensors that need a gradient, in order; returns those to use in their place.

    Raises:
        WireError: the node is invalid.
    """
    found: list[torch.Tensor] = []

    def note(tensor: torch.Tensor, index: int) -> torch.Tensor:
        if index != len(found):
            raise WireError("tensors whose gradients are out of order")
        found.append(tensor)
        return tensor

    first, second = decoder(), decoder()
    first.tensor = note
    first.decode(node)
    final = replace(found)
    second.tensor = lambda _tensor, index: final[index]
    return second.decode(node)


def through(
    ask: Callable[[list[torch.Tensor | None], Sizes], Sequence[torch.Tensor | None]],
    outputs: list[torch.Tensor],
    inputs: Sequence[torch.Tensor],
) -> list[torch.Tensor]:
    """The outputs with a gradient function that asks the other side for the gradients of the inputs."""
    if not outputs:
        return []
    from .remote_gradient import RemoteGradient

    anchor = torch.zeros((), requires_grad=True)  # so that backward also runs for parameters on the other side
    apply: Callable[..., Any] = RemoteGradient.apply  # untyped in older torch
    return list(apply(ask, outputs, anchor, *inputs))
