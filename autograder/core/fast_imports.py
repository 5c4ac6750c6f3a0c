"""Spares each process what libraries import and nothing here uses.

Importing this module saves 3 to 4 CPU seconds in which `rfc3987_syntax` builds a grammar. jsonschema imports that
library if it is installed (JupyterLab's dependencies bring it), to check strings of the format `iri`; nbformat imports
jsonschema, and nearly everything here imports nbformat. jsonschema is made to believe that the library is not
installed, which it is prepared for. A process that has already imported the library keeps it.

jupytext and nbgrader import Jupyter's server for the extensions that they bring for it, which takes more than half of
the time that importing them takes: `without_server` is for that.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

_OPTIONAL = ("jupytext.sync_contentsmanager", "jupytext.async_contentsmanager")
"""What a library can do without."""
_EXTENSIONS = tuple(
    f"nbgrader.server_extensions.{name}"
    for name in ("assignment_list", "course_list", "validate_assignment", "formgrader")
)
"""Modules of which `nbgrader` wants a function that loads an extension into a server."""

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None means: importing it fails


@contextlib.contextmanager
def without_server() -> Iterator[None]:
    """Inside, importing jupytext or nbgrader leaves out what is for Jupyter's server, unless this process is one."""
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
    """A module whose only function imports the true module of that name."""

    def load_jupyter_server_extension(server: Any) -> None:
        importlib.import_module(name).load_jupyter_server_extension(server)

    module = types.ModuleType(name)
    vars(module)["load_jupyter_server_extension"] = load_jupyter_server_extension
    return module
