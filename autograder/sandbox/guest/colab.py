"""A small stand-in for `google.colab`, so that cells written on Colab run; its functions only say what is missing."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

Note = Callable[[str, str], None]
"""Called with the name of a function that does nothing here, and why."""

_NO_DRIVE = "there is no Google Drive where homework is graded"
_NO_BROWSER = "there is no browser where homework is graded"
_NO_ACCOUNT = "there is no Google account where homework is graded"
_FUNCTIONS: dict[str, dict[str, tuple[str, Any]]] = {
    "drive": {"mount": (_NO_DRIVE, None), "flush_and_unmount": (_NO_DRIVE, None)},
    "files": {"upload": (_NO_BROWSER, {}), "download": (_NO_BROWSER, None), "view": (_NO_BROWSER, None)},
    "userdata": {"get": (_NO_ACCOUNT, "")},
    "auth": {"authenticate_user": (_NO_ACCOUNT, None)},
    "output": {
        "clear": ("", None),
        "eval_js": (_NO_BROWSER, None),
        "register_callback": (_NO_BROWSER, None),
        "enable_custom_widget_manager": ("", None),
    },
    "runtime": {"unassign": ("", None)},
}
"""Module → function → (why it does nothing; empty if nothing is lost, what it returns)."""


def offer_colab(note: Note) -> None:
    """Makes `google.colab` importable in this process where it is not installed."""
    sys.meta_path.append(_Finder(note))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, note: Note) -> None:
        self._note = note

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification of a module of the stand-in; None for other modules."""
        top, _, rest = name.partition(".")
        colab, _, module = rest.partition(".")
        if top != "google" or colab not in ("", "colab") or (module and module not in _FUNCTIONS):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=not module)

    def create_module(self, _spec: importlib.machinery.ModuleSpec) -> None:
        """Leaves the creation to Python."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Fills a module with its functions; `google.colab` gets all its modules."""
        name = module.__name__.removeprefix("google.colab").removeprefix(".")
        if module.__name__ == "google.colab":
            for inner in _FUNCTIONS:
                setattr(module, inner, importlib.import_module(f"google.colab.{inner}"))
        for function, (why, value) in _FUNCTIONS.get(name, {}).items():
            setattr(module, function, self._function(f"{name}.{function}", why, value))

    def _function(self, name: str, why: str, value: Any) -> Callable[..., Any]:
        def function(*_: Any, **__: Any) -> Any:
            if why:
                self._note(name, why)
            return dict(value) if isinstance(value, dict) else value

        return function
