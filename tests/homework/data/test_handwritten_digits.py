"""Embedded digits look like digits; MNIST is found, verified, unpacked, downloaded, or its absence explained."""

from __future__ import annotations

import contextlib
import email.message
import gzip
import hashlib
import io
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits  # type: ignore[import-untyped,unused-ignore]

from homework import data
from homework.data import download, handwritten_digits, mnist_files
from homework.profiles import Profile
from tests.homework.conftest import Patch, Printed, a_run, disk_full

FULL = a_run(profile="full")
COUNTS = {name: (5 if name.startswith("train") else 3) for name in mnist_files.SHA256}
Files = dict[str, bytes]


def idx(values: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    header = b"\x00\x00\x08" + bytes([values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    return header + values.tobytes()


@pytest.fixture
def files(monkeypatch: Patch, tmp_path: Path) -> Files:
    """A tiny MNIST with its checksums; the cache is empty, and there is no data folder."""
    stream = np.random.RandomState(0)
    made = {}
    for name, count in COUNTS.items():
        shape = (count, 28, 28) if "images" in name else (count,)
        made[name] = idx(stream.randint(0, 256 if "images" in name else 10, shape).astype(np.uint8))
        monkeypatch.setitem(mnist_files.SHA256, name, hashlib.sha256(made[name]).hexdigest())
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    return made


def put(folder: Path, files: Files, monkeypatch: Patch, *, packed: bool = True) -> Path:
    """Writes the files to a folder, with `HOMEWORK_DATA` beside the cache."""
    monkeypatch.setenv("HOMEWORK_DATA", str(folder.with_name("shared")))
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        (raw / f"{name}.gz").write_bytes(gzip.compress(contents)) if packed else (raw / name).write_bytes(contents)
    return raw


class Response(io.BytesIO):
    """The answer of a web server."""

    headers = email.message.Message()


def web(monkeypatch: Patch, answer: Callable[[str], bytes]) -> list[str]:
    """Replaces the network: `answer` gives the bytes of an address, or raises; returns the requested addresses."""
    asked: list[str] = []

    def urlopen(request: urllib.request.Request, timeout: float) -> Any:
        asked.append(request.full_url)
        return contextlib.closing(Response(answer(request.full_url)))

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def offline(url: str) -> bytes:
    raise urllib.error.URLError("Name or service not known")


@pytest.mark.parametrize("profile", ["mini", "grade"])
def test_the_embedded_digits_are_balanced_and_always_the_same(profile: Profile) -> None:
    digits, again = data.digits(a_run(profile=profile)), data.digits(a_run(profile=profile))
    assert digits.name == "embedded digits"
    assert digits.train_images.shape == (1497, 1, 28, 28) and digits.test_images.shape == (300, 1, 28, 28)
    assert digits.train_images.dtype == digits.test_images.dtype == torch.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    assert digits.test_labels.bincount().tolist() == [30] * 10
    assert digits.train_labels.bincount().min() >= 140
    assert (float(digits.train_images.min()), float(digits.train_images.max())) == (0.0, 1.0)
    assert torch.equal(again.train_images, digits.train_images)
    assert torch.equal(again.test_labels, digits.test_labels)
    assert "1,497 training and 300 test" in repr(digits)


def test_the_embedded_digits_are_those_of_scikit_learn_read_without_it() -> None:
    program = "from homework import data; import sys; data.embedded_digits(); print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    table, theirs = handwritten_digits._small_digits(), load_digits()
    assert np.array_equal(table[:, :64], theirs.data) and np.array_equal(table[:, 64], theirs.target)


def test_embedded_digits_have_the_contrast_and_the_margin_of_mnist() -> None:
    images = data.embedded_digits().train_images.clone()
    assert 0.1 < float(images.mean()) < 0.17  # MNIST: 0.13
    grey = float(((images > 0.1) & (images < 0.9)).float().mean())
    assert grey < 0.1  # MNIST: 0.09
    images[:, :, 4:24, 4:24] = 0
    assert not bool(images.any()), "the margin is empty"


def test_embedded_digits_can_be_classified() -> None:
    digits = data.embedded_digits()
    train, test = digits.train_images.flatten(1), digits.test_images.flatten(1)
    means = torch.stack([train[digits.train_labels == digit].mean(0) for digit in range(10)])
    nearest = torch.cdist(test, means).argmin(1)
    assert float((nearest == digits.test_labels).float().mean()) > 0.85


@pytest.mark.parametrize("packed", [True, False])
def test_local_files_are_read_and_not_changed(files: Files, tmp_path: Path, monkeypatch: Patch, packed: bool) -> None:
    raw = put(tmp_path / "shared", files, monkeypatch, packed=packed)
    before = sorted(raw.iterdir())
    asked = web(monkeypatch, offline)
    digits = data.digits(FULL)
    assert (digits.name, digits.train_images.shape, len(digits.test_images)) == ("MNIST", (5, 1, 28, 28), 3)
    pixels = np.frombuffer(files[mnist_files.TRAIN_IMAGES][16:], dtype=np.uint8).reshape(5, 1, 28, 28)
    assert torch.equal(digits.train_images, torch.from_numpy(pixels.copy()).float() / 255)
    assert digits.test_labels.tolist() == list(files[mnist_files.TEST_LABELS][8:])
    assert sorted(raw.iterdir()) == before
    assert (tmp_path / "cache").exists() == packed
    assert asked == []
    if packed:  # the second time the unpacked files in the cache are read
        monkeypatch.setattr(gzip, "decompress", lambda data: pytest.fail("must not unpack again"))
        assert torch.equal(data.digits(FULL).train_images, digits.train_images)


def test_missing_files_are_downloaded_once_from_the_first_mirror_that_works(
    files: Files, monkeypatch: Patch, capsys: Printed
) -> None:
    def second_mirror_only(url: str) -> bytes:
        if "ossci" in url:
            raise urllib.error.HTTPError(url, 503, "busy", email.message.Message(), None)
        return gzip.compress(files[url.rsplit("/", 1)[-1].removesuffix(".gz")])

    asked = web(monkeypatch, second_mirror_only)
    assert len(data.digits(FULL).train_images) == 5
    assert len(asked) == 8
    out, err = capsys.readouterr()
    assert "train-images-idx3-ubyte.gz" in out and err == ""
    data.digits(FULL)
    assert len(asked) == 8


def test_without_network_the_error_says_what_to_do(files: Files, tmp_path: Path, monkeypatch: Patch) -> None:
    asked = web(monkeypatch, offline)
    with pytest.raises(data.DataError) as caught:
        data.digits(FULL)
    for word in ("HOMEWORK_DATA", "HOMEWORK_PROFILE=mini", "Name or service not known", str(tmp_path / "cache")):
        assert word in str(caught.value)
    assert len(asked) == 2 * download.ROUNDS
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("place", "packed"), [("cache", False), ("shared", False), ("shared", True)])
def test_a_damaged_file_is_named_with_both_checksums(
    files: Files, tmp_path: Path, monkeypatch: Patch, place: str, packed: bool
) -> None:
    raw = put(tmp_path / place, {**files, mnist_files.TEST_IMAGES: b"other contents"}, monkeypatch, packed=packed)
    web(monkeypatch, offline)
    with pytest.raises(data.DataError) as caught:
        data.digits(FULL)
    expected, got = mnist_files.SHA256[mnist_files.TEST_IMAGES], hashlib.sha256(b"other contents").hexdigest()
    for word in (str(raw / mnist_files.TEST_IMAGES), expected, got, "Delete this file"):
        assert word in str(caught.value)


def test_a_truncated_archive_is_named(files: Files, tmp_path: Path, monkeypatch: Patch) -> None:
    archive = put(tmp_path / "shared", files, monkeypatch) / f"{mnist_files.TRAIN_IMAGES}.gz"
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(data.DataError, match="is damaged: it cannot be unpacked"):
        data.digits(FULL)


def test_a_download_with_a_wrong_checksum_is_not_kept(files: Files, tmp_path: Path, monkeypatch: Patch) -> None:
    web(monkeypatch, lambda url: gzip.compress(b"a login page"))
    with pytest.raises(data.DataError, match="the download has the wrong checksum"):
        data.digits(FULL)
    assert not (tmp_path / "cache").exists()


def test_a_download_is_retried_after_a_broken_connection(monkeypatch: Patch) -> None:
    length = email.message.Message()
    length["Content-Length"] = "6"
    monkeypatch.setattr(Response, "headers", length)
    answers = [b"abc", b"abcdef"]
    web(monkeypatch, lambda url: answers.pop(0))
    assert download.download(["https://mirror.invalid/file"], pause=0.0) == b"abcdef"


def test_a_full_disk_leaves_no_half_written_file(files: Files, tmp_path: Path, monkeypatch: Patch) -> None:
    put(tmp_path / "shared", files, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_full)
        with pytest.raises(data.DataError, match="the disk is full; free .* MB, or set HOMEWORK_CACHE"):
            data.digits(FULL)
    assert list((tmp_path / "cache" / "MNIST" / "raw").iterdir()) == []
    assert len(data.digits(FULL).train_images) == 5


def test_the_error_of_a_cache_that_cannot_be_written_says_what_to_do(
    files: Files, tmp_path: Path, monkeypatch: Patch
) -> None:
    put(tmp_path / "shared", files, monkeypatch)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(data.DataError, match="cannot be saved: .*set HOMEWORK_CACHE"):
        data.digits(FULL)


@pytest.mark.skipif("HOMEWORK_DATA" not in os.environ, reason="HOMEWORK_DATA names no folder with the real MNIST")
def test_the_real_mnist_is_read(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    digits = data.digits(FULL)
    assert (len(digits.train_images), len(digits.test_images)) == (60_000, 10_000)
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert float(digits.train_images.mean()) == pytest.approx(0.1307, abs=1e-4)
