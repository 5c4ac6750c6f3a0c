"""The tiny T5 that ships with this package, and the name of the T5 of each profile.

    name = t5_name(run)
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = T5ForConditionalGeneration.from_pretrained(name)

`data/build_tiny_t5.py` builds it: a tokenizer and a network, trained on the unlabelled stories of
`homework.data.stories`, the network by span corruption.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from homework.models.pretrained import SHIPPED, complete, local_or_hub
from homework.profiles import Run

HUB_NAME: Final = "google-t5/t5-small"
FOLDER: Final = SHIPPED / "tiny_t5"


def t5_name(run: Run) -> str:
    """The argument of `from_pretrained`: `google-t5/t5-small` in profile `full`, else the tiny T5's folder.

    In `full`, a copy in `$HOMEWORK_DATA/models/google-t5/t5-small` is used if it exists.

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: a file of the tiny T5 is missing.
    """
    return local_or_hub(HUB_NAME) if run.profile == "full" else str(tiny_t5_folder())


def tiny_t5_folder() -> Path:
    """The folder with the tiny T5's configuration, tokenizer and weights.

    Raises:
        DataError: a file is missing.
    """
    return complete(FOLDER)
