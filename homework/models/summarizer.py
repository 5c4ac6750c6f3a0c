"""Where the notebook on human feedback finds the summarizer that it starts from.

    name = summarizer_name(run)
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = T5ForConditionalGeneration.from_pretrained(name)

`data/build_tiny_summarizer.py` made the one that ships with this package: the tiny T5, fine-tuned on the embedded
stories, and stopped while its samples still differ, so that there is something to learn from feedback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from homework.errors import DataError
from homework.profiles import Run
from homework.train.checkpoints import checkpoints_folder

FOLDER: Final = Path(__file__).resolve().parents[1] / "embedded" / "tiny_summarizer"
FILES: Final = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
)


def saved_summarizer_folder(run: Run) -> Path:
    """Where the notebook `summarization` keeps its fine-tuned model and tokenizer (`save_pretrained`) in this profile.

    It is `summarization/<profile>/summarizer` in `$HOMEWORK_CHECKPOINTS`, else in `checkpoints` in the working
    directory. The folder need not exist.

    Args:
        run: what `homework.start` returned, in whichever notebook.
    """
    return checkpoints_folder() / "summarization" / run.profile / "summarizer"


def summarizer_name(run: Run) -> str | None:
    """What `from_pretrained` takes for this run; None if a summarizer must be fine-tuned first.

    In profile `full` it is the folder that the notebook `summarization` saved, if it is there; else always the one that
    ships with this package.

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: the shipped summarizer is not where the package should have it.
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
    for name in FILES:
        if not (FOLDER / name).is_file():
            raise DataError(
                f"{FOLDER / name} is missing: the package is damaged. Install it again, then run this cell."
            )
    return FOLDER
