"""Hashes of source code: they show whether code has changed since it gave an answer."""

from __future__ import annotations

import hashlib
import inspect
import linecache
from collections.abc import Callable
from types import CodeType
from typing import Any


def normalised(source: str) -> str:
    """The source without comment-only lines, blank lines and white space at line ends.

    Two sources that differ only in comments and blank lines are the same. (A line of a multi-line string that begins
    with `#` is dropped too.)

    Args:
        source: Python source, e.g. of a notebook cell.
    """
    lines = (line.rstrip() for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def source_hash(source: str) -> str:
    """SHA-256 of the normalised source, 64 hex digits."""
    return hashlib.sha256(normalised(source).encode("utf-8", "backslashreplace")).hexdigest()


def cell_source_of(thing: Callable[..., Any] | type) -> str | None:
    """The whole source of the notebook cell that defined a function or class; None if it is not known.

    In a notebook each cell has its own file name, under which Python's `linecache` keeps the cell's text.

    Args:
        thing: a function, decorated or not, or a class that defines at least one method.
    """
    code = code_of(thing)
    if code is None:
        return None
    return "".join(linecache.getlines(code.co_filename)) or None


def code_of(thing: Callable[..., Any] | type) -> CodeType | None:
    """The code object of a function, or of a method that the class body defines; None if there is none."""
    if isinstance(thing, type):
        prefix = f"{thing.__qualname__}."
        for member in vars(thing).values():
            if isinstance(member, property):
                member = member.fget
            if isinstance(member, staticmethod | classmethod):
                member = member.__func__
            code = getattr(_unwrapped(member), "__code__", None)
            if isinstance(code, CodeType) and code.co_qualname.startswith(prefix):
                return code
        return None
    code = getattr(_unwrapped(thing), "__code__", None)
    return code if isinstance(code, CodeType) else None


def behaviour_hash(thing: Callable[..., Any] | type) -> str:
    """SHA-256 of the source of a function or class if known, else of its byte code.

    Args:
        thing: a function or class.
    """
    source = cell_source_of(thing)
    if source is not None:
        return source_hash(source)
    members = vars(thing).values() if isinstance(thing, type) else (thing,)
    codes = [getattr(_unwrapped(member), "__code__", None) for member in members]
    text = "\n".join(_code_text(code) for code in codes if isinstance(code, CodeType))
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    return hashlib.sha256(f"{name}\n{text}".encode("utf-8", "backslashreplace")).hexdigest()


def _unwrapped(member: Any) -> Any:
    return inspect.unwrap(member) if callable(member) else member


def _code_text(code: CodeType) -> str:
    constants = [_code_text(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return "|".join([code.co_name, code.co_code.hex(), *code.co_names, *code.co_varnames, *constants])
