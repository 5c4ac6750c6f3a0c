"""The summarizer that the notebook on human feedback starts from.

    name = summarizer_name(run)
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = T5ForConditionalGeneration.from_pretrained(name)

`data/build_tiny_summarizer.py` builds the one that ships with this package: the tiny T5, fine-tuned on the embedded
stories and stopped while its samples still differ, so that feedback can improve it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from homework.models.pretrained import SHIPPED, complete
from homework.profiles import Run
from homework.train.checkpoints import checkpoints_folder

FOLDER: Final = SHIPPED / "tiny_summarizer"


def saved_summarizer_folder(run: Run) -> Path:
    """The folder where the notebook `summarization` saves its fine-tuned model and tokenizer in this profile.

    It is `summarization/<profile>/summarizer` in `$HOMEWORK_CHECKPOINTS`, else in `checkpoints` in the working
    directory. The folder need not exist.

    Args:
        run: what `homework.start` returned, in any notebook.
    """
    return checkpoints_folder() / "summarization" / run.profile / "summarizer"


def summarizer_name(run: Run) -> str | None:
    """The argument of `from_pretrained` for this run; None if a summarizer must be fine-tuned first.

    In profile `full` it is the folder that the notebook `summarization` saved, if it exists; in the other profiles the
    summarizer that ships with this package.

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: a file of the shipped summarizer is missing.
    """
    if run.profile != "full":
        return str(tiny_summarizer_folder())
    saved = saved_summarizer_folder(run)
    return str(saved) if (saved / "config.json").is_file() else None


def tiny_summarizer_folder() -> Path:
    """The folder with the shipped summarizer's configuration, tokenizer and weights.

    Raises:
        DataError: a file is missing.
    """
    return complete(FOLDER)
