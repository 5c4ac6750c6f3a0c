"""One interface to the decoder's cache on every version of transformers.

    model = accept_both_cache_names(from_pretrained(T5ForConditionalGeneration, name))
    answer = model(encoder_outputs=..., decoder_input_ids=..., past_key_values=cache, use_cache=True)
    cache = answer.past_key_values

The first releases of transformers 5 name the cache `past_key_values`, in the arguments and in the answer. Later ones
name it `cache`: they first warn about the old name, then refuse it. Notebooks must run on all of them.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Final

from torch import nn

NAMES: Final = ("past_key_values", "cache")


def accept_both_cache_names(model: Any) -> Any:
    """The same model, whose calls and answers now accept both names of the cache without a warning.

    The model keeps its class, its `forward` and its weights, so `generate`, `save_pretrained`, `copy.deepcopy` and
    transformers' trainer work as before. Calls of `model.forward` itself are not translated.

    Args:
        model: an `nn.Module` whose `forward` has the cache as an argument, under one of its names.

    Raises:
        TypeError: `forward` has neither argument.
    """
    taken = inspect.signature(model.forward).parameters
    own = next((name for name in NAMES if name in taken), None)
    if own is None:
        raise TypeError(
            f"{type(model).__name__}.forward takes neither {' nor '.join(NAMES)}: "
            "give a model that decodes with a cache, e.g. a T5."
        )
    other = next(name for name in NAMES if name != own)
    model.register_forward_pre_hook(functools.partial(_translate_call, own, other), with_kwargs=True)
    model.register_forward_hook(functools.partial(_translate_answer, own, other))
    return model


def _translate_call(
    own: str, other: str, model: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments of a call with the cache under the model's own name; None if nothing changes."""
    if other not in named:
        return None
    if own in named:
        raise TypeError(f"{type(model).__name__}: {own} and {other} are two names of one argument; pass only one.")
    return arguments, {own if name == other else name: value for name, value in named.items()}


def _translate_answer(own: str, other: str, _model: nn.Module, _arguments: tuple[Any, ...], answer: Any) -> Any:
    """An answer of transformers with the cache under both names; any other answer unchanged."""
    return _with_both(type(answer), own, other)(**answer) if isinstance(answer, dict) else answer


@functools.cache
def _with_both(kind: Any, own: str, other: str) -> Any:
    """A subclass of `kind` that also has the attribute and item `own` under the name `other`."""

    def item(self: Any, key: Any) -> Any:
        return kind.__getitem__(self, own if key == other else key)

    members = {other: property(lambda self: getattr(self, own)), "__getitem__": item, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), members)
