"""Finds the four files of MNIST in a local folder, the cache or the network, and verifies their checksums."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Final

import torch

from homework.data.download import DownloadError, download
from homework.data.folders import cache_folder, data_folder, save
from homework.errors import DataError

TRAIN_IMAGES: Final = "train-images-idx3-ubyte"
TRAIN_LABELS: Final = "train-labels-idx1-ubyte"
TEST_IMAGES: Final = "t10k-images-idx3-ubyte"
TEST_LABELS: Final = "t10k-labels-idx1-ubyte"

SHA256: Final = {
    TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Checksums of the unpacked files, independent of the gzip settings."""


def mnist_arrays() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training images and labels, test images and labels: uint8 `[N, 28, 28]` and int64 `[N]`.

    Raises:
        DataError: a file is not available, is damaged or cannot be saved.
    """
    from torchvision.datasets.mnist import read_image_file, read_label_file  # type: ignore[import-untyped,unused-ignore]

    paths = {name: find_file(name) for name in SHA256}
    return (
        read_image_file(str(paths[TRAIN_IMAGES])),
        read_label_file(str(paths[TRAIN_LABELS])),
        read_image_file(str(paths[TEST_IMAGES])),
        read_label_file(str(paths[TEST_LABELS])),
    )


def find_file(name: str) -> Path:
    """One of the four files, verified; it is unpacked into the cache or downloaded if necessary.

    Args:
        name: a key of `SHA256`.

    Raises:
        DataError: it is not available, is damaged or cannot be saved.
    """
    local, cached = data_folder("MNIST", "raw"), cache_folder("MNIST", "raw") / name
    for path in (local / name if local else None, cached):
        if path is not None and path.is_file():
            verify(name, _read(path), path)
            return path
    packed = local / f"{name}.gz" if local else None
    if packed is not None and packed.is_file():
        contents = _unpacked(_read(packed), packed)
        verify(name, contents, packed)
    else:
        contents = _downloaded(name)
    save(contents, cached)
    return cached


def verify(name: str, contents: bytes, path: Path) -> None:
    """Verifies the checksum of a file.

    Args:
        name: a key of `SHA256`.
        contents: the unpacked bytes.
        path: their source, for the message.

    Raises:
        DataError: it is wrong.
    """
    got = hashlib.sha256(contents).hexdigest()
    if got != SHA256[name]:
        raise DataError(
            f"{path} is damaged: its SHA-256 (unpacked) should be {SHA256[name]} and is {got}. "
            "Delete this file and run the cell again; then it is unpacked or downloaded again."
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check its permissions.") from error


def _unpacked(packed: bytes, where: Path | str) -> bytes:
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{where} is damaged: it cannot be unpacked ({error}); delete it and run the cell again."
        ) from error


def _downloaded(name: str) -> bytes:
    from torchvision.datasets import MNIST

    def check(packed: bytes) -> None:
        got = hashlib.sha256(_unpacked(packed, "the download")).hexdigest()
        if got != SHA256[name]:
            raise DataError(
                f"the download has the wrong checksum: SHA-256 (unpacked) should be {SHA256[name]} and is {got}"
            )

    try:
        return gzip.decompress(download([f"{mirror}{name}.gz" for mirror in MNIST.mirrors], check=check))
    except DownloadError as error:
        raise DataError(
            f"MNIST is neither in $HOMEWORK_DATA nor in the cache ({cache_folder('MNIST', 'raw')}), and {name}.gz "
            f"could not be downloaded:\n{error}\nWhat to do, one of:\n"
            "- check the network connection and run this cell again;\n"
            f"- put the four files ({', '.join(SHA256)}, plain or .gz) into <folder>/MNIST/raw and set "
            "HOMEWORK_DATA=<folder>;\n"
            "- set HOMEWORK_PROFILE=mini and restart the notebook: it then works with embedded digits, offline."
        ) from error
