"""Reads CIFAR-10 from parquet files in a local folder, else through torchvision's download."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from homework.data.folders import cache_folder, data_folder
from homework.errors import DataError

Arrays = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
SPLITS = ("train", "test")


def cifar10_arrays() -> Arrays:
    """Training images and labels, test images and labels: uint8 `[N, 32, 32, 3]` and int64 `[N]`.

    Raises:
        DataError: they are not available or damaged.
    """
    folder = parquet_folder()
    return _from_torchvision() if folder is None else _from_parquet(folder)


def parquet_folder() -> Path | None:
    """`$HOMEWORK_DATA/cifar10` if it contains both parquet files, else None."""
    folder = data_folder("cifar10")
    return folder if folder and all((folder / f"{split}.parquet").is_file() for split in SPLITS) else None


def _from_parquet(folder: Path) -> Arrays:
    """Reads the columns `img` (a struct whose `bytes` are an encoded picture) and `label`."""
    import pyarrow.parquet  # type: ignore[import-untyped,unused-ignore]
    from PIL import Image

    found: list[torch.Tensor] = []
    for split in SPLITS:
        path = folder / f"{split}.parquet"
        try:
            table = pyarrow.parquet.read_table(path, columns=["img", "label"])
            encoded = [picture["bytes"] for picture in table["img"].to_pylist()]
            images = np.stack([np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in encoded])
            labels = np.asarray(table["label"].to_pylist(), dtype=np.int64)
        except (OSError, ValueError, KeyError, TypeError) as error:  # pyarrow's errors are ValueErrors and OSErrors
            raise DataError(
                f"{path} cannot be read as CIFAR-10 ({type(error).__name__}: {error}). It needs the columns `img` "
                "(encoded pictures) and `label`; download it again, or delete it: then CIFAR-10 is downloaded."
            ) from error
        if images.shape[1:] != (32, 32, 3) or not 0 <= labels.min() <= labels.max() <= 9:
            raise DataError(f"{path} is not CIFAR-10: pictures of 32×32 pixels with labels 0 … 9 are expected.")
        found += [torch.from_numpy(images), torch.from_numpy(labels)]
    return found[0], found[1], found[2], found[3]


def _from_torchvision() -> Arrays:
    from torchvision.datasets import CIFAR10  # type: ignore[import-untyped,unused-ignore]

    cache = cache_folder("CIFAR10")
    found: list[torch.Tensor] = []
    for train in (True, False):
        try:
            with contextlib.redirect_stderr(sys.stdout):  # its progress bar
                split: Any = CIFAR10(str(cache), train=train, download=True)
        except (OSError, RuntimeError, EOFError) as error:
            raise DataError(
                f"CIFAR-10 is neither in $HOMEWORK_DATA/cifar10 nor in the cache ({cache}), and could not be "
                f"downloaded: {error}\nWhat to do, one of:\n"
                "- check the network connection and run this cell again;\n"
                "- put train.parquet and test.parquet (columns `img`, `label`) into <folder>/cifar10 and set "
                "HOMEWORK_DATA=<folder>;\n"
                "- set HOMEWORK_PROFILE=mini and restart the notebook: it then works with drawn shapes, offline."
            ) from error
        found += [torch.from_numpy(np.asarray(split.data)), torch.tensor(split.targets, dtype=torch.int64)]
    return found[0], found[1], found[2], found[3]
