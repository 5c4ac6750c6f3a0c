"""Says whose each data type is when torch refuses to mix two: that of an argument, or made by the student's code."""

from __future__ import annotations

import re
from collections.abc import Collection

_NAMES = {
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "bool": "bool",
}
"""torch's names of data types in error messages, in lower case → the names in code."""
_REFUSAL = re.compile(r"\b(dtypes?|scalar type)\b", re.IGNORECASE)
_NAME = re.compile(rf"\b({'|'.join(_NAMES)})\b", re.IGNORECASE)


def whose_types(message: str, given: Collection[str]) -> str:
    """A sentence on the data types that an error of torch names; empty unless some are an argument's and others not.

    Args:
        message: the error's text, e.g. `expected scalar type Float but found Double`.
        given: names of the data types of the call's tensors, e.g. `float32`.
    """
    if not _REFUSAL.search(message):
        return ""
    named = {_NAMES[name.lower()] for name in _NAME.findall(message.replace("long int", "long"))}
    theirs, own = sorted(named & set(given)), sorted(named - set(given))
    if not theirs or not own:
        return ""
    return (
        f"The arguments have the data type {' and '.join(theirs)}; {' and '.join(own)} comes from your code. Give your "
        "own tensors the type of the argument, e.g. with `.to(x.dtype)`."
    )
