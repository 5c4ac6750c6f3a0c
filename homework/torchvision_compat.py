"""Makes `import torchvision` work where its compiled extension cannot be loaded.

Wheels of torchvision for Linux are mostly built for CUDA. Beside a CPU build of torch their extension (`_C.so`, since
torchvision 0.29 `_C_stable.so`) finds no CUDA libraries, so the operators it would have registered are missing, and
`import torchvision` (and with it much of transformers) fails with "operator torchvision::nms does not exist":
torchvision registers shape rules for `nms` and `qnms` whether or not the operators exist. Declaring the two operators
is enough. Data sets, transforms, models and `make_grid` are plain Python and work; calling `torchvision.ops.nms` itself
still fails, with a message by torchvision.

Once this module is imported, the import of torchvision does all of it first. It must never act where the extension can
be loaded: declaring an operator twice ends the process. So it does nothing if torch is built for a GPU, if any of the
extension's files can be loaded, or if torchvision has been imported already.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from typing import Final

from homework.import_hooks import on_import
from homework.lazy_torch import torch

OPERATORS: Final = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
"""Operators that torchvision's Python code expects, with their schemas."""

_kept_alive: list[torch.library.Library] = []  # a library's operators exist as long as its object


def torchvision_folder() -> Path | None:
    """The folder of the installed torchvision, found without importing it; None if there is none."""
    try:
        spec = importlib.util.find_spec("torchvision")
    except ValueError:  # sys.modules holds a module without a spec, e.g. a test double
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def extension_loads(folder: Path) -> bool:
    """Loads torchvision's compiled extension, as torchvision itself would; returns whether that worked.

    Args:
        folder: torchvision's package folder.
    """
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    return any(_loads(path) for path in sorted(folder.glob("_C*")) if path.name.endswith(suffixes))


def _loads(extension: Path) -> bool:
    try:
        torch.ops.load_library(str(extension))
    except (ImportError, OSError):
        return False
    return True


def declare_missing_operators() -> tuple[str, ...]:
    """Declares the operators of `OPERATORS` that do not exist; returns their names."""
    missing = tuple(name for name in OPERATORS if not hasattr(torch.ops.torchvision, name))
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(OPERATORS[name])
        _kept_alive.append(library)
    return missing


def prepare() -> tuple[str, ...]:
    """Prepares torch for `import torchvision`; returns the operators that it declared, usually none."""
    if torch.version.cuda is not None or torch.version.hip is not None:
        return ()
    folder = torchvision_folder()
    if folder is None or extension_loads(folder):
        return ()
    return declare_missing_operators()


if "torchvision" not in sys.modules:
    on_import("torchvision", before=prepare)
