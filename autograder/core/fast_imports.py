"""Skips slow imports that libraries make and this package does not use.

Importing this module saves 3 to 4 CPU seconds in which `rfc3987_syntax` builds a grammar. jsonschema imports that
library if it is installed (as a dependency of JupyterLab), to check strings of the format `iri`; nbformat imports
jsonschema, and nearly every module here imports nbformat. This module makes the import of `rfc3987_syntax` fail, which
jsonschema handles. A process that has already imported the library keeps it.

jupytext and nbgrader import Jupyter's server for their server extensions, which takes more than half of their import
time; `without_server` skips that.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

_OPTIONAL = ("jupytext.sync_contentsmanager", "jupytext.async_contentsmanager")
"""Optional modules of jupytext."""
_EXTENSIONS = tuple(
    f"nbgrader.server_extensions.{name}"
    for name in ("assignment_list", "course_list", "validate_assignment", "formgrader")
)
"""Modules from which `nbgrader` takes the functions that load its extensions into a server."""

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None means: importing it fails


@contextlib.contextmanager
def without_server() -> Iterator[None]:
    """Inside the block, importing jupytext or nbgrader does not import Jupyter's server; no effect in a server."""
    if "jupyter_server" in sys.modules:
        yield
        return
    standing_in: dict[str, Any] = {name: None for name in _OPTIONAL if name not in sys.modules}
    standing_in |= {name: _later(name) for name in _EXTENSIONS if name not in sys.modules}
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for name in standing_in:
            del sys.modules[name]


def _later(name: str) -> types.ModuleType:
    """A stand-in module whose only function imports the real module and calls its function."""

    def load_jupyter_server_extension(server: Any) -> None:
        importlib.import_module(name).load_jupyter_server_extension(server)

    module = types.ModuleType(name)
    vars(module)["load_jupyter_server_extension"] = load_jupyter_server_extension
    return module
