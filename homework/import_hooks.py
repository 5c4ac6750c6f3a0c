"""Runs an action just before or just after a module is imported, wherever that happens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Hook(MetaPathFinder):
    """Finds a module as the other finders do, and adds the actions to its execution."""

    def __init__(self, name: str, before: Callable[[], object], after: Callable[[], object]) -> None:
        self._name = name
        self._before = before
        self._after = after

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """The module's spec, if it is the one of this hook."""
        if fullname != self._name:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        spec = next(filter(None, (finder.find_spec(fullname, None, None) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_with_actions(module: ModuleType) -> None:
                self._before()
                execute(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                    self._after()

            spec.loader.exec_module = execute_with_actions  # type: ignore[method-assign]
        return spec


def on_import(
    name: str, *, before: Callable[[], object] = lambda: None, after: Callable[[], object] = lambda: None
) -> None:
    """Has actions run at the import of a top-level module, which must not have been imported yet.

    Args:
        name: the module.
        before: runs before the module's code, at each attempt to import it.
        after: runs once, after the first import that succeeds.
    """
    sys.meta_path.insert(0, _Hook(name, before, after))
