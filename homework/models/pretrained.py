"""Pre-trained models: in a folder that somebody prepared, or on the hub."""

from __future__ import annotations

from typing import Any

from homework.data.folders import data_folder
from homework.errors import DataError


def local_or_hub(name: str) -> str:
    """What `from_pretrained` takes: the folder `$HOMEWORK_DATA/models/<name>` if it is there, else the name itself.

    Args:
        name: as on the hub, e.g. `google-t5/t5-small`.
    """
    folder = data_folder("models", *name.split("/"))
    return str(folder) if folder is not None and (folder / "config.json").is_file() else name


def from_pretrained(kind: Any, name: str, **options: Any) -> Any:
    """`kind.from_pretrained(name, …)`, with an error that says what to do where the model cannot be had.

    Args:
        kind: a class or auto-class of `transformers`.
        name: a folder, or a name on the hub.
        **options: passed on.

    Raises:
        DataError: the model is neither on this machine nor to be fetched.
    """
    try:
        return kind.from_pretrained(name, **options)
    except OSError as error:
        raise DataError(
            f"{name} can neither be found nor fetched ({str(error).splitlines()[0]}).\n"
            "What to do, one of:\n"
            "- check the network connection and run this cell again;\n"
            f"- put the model's files into <folder>/models/{name} and set HOMEWORK_DATA=<folder>;\n"
            "- set HOMEWORK_PROFILE=mini and restart the notebook: it then works with embedded models, offline."
        ) from error
