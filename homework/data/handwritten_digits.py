"""Handwritten digits: MNIST in profile `full`, embedded digits in `mini` and `grade`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import interpolate, pad

from homework.data.mnist_files import mnist_arrays
from homework.errors import DataError
from homework.profiles import Run

__all__ = ["DataError", "Digits", "digits", "embedded_digits", "mnist"]

TEST_IMAGES_PER_CLASS = 30
DIGIT_SIZE = 20
DARK, BRIGHT = 0.35, 0.85


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, bright on black; all tensors on the CPU."""

    train_images: torch.Tensor
    """float32 `[N, 1, 28, 28]` in [0, 1]."""
    train_labels: torch.Tensor
    """int64 `[N]`, 0 … 9."""
    test_images: torch.Tensor
    """float32 `[M, 1, 28, 28]` in [0, 1]."""
    test_labels: torch.Tensor
    """int64 `[M]`, 0 … 9."""
    name: str
    """`MNIST` or `embedded digits`."""

    def __repr__(self) -> str:
        """Name and sizes, not the pixels."""
        return f"Digits({self.name}: {len(self.train_images):,} training and {len(self.test_images):,} test images)"


def digits(run: Run) -> Digits:
    """Handwritten digits for this run: MNIST in profile `full`, else the embedded digits.

    MNIST is read from `$HOMEWORK_DATA/MNIST/raw` (plain or gzipped), else from the cache (`$HOMEWORK_CACHE`, else
    `~/.cache/homework`), else downloaded from torchvision's mirrors into the cache. Checksums are verified each time.

    Args:
        run: what `homework.start` returned.

    Raises:
        DataError: MNIST is not available or damaged; the message says what to do.
    """
    return mnist() if run.profile == "full" else embedded_digits()


def mnist() -> Digits:
    """MNIST: 60,000 training and 10,000 test images in their original order.

    Source: LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    Raises:
        DataError: it is not available or damaged.
    """
    train_images, train_labels, test_images, test_labels = mnist_arrays()
    return Digits(_unit(train_images), train_labels, _unit(test_images), test_labels, "MNIST")


def embedded_digits() -> Digits:
    """1,497 training and 300 test images that come with scikit-learn, with the size and contrast of MNIST.

    The originals are 8×8 pixels with 17 grey levels. They are enlarged to 20×20 (bicubic), sharpened with a smooth step
    between grey values 0.35 and 0.85, and centred in 28×28 pixels. A fixed permutation chooses the test set, 30 images
    of each digit.

    Source: Alpaydin and Kaynak (1998), Optical recognition of handwritten digits, UCI machine learning repository.
    """
    table = torch.from_numpy(_small_digits())
    small = table[:, :64].reshape(-1, 1, 8, 8).float() / 16
    images, labels = _like_mnist(small), table[:, 64]
    order = torch.from_numpy(np.random.RandomState(0).permutation(len(labels)))
    test = torch.cat([order[labels[order] == digit][:TEST_IMAGES_PER_CLASS] for digit in range(10)])
    is_test = torch.zeros(len(labels), dtype=torch.bool)
    is_test[test] = True
    chosen, rest = order[is_test[order]], order[~is_test[order]]
    return Digits(images[rest], labels[rest], images[chosen], labels[chosen], "embedded digits")


def _small_digits() -> np.ndarray:
    """The table that `sklearn.datasets.load_digits` reads: int64 `[1797, 65]`, 64 pixels from 0 to 16, and the label.

    It is read without scikit-learn, whose import takes a hundred times as long.
    """
    package = find_spec("sklearn")
    assert package is not None and package.origin is not None, "scikit-learn is installed with homework"
    file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    return np.loadtxt(file, delimiter=",", dtype=np.float64).astype(np.int64)


def _like_mnist(small: torch.Tensor) -> torch.Tensor:
    grey = interpolate(small, size=(DIGIT_SIZE, DIGIT_SIZE), mode="bicubic", align_corners=False)
    step = ((grey - DARK) / (BRIGHT - DARK)).clamp(0, 1)
    crisp = step * step * (3 - 2 * step)
    margin = (28 - DIGIT_SIZE) // 2
    return pad((crisp * 255).round() / 255, (margin,) * 4)  # 256 grey levels, as in MNIST


def _unit(images: torch.Tensor) -> torch.Tensor:
    return images[:, None].to(torch.float32) / 255  # [N, 28, 28] uint8 -> [N, 1, 28, 28] in [0, 1]
