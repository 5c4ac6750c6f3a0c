"""Modules by the names that they had before they moved into subpackages: notebooks of earlier releases keep working.

`import homework.unet`, `from homework.unet import UNet`, `from homework import unet` and a pickle that names
`homework.unet.UNet` all give the module `homework.models.unet` itself.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

_MOVED: Final = {
    "data": "cifar10_files download folders mnist_files pictures shapes span_corruption stories story_grammar xsum",
    "models": "cache_names judge rater reward_model rouge_scores summarizer tiny_t5 unet",
    "show": "matrices plots ranking_panel surfaces",
    "train": "batches checkpoints precision training",
    "hand_in": "identity log personal source_hash",
}
NEW_NAMES: Final = {
    **{f"homework.{name}": f"homework.{package}.{name}" for package, names in _MOVED.items() for name in names.split()},
    "homework.bands": "homework.hand_in.expected_ranges",
    "homework.figures": "homework.show.notebook_figure",
    "homework.hub_models": "homework.models.pretrained",
    "homework.rouge": "homework.models.rouge_metric",
    "homework.trainer": "homework.train.transformers_trainer",
}
"""Old name → new name. The module `homework.data` is a package now, which has the same functions."""


class OldNames(MetaPathFinder, Loader):
    """Finds a module under its old name."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        """The module, if the name is an old one."""
        return ModuleSpec(fullname, self) if fullname in NEW_NAMES else None

    def exec_module(self, module: ModuleType) -> None:
        """Puts the module of the new name in the place of the empty one that Python made."""
        sys.modules[module.__name__] = importlib.import_module(NEW_NAMES[module.__name__])


sys.meta_path.insert(0, OldNames())  # before the finder of files: an older release may have left its files here
