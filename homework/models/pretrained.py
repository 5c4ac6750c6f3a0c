"""Pre-trained models: in a prepared folder, or on the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from homework.data.folders import data_folder
from homework.errors import DataError

SHIPPED: Final = Path(__file__).resolve().parents[1] / "embedded"
FILES: Final = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def local_or_hub(name: str) -> str:
    """The argument of `from_pretrained`: the folder `$HOMEWORK_DATA/models/<name>` if it exists, else the name itself.

    Args:
        name: as on the hub, e.g. `google-t5/t5-small`.
    """
    folder = data_folder("models", *name.split("/"))
    return str(folder) if folder is not None and (folder / "config.json").is_file() else name


def complete(folder: Path) -> Path:
    """The folder of a model that ships with this package.

    Raises:
        DataError: a file is missing.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder / name} is missing: the package is damaged. Install it again, then run this cell."
            )
    return folder


def from_pretrained(kind: Any, name: str, **options: Any) -> Any:
    """`kind.from_pretrained(name, …)`, with an error that says what to do if the model is not available.

    Args:
        kind: a class or auto-class of `transformers`.
        name: a folder, or a name on the hub.
        **options: passed on.

    Raises:
        DataError: the model is neither on this machine nor can it be downloaded.
    """
    try:
        return kind.from_pretrained(name, **options)
    except OSError as error:
        raise DataError(
            f"{name} can neither be found nor downloaded ({str(error).splitlines()[0]}).\n"
            "What to do, one of:\n"
            "- check the network connection and run this cell again;\n"
            f"- put the model's files into <folder>/models/{name} and set HOMEWORK_DATA=<folder>;\n"
            "- set HOMEWORK_PROFILE=mini and restart the notebook: it then works with embedded models, offline."
        ) from error
