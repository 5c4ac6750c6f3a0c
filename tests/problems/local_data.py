"""A folder for `HOMEWORK_DATA` that lets `full` run offline: some stories as XSum has them, the tiny T5 as T5-small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from homework.data.stories import embedded_stories
from homework.models.tiny_t5 import tiny_t5_folder


def local_data(folder: Path, *, train: int, others: int) -> Path:
    """Fills the folder.

    Args:
        folder: is made.
        train: how many stories there are for training.
        others: how many for validation, and how many for testing.
    """
    told = embedded_stories()
    (folder / "xsum").mkdir(parents=True)
    for name, pairs, count in (
        ("train", told.train, train),
        ("validation", told.validation, others),
        ("test", told.test, others),
    ):
        rows = zip(pairs.documents[:count], pairs.summaries[:count], strict=True)
        lines = [json.dumps({"document": document, "summary": summary}) for document, summary in rows]
        (folder / "xsum" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    stand_in_for_t5(folder)
    return folder


def stand_in_for_t5(folder: Path) -> None:
    """Puts the tiny T5 where `full` looks for T5-small first."""
    shutil.copytree(tiny_t5_folder(), folder / "models" / "google-t5" / "t5-small")
