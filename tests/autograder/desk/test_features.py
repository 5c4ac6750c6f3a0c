"""Kernels of answers and pictures are valid, and the order puts similar ones side by side."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from autograder.desk.features import LENGTH_WEIGHT, TextFeatures, order, picture_features

TEXTS = [
    "the loss falls quickly",
    "a tree has a root and leaves",
    "the loss falls very quickly",
    "a tree has one root and many leaves",
    "yes",
]


def test_the_kernel_is_the_mean_of_both_similarities_and_the_length() -> None:
    found = TextFeatures.of(TEXTS)
    counts = np.log1p([4, 7, 5, 8, 1])
    length = (counts - counts.mean()) / counts.std()
    assert found.length == pytest.approx(length)
    assert found.kernel == pytest.approx(
        (found.words + found.characters) / 2 + LENGTH_WEIGHT * np.outer(length, length)
    )
    assert np.diag(found.words) == pytest.approx(1) and np.diag(found.characters) == pytest.approx(1)
    assert found.words[0, 2] > 0.4 > 0.1 > found.words[0, 1]
    assert np.linalg.eigvalsh(found.kernel).min() > -1e-9


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["one"],
        ["", "", ""],
        ["same", "same", "same"],
        ["", "one"],
        ["不同的答案", "同样的答案", "ответ", "إجابة"],
        ["$x^2$", "$\\sigma(x)$", "$+$", "="],
        ["?", "!"],
        ["x" * 100_000, "x y " * 50_000],
    ],
    ids=lambda texts: ascii(texts)[:20],
)
def test_odd_answers_have_a_finite_kernel_and_an_order(texts: list[str]) -> None:
    kernel = TextFeatures.of(texts).kernel
    assert kernel.shape == (len(texts), len(texts)) and np.isfinite(kernel).all()
    assert sorted(order(kernel)) == list(range(len(texts)))


def test_similar_answers_follow_each_other_always_in_the_same_order() -> None:
    found = order(TextFeatures.of(TEXTS).kernel)
    assert abs(found.index(0) - found.index(2)) == 1 and abs(found.index(1) - found.index(3)) == 1
    assert found == order(TextFeatures.of(TEXTS).kernel) and found[0] < found[-1]


def _png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


def test_pictures_are_similar_by_their_shapes_not_by_size_brightness_or_format() -> None:
    ramp = np.tile(np.arange(0, 128, dtype=np.uint8), (64, 1))
    across = ramp[:, :64].T.copy()
    kernel = picture_features([_png(ramp), _png(ramp[::2, ::2] + 100), ramp.astype(float), _png(across)])
    assert kernel[0, 1] > 0.99 and kernel[0, 2] > 0.99 and abs(kernel[0, 3]) < 0.1
    assert np.diag(kernel) == pytest.approx(1)


def test_pictures_without_content_are_similar_to_none() -> None:
    plain = np.full((20, 30), 7, np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8)
    kernel = picture_features([_png(plain), b"no picture", _png(noise), np.zeros((2, 2, 2, 2)), _png(noise)[:60]])
    assert np.isfinite(kernel).all() and kernel[2, 2] == pytest.approx(1)
    kernel[2, 2] = 0
    assert not kernel.any()
    assert picture_features([]).shape == (0, 0)
