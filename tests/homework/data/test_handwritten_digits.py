"""Embedded digits look like digits; MNIST is found, verified, unpacked, downloaded, or its absence explained."""

from __future__ import annotations

import contextlib
import email.message
import errno
import gzip
import hashlib
import io
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from homework import data
from homework.data import download, mnist_files
from homework.profiles import Run

COUNTS = {name: (5 if name.startswith("train") else 3) for name in mnist_files.SHA256}


def run(profile: Any) -> Run:
    return Run("vae", profile, torch.device("cpu"), 0)


def idx(values: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    header = b"\x00\x00\x08" + bytes([values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    return header + values.tobytes()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """A tiny MNIST whose checksums are the ones to expect; empty cache, no data folder."""
    stream = np.random.RandomState(0)
    made = {}
    for name, count in COUNTS.items():
        shape = (count, 28, 28) if "images" in name else (count,)
        made[name] = idx(stream.randint(0, 256 if "images" in name else 10, shape).astype(np.uint8))
    for name, contents in made.items():
        monkeypatch.setitem(mnist_files.SHA256, name, hashlib.sha256(contents).hexdigest())
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HOMEWORK_DATA", raising=False)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    return made


def put(folder: Path, files: dict[str, bytes], *, packed: bool) -> Path:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, contents in files.items():
        (raw / f"{name}.gz").write_bytes(gzip.compress(contents)) if packed else (raw / name).write_bytes(contents)
    return raw


def web(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], bytes]) -> list[str]:
    """Replaces the network: `answer` gives the bytes of an address, or raises; returns the addresses asked for."""
    asked: list[str] = []

    class Response(io.BytesIO):
        headers = email.message.Message()

    def urlopen(request: urllib.request.Request, timeout: float) -> Any:
        asked.append(request.full_url)
        return contextlib.closing(Response(answer(request.full_url)))

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def offline(url: str) -> bytes:
    raise urllib.error.URLError("Name or service not known")


@pytest.mark.parametrize("profile", ["mini", "grade"])
def test_embedded_digits(profile: str) -> None:
    digits = data.digits(run(profile))
    assert digits.name == "embedded digits"
    assert digits.train_images.shape == (1497, 1, 28, 28)
    assert digits.test_images.shape == (300, 1, 28, 28)
    assert digits.train_images.dtype == digits.test_images.dtype == torch.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    assert digits.test_labels.bincount().tolist() == [30] * 10
    assert digits.train_labels.bincount().min() >= 140
    assert float(digits.train_images.min()) == 0.0
    assert float(digits.train_images.max()) == 1.0
    again = data.digits(run(profile))
    assert torch.equal(again.train_images, digits.train_images)
    assert torch.equal(again.test_labels, digits.test_labels)
    assert "1,497 training and 300 test" in repr(digits)


def test_embedded_digits_have_the_contrast_and_the_margin_of_mnist() -> None:
    images = data.embedded_digits().train_images
    assert 0.1 < float(images.mean()) < 0.17  # MNIST: 0.13
    grey = float(((images > 0.1) & (images < 0.9)).float().mean())
    assert grey < 0.1  # MNIST: 0.09
    margin = torch.ones(28, 28, dtype=torch.bool)
    margin[4:24, 4:24] = False
    assert not bool(images[:, 0, margin].any())


def test_embedded_digits_can_be_told_apart() -> None:
    digits = data.embedded_digits()
    train, test = digits.train_images.flatten(1), digits.test_images.flatten(1)
    means = torch.stack([train[digits.train_labels == digit].mean(0) for digit in range(10)])
    nearest = torch.cdist(test, means).argmin(1)
    assert float((nearest == digits.test_labels).float().mean()) > 0.85


@pytest.mark.parametrize("packed", [True, False])
def test_local_files_are_used_and_left_alone(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    raw = put(tmp_path / "shared", files, packed=packed)
    before = sorted(raw.iterdir())
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    asked = web(monkeypatch, offline)
    digits = data.digits(run("full"))
    assert digits.name == "MNIST"
    assert (len(digits.train_images), len(digits.test_images)) == (5, 3)
    assert digits.train_images.shape[1:] == (1, 28, 28)
    pixels = np.frombuffer(files[mnist_files.TRAIN_IMAGES][16:], dtype=np.uint8).reshape(5, 1, 28, 28)
    assert torch.equal(digits.train_images, torch.from_numpy(pixels.copy()).float() / 255)
    assert digits.test_labels.tolist() == list(files[mnist_files.TEST_LABELS][8:])
    assert sorted(raw.iterdir()) == before
    assert (tmp_path / "cache").exists() == packed
    assert asked == []
    if packed:  # the second time the unpacked files in the cache are read
        monkeypatch.setattr(gzip, "decompress", lambda data: pytest.fail("must not unpack again"))
        assert torch.equal(data.digits(run("full")).train_images, digits.train_images)


def test_what_is_missing_is_downloaded_once_from_the_first_mirror_that_works(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def second_mirror_only(url: str) -> bytes:
        if "ossci" in url:
            raise urllib.error.HTTPError(url, 503, "busy", email.message.Message(), None)
        return gzip.compress(files[url.rsplit("/", 1)[-1].removesuffix(".gz")])

    asked = web(monkeypatch, second_mirror_only)
    digits = data.digits(run("full"))
    assert len(digits.train_images) == 5
    assert len(asked) == 8
    out, err = capsys.readouterr()
    assert "train-images-idx3-ubyte.gz" in out
    assert err == ""
    data.digits(run("full"))
    assert len(asked) == 8


def test_offline_says_what_to_do(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = web(monkeypatch, offline)
    with pytest.raises(data.DataError) as caught:
        data.digits(run("full"))
    for word in ("HOMEWORK_DATA", "HOMEWORK_PROFILE=mini", "Name or service not known", str(tmp_path / "cache")):
        assert word in str(caught.value)
    assert len(asked) == 2 * download.ROUNDS
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("place", ["cache", "shared"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_damaged_file_is_named_with_both_checksums(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, packed: bool
) -> None:
    if place == "cache" and packed:
        pytest.skip("the cache holds unpacked files only")
    raw = put(tmp_path / place, {**files, mnist_files.TEST_IMAGES: b"other contents"}, packed=packed)
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    web(monkeypatch, offline)
    with pytest.raises(data.DataError) as caught:
        data.digits(run("full"))
    expected, got = mnist_files.SHA256[mnist_files.TEST_IMAGES], hashlib.sha256(b"other contents").hexdigest()
    for word in (str(raw / mnist_files.TEST_IMAGES), expected, got, "Delete this file"):
        assert word in str(caught.value)


def test_a_truncated_archive_is_named(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = put(tmp_path / "shared", files, packed=True)
    archive = raw / f"{mnist_files.TRAIN_IMAGES}.gz"
    archive.write_bytes(archive.read_bytes()[:-20])
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    with pytest.raises(data.DataError, match="is damaged: it cannot be unpacked"):
        data.digits(run("full"))


def test_a_download_with_a_wrong_checksum_is_not_kept(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web(monkeypatch, lambda url: gzip.compress(b"a login page"))
    with pytest.raises(data.DataError, match="the download has the wrong checksum"):
        data.digits(run("full"))
    assert not (tmp_path / "cache").exists()


def test_a_broken_connection_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Response(io.BytesIO):
        headers = email.message.Message()

    Response.headers["Content-Length"] = "6"
    answers = [b"abc", b"abcdef"]
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda request, timeout: contextlib.closing(Response(answers.pop(0)))
    )
    assert download.download(["https://mirror.invalid/file"], pause=0.0) == b"abcdef"


def test_a_full_disk_leaves_nothing_half_written(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "shared", files, packed=True)
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(data.DataError, match="the disk is full; free .* MB, or set HOMEWORK_CACHE"):
            data.digits(run("full"))
    assert list((tmp_path / "cache" / "MNIST" / "raw").iterdir()) == []
    assert len(data.digits(run("full")).train_images) == 5


def test_a_cache_that_cannot_be_written_is_explained(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "shared", files, packed=True)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOMEWORK_DATA", str(tmp_path / "shared"))
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(data.DataError, match="cannot be saved: .*set HOMEWORK_CACHE"):
        data.digits(run("full"))


@pytest.mark.skipif("HOMEWORK_DATA" not in os.environ, reason="HOMEWORK_DATA names no folder with the real MNIST")
def test_the_real_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWORK_CACHE", str(tmp_path / "cache"))
    digits = data.digits(run("full"))
    assert (len(digits.train_images), len(digits.test_images)) == (60_000, 10_000)
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert float(digits.train_images.mean()) == pytest.approx(0.1307, abs=1e-4)
