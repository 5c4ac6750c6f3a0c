"""The tiny T5 as in other versions of transformers, which know only one of the two names of the cache."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from typing import Any

import homework  # noqa: F401  (first: makes torchvision importable, which transformers needs)
from homework.models.cache_names import accept_both_cache_names
from homework.models.tiny_t5 import tiny_t5_folder

# isort: split
from transformers import T5ForConditionalGeneration

_PARAMETERS = inspect.signature(T5ForConditionalGeneration.forward).parameters
INSTALLED = "cache" if "cache" in _PARAMETERS else "past_key_values"
"""The name in the installed version."""


class OneName(OrderedDict[str, Any]):
    """An output that has its items as attributes, and no other attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class OldT5(T5ForConditionalGeneration):
    """As in transformers 5.0: knows `past_key_values` alone."""

    def forward(self, *, past_key_values: Any = None, **others: Any) -> OneName:
        refuse("cache", others)
        answer = super().forward(**others, **{INSTALLED: past_key_values})
        return OneName(logits=answer.logits, past_key_values=answer[INSTALLED])


class NewT5(T5ForConditionalGeneration):
    """As from transformers 5.40 on: knows `cache` alone."""

    def forward(self, *, cache: Any = None, **others: Any) -> OneName:
        refuse("past_key_values", others)
        answer = super().forward(**others, **{INSTALLED: cache})
        return OneName(logits=answer.logits, cache=answer[INSTALLED])


def refuse(name: str, others: dict[str, Any]) -> None:
    """Raises the error of a function without this parameter."""
    if name in others:
        raise TypeError(f"forward() got an unexpected keyword argument {name!r}")


VERSIONS = (OldT5, T5ForConditionalGeneration, NewT5)


def tiny_t5(kind: Any) -> Any:
    """The tiny T5 as a model of this class, as the notebooks load it."""
    return accept_both_cache_names(kind.from_pretrained(tiny_t5_folder()).eval())
