"""The tiny T5 that ships with this package, and the name under which each profile finds its T5.

    name = t5_name(run)
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = T5ForConditionalGeneration.from_pretrained(name)

`data/build_tiny_t5.py` made it: a tokenizer trained on the unlabelled stories of `homework.data.stories`, and a network
pre-trained on them by span corruption.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from homework.errors import DataError
from homework.models.pretrained import local_or_hub
from homework.profiles import Run

HUB_NAME: Final = "google-t5/t5-small"
FOLDER: Final = Path(__file__).resolve().parents[1] / "embedded" / "tiny_t5"


def t5_name(run: Run) -> str:
    """What `from_pretrained` takes for this run: `google-t5/t5-small` in profile `full`, else the tiny T5's folder.

    In `full`, a copy in `$HOMEWORK_DATA/models/google-t5/t5-small` is used if it is there.

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: the tiny T5 is not where the package should have it.
    """
    return local_or_hub(HUB_NAME) if run.profile == "full" else str(tiny_t5_folder())


def tiny_t5_folder() -> Path:
    """The folder with the tiny T5's configuration, tokenizer and weights.

    Raises:
        DataError: a file is missing.
    """
    for name in (
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ):
        if not (FOLDER / name).is_file():
            raise DataError(
                f"{FOLDER / name} is missing: the package is damaged. Install it again, then run this cell."
            )
    return FOLDER
