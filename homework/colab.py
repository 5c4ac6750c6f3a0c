"""Colab: checkpoints may go to Google Drive, and the browser downloads the files to submit.

Colab deletes its machine and all files on it some time after the browser tab is closed. The homework works without this
module; outside Colab each function does something sensible or prints why it cannot.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

MOUNT = Path("/content/drive")
"""Mount point of Drive in Colab's file system."""


def on_colab() -> bool:
    """Does this notebook run on Colab?"""
    return "google.colab" in sys.modules


def use_drive(folder: str = "homework") -> Path | None:
    """Keeps training checkpoints on your Google Drive, so that an interrupted run resumes in a new session.

    Run it before the first training cell. Colab asks for your permission. Without it, or outside Colab, checkpoints
    stay in `$HOMEWORK_CHECKPOINTS`, else in `checkpoints` beside the notebook.

    Args:
        folder: folder on your drive; created if missing.

    Returns:
        The folder in the file system; None if the drive is not available, and then a line says why.

    Raises:
        ValueError: the folder is not below your drive.
    """
    parts = Path(folder).parts
    if not parts or Path(folder).is_absolute() or ".." in parts:
        raise ValueError(f"{folder!r} must name a folder on your drive, for instance 'homework'.")
    if not on_colab():
        print("This is not Colab: checkpoints stay in `checkpoints` beside the notebook, or in $HOMEWORK_CHECKPOINTS.")
        return None
    from google.colab import drive  # type: ignore[import-not-found,unused-ignore]

    target = MOUNT / "MyDrive" / folder
    try:
        drive.mount(str(MOUNT))
        target.mkdir(parents=True, exist_ok=True)
    except Exception as error:  # the permission was refused, or the drive is full or not available
        print(
            f"Your drive cannot be used ({error}). The notebook works without it, but checkpoints end with the session."
        )
        return None
    os.environ["HOMEWORK_CHECKPOINTS"] = str(target)
    print(f"Checkpoints are kept in the folder {folder} of your drive.")
    return target


def offer_download(path: Path) -> None:
    """Offers a file to submit: on Colab the browser downloads it, other notebooks show a link."""
    if on_colab():
        _download(path)
    elif "ipykernel" in sys.modules and path.parent == Path.cwd():  # a link can lead to files beside the notebook only
        from IPython.display import FileLink, display

        display(FileLink(path.name, result_html_prefix="To submit with this notebook: "))


def _download(path: Path) -> None:
    from google.colab import files

    try:
        files.download(str(path))
    except Exception as error:  # e.g. the browser tab was closed while the cell runs
        print(
            f"The download did not start ({error}). Click the folder icon on the left and download {path.name} there."
        )
    print("Submit it with the notebook: File > Download > Download .ipynb.")
