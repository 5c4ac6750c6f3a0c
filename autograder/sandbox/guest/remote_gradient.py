"""The gradient function of tensors that the other side computed; only processes with torch import it."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable


class RemoteGradient(torch.autograd.Function):
    """Connects the other side's graph to this side's."""

    @staticmethod
    def forward(ctx: Any, ask: Any, outputs: list[torch.Tensor], *inputs: torch.Tensor) -> Any:
        """Returns `outputs`, now with a gradient function. `inputs[0]` is the anchor."""
        ctx.set_materialize_grads(False)
        ctx.ask = ask
        ctx.inputs = [(tensor.shape, tensor.dtype) for tensor in inputs[1:]]
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> Any:
        """Asks for the gradients of the inputs."""
        return None, None, None, *ctx.ask([None if grad is None else grad.detach() for grad in gradients], ctx.inputs)
