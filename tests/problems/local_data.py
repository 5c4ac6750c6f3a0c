"""A `HOMEWORK_DATA` folder with which `full` runs offline: stories in the form of XSum, the tiny T5 as T5-small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from homework.data.pairs import Pairs
from homework.data.stories import embedded_stories
from homework.models.tiny_t5 import tiny_t5_folder


def local_data(folder: Path, *, train: int, others: int) -> Path:
    """Makes the folder, with this many stories for training, and for validation and for testing."""
    told = embedded_stories()
    (folder / "xsum").mkdir(parents=True)
    for name, count in {"train": train, "validation": others, "test": others}.items():
        pairs: Pairs = getattr(told, name)
        rows = zip(pairs.documents[:count], pairs.summaries[:count], strict=True)
        lines = [json.dumps({"document": document, "summary": summary}) for document, summary in rows]
        (folder / "xsum" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    stand_in_for_t5(folder)
    return folder


def stand_in_for_t5(folder: Path) -> None:
    """Copies the tiny T5 to the place where `full` looks for T5-small first."""
    shutil.copytree(tiny_t5_folder(), folder / "models" / "google-t5" / "t5-small")
