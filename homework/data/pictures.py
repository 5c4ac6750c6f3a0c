"""Pictures to classify: CIFAR-10 in profile `full`, else drawn shapes of known difficulty.

pictures = pictures_for(run)
pictures.train_images  # [N, 3 or 1, 32, 32] in [0, 1]
pictures.names         # ("airplane", ...) or ("circle", ...)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import torch

from homework.data.cifar10_files import cifar10_arrays
from homework.data.shapes import NAMES, draw_shapes
from homework.profiles import Run

CIFAR10_NAMES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_SEED: Final = 1
TEST_SEED: Final = 2


@dataclass(frozen=True)
class Pictures:
    """Small pictures with labels; all tensors on the CPU."""

    train_images: torch.Tensor
    """float32 `[N, channels, 32, 32]` in [0, 1]."""
    train_labels: torch.Tensor
    """int64 `[N]`, indices into `names`."""
    test_images: torch.Tensor
    """float32 `[M, channels, 32, 32]` in [0, 1]."""
    test_labels: torch.Tensor
    """int64 `[M]`, indices into `names`."""
    test_difficulty: torch.Tensor | None
    """float32 `[M]` in [0, 1], the difficulty of each test picture; None if unknown."""
    names: tuple[str, ...]
    """The name of each label."""
    name: str
    """`CIFAR-10` or `drawn shapes`."""

    def __repr__(self) -> str:
        """Name and sizes, not the pixels."""
        return f"Pictures({self.name}: {len(self.train_images):,} for training, {len(self.test_images):,} for testing)"


def pictures_for(run: Run) -> Pictures:
    """Pictures for this run: CIFAR-10 in profile `full`, 8,000 drawn shapes in `mini`, 60 in `grade`.

    CIFAR-10 is read from `$HOMEWORK_DATA/cifar10` (`train.parquet`, `test.parquet`); else torchvision downloads it once
    into `$HOMEWORK_CACHE` (`~/.cache/homework` if unset).

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: CIFAR-10 is not available or damaged; the message says what to do.
    """
    return cifar10() if run.profile == "full" else shapes(*run.size(full=(0, 0), mini=(8000, 3000), grade=(60, 30)))


@functools.cache
def shapes(train: int, test: int) -> Pictures:
    """Drawn shapes of every difficulty from 0 to 1, the same ones at each call (see `homework.data.shapes`).

    Args:
        train: number of training pictures.
        test: number of test pictures.
    """
    seen, unseen = draw_shapes(train, TRAIN_SEED), draw_shapes(test, TEST_SEED)
    tensors = seen.images, seen.labels, unseen.images, unseen.labels, unseen.difficulty
    return Pictures(*tensors, NAMES, "drawn shapes")


def cifar10() -> Pictures:
    """CIFAR-10: 50,000 training and 10,000 test photographs of ten kinds of things.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.

    Raises:
        DataError: it is not available or damaged.
    """
    train_images, train_labels, test_images, test_labels = cifar10_arrays()
    return Pictures(_unit(train_images), train_labels, _unit(test_images), test_labels, None, CIFAR10_NAMES, "CIFAR-10")


def _unit(images: torch.Tensor) -> torch.Tensor:
    return images.permute(0, 3, 1, 2).to(torch.float32).contiguous() / 255  # [N, 32, 32, 3] uint8 -> [N, 3, 32, 32]
