"""Pictures for each profile; CIFAR-10 is read from parquet files or torchvision, or its absence explained."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from homework.data import cifar10_files
from homework.data.pictures import CIFAR10_NAMES, cifar10, pictures_for
from homework.errors import DataError
from tests.homework.conftest import Patch, a_run

REAL = os.environ.get("HOMEWORK_DATA", "")  # before a fixture replaces it


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path))


def put(folder: Path, *, size: int = 32, label: int = 3, columns: tuple[str, str] = ("img", "label")) -> list[Any]:
    """Writes two small parquet files to `folder`/cifar10; returns their pictures."""
    import pyarrow  # type: ignore[import-untyped,unused-ignore]
    import pyarrow.parquet  # type: ignore[import-untyped,unused-ignore]

    (folder / "cifar10").mkdir(parents=True)
    stream, held = np.random.RandomState(0), []
    for split, count in (("train", 4), ("test", 2)):
        images = stream.randint(0, 256, (count, size, size, 3)).astype(np.uint8)
        encoded = []
        for image in images:
            Image.fromarray(image).save(buffer := io.BytesIO(), format="PNG")
            encoded.append({"bytes": buffer.getvalue(), "path": ""})
        table = pyarrow.table({columns[0]: encoded, columns[1]: [label] * count})
        pyarrow.parquet.write_table(table, folder / "cifar10" / f"{split}.parquet")
        held.append(images)
    return held


def test_mini_and_grade_get_drawn_shapes_with_known_difficulty(monkeypatch: Patch) -> None:
    monkeypatch.setattr("homework.data.pictures.cifar10", lambda: pytest.fail("mini and grade work without CIFAR-10"))
    drawn = pictures_for(a_run("early_exit", "grade"))
    assert drawn.train_images.shape == (60, 1, 32, 32) and drawn.test_images.shape == (30, 1, 32, 32)
    assert drawn.test_difficulty is not None and drawn.test_difficulty.shape == (30,)
    assert len(drawn.names) == 6
    assert not torch.equal(drawn.train_images[:30], drawn.test_images)
    assert repr(drawn) == "Pictures(drawn shapes: 60 for training, 30 for testing)"


def test_parquet_files_are_read(tmp_path: Path) -> None:
    train, test = put(tmp_path)
    pictures = pictures_for(a_run("early_exit", "full"))
    assert pictures.name == "CIFAR-10" and pictures.names == CIFAR10_NAMES and pictures.test_difficulty is None
    wanted = torch.from_numpy(train).permute(0, 3, 1, 2).float() / 255
    assert torch.equal(pictures.train_images, wanted), "colours, rows and columns in their places"
    assert len(pictures.test_images) == len(test)
    assert pictures.train_labels.tolist() == [3] * 4 and pictures.train_labels.dtype == torch.int64


@pytest.mark.parametrize("fault", [{"size": 28}, {"label": 10}, {"columns": ("image", "label")}])
def test_other_parquet_files_are_refused(tmp_path: Path, fault: dict[str, Any]) -> None:
    put(tmp_path, **fault)
    with pytest.raises(DataError, match="train.parquet"):
        cifar10()


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / "cifar10" / "test.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"test\.parquet cannot be read"):
        cifar10()


class Fetched:
    """Replaces torchvision's data set by two pictures; notes the folders that it was called with."""

    asked: list[str] = []

    def __init__(self, root: str, train: bool, download: bool) -> None:
        self.asked.append(root)
        assert download
        self.data, self.targets = np.full((2, 32, 32, 3), 51 if train else 255, dtype=np.uint8), [0, 9]


def test_without_files_torchvision_downloads_into_the_cache(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("torchvision.datasets.CIFAR10", Fetched)
    pictures = cifar10()
    assert set(Fetched.asked) == {str(tmp_path / "cache" / "CIFAR10")}
    assert torch.equal(pictures.train_images, torch.full((2, 3, 32, 32), 0.2))
    assert torch.equal(pictures.test_images, torch.ones(2, 3, 32, 32))
    assert pictures.test_labels.tolist() == [0, 9]


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("File not found or corrupted.")])
def test_the_error_of_a_failed_download_says_what_to_do(monkeypatch: Patch, error: Exception) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("torchvision.datasets.CIFAR10", refuse)
    with pytest.raises(DataError, match="HOMEWORK_PROFILE=mini") as caught:
        cifar10()
    assert str(error) in str(caught.value)


@pytest.mark.skipif(cifar10_files.parquet_folder() is None, reason="$HOMEWORK_DATA/cifar10 is not there")
def test_the_real_files_are_complete(monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_DATA", REAL)
    _, train_labels, test_images, test_labels = cifar10_files.cifar10_arrays()
    assert test_images.shape == (10_000, 32, 32, 3) and test_images.dtype == torch.uint8
    assert train_labels.bincount().tolist() == [5000] * 10 and test_labels.bincount().tolist() == [1000] * 10
    assert 100 < float(test_images.float().mean()) < 140
