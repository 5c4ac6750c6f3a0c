"""What is different on Colab: checkpoints may go to Google Drive, and files to hand in are downloaded by the browser.

Colab's machine and all that lies on it is gone some time after the browser tab is closed. Nothing here is needed to do
the homework; elsewhere each function does what makes sense there, or says why not.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

MOUNT = Path("/content/drive")
"""Where Drive appears in Colab's file system."""


def on_colab() -> bool:
    """Does this notebook run on Colab?"""
    return "google.colab" in sys.modules


def use_drive(folder: str = "homework") -> Path | None:
    """Keeps training checkpoints on your Google Drive, so that a run that was cut off goes on in a new session.

    Run it before the first training cell. Colab asks for your permission. Without it, or elsewhere than on Colab,
    checkpoints stay where they are: in `$HOMEWORK_CHECKPOINTS`, else in `checkpoints` beside the notebook.

    Args:
        folder: folder on your drive; made if missing.

    Returns:
        The folder in the file system; None if the drive is not to be had, and then a line says why.

    Raises:
        ValueError: the folder is not below your drive.
    """
    parts = Path(folder).parts
    if not parts or Path(folder).is_absolute() or ".." in parts:
        raise ValueError(f"{folder!r} must name a folder on your drive, for instance 'homework'.")
    if not on_colab():
        print("This is not Colab: checkpoints stay in `checkpoints` beside the notebook, or where you told them to be.")
        return None
    from google.colab import drive  # type: ignore[import-not-found,unused-ignore]

    target = MOUNT / "MyDrive" / folder
    try:
        drive.mount(str(MOUNT))
        target.mkdir(parents=True, exist_ok=True)
    except Exception as error:  # the permission was refused, or the drive is full or away
        print(f"Your drive cannot be used ({error}). The notebook works without it; checkpoints go with the session.")
        return None
    os.environ["HOMEWORK_CHECKPOINTS"] = str(target)
    print(f"Checkpoints are kept in the folder {folder} of your drive.")
    return target


def offer_download(path: Path) -> None:
    """Offers a file that has to be handed in: on Colab the browser downloads it, in other notebooks there is a link."""
    if on_colab():
        _download(path)
    elif "ipykernel" in sys.modules and path.parent == Path.cwd():  # a link can lead to files beside the notebook only
        from IPython.display import FileLink, display

        display(FileLink(path.name, result_html_prefix="To hand in with this notebook: "))


def _download(path: Path) -> None:
    from google.colab import files

    try:
        files.download(str(path))
    except Exception as error:  # e.g. the browser tab is gone while the cell still runs
        print(
            f"The download did not start ({error}). Open the folder symbol on the left and download {path.name} there."
        )
    print("Hand it in with the notebook: File > Download > Download .ipynb.")
