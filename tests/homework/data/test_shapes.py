"""Drawn shapes are always the same, equally many of each kind, and harder to recognise at a higher difficulty."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from homework.data import shapes
from homework.data.shapes import NAMES, draw_shapes


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    first, again, other = draw_shapes(30, 3), draw_shapes(30, 3), draw_shapes(30, 4)
    for name in ("images", "labels", "difficulty"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert not torch.equal(first.images, other.images)


def test_images_and_labels_have_their_shapes_types_and_ranges() -> None:
    drawn = draw_shapes(shapes.CHUNK + 7, 0)
    assert drawn.images.shape == (shapes.CHUNK + 7, 1, 32, 32) and drawn.images.dtype == torch.float32
    assert drawn.labels.dtype == torch.int64
    assert float(drawn.images.min()) >= 0 and float(drawn.images.max()) <= 1
    assert torch.equal(drawn.images, (drawn.images * 255).round() / 255), "256 grey levels"
    assert repr(drawn) == f"Shapes({shapes.CHUNK + 7:,} figures of 6 kinds)"


def test_kinds_are_equally_frequent_and_most_figures_are_easy() -> None:
    drawn = draw_shapes(603, 1)
    assert sorted(drawn.labels.bincount().tolist()) == [100] * 3 + [101] * 3
    assert float(drawn.difficulty.min()) >= 0 and 0.9 < float(drawn.difficulty.max()) <= 1
    assert 0.7 < float((drawn.difficulty < 0.5).float().mean()) < 0.9


@pytest.mark.parametrize("kind", range(len(NAMES)), ids=NAMES)
@pytest.mark.parametrize("elongation", [1.0, 1.6, 2.4])
def test_every_kind_has_the_area_of_the_unit_circle_and_is_centred(kind: int, elongation: float) -> None:
    line = np.linspace(-4, 4, 801)
    u, v = np.meshgrid(line, line)
    inside = shapes._inside(kind, u[None], v[None], np.full((1, 1, 1), elongation))[0]
    cell = (line[1] - line[0]) ** 2
    assert abs(inside.sum() * cell / np.pi - 1) < 0.02
    assert abs((u * inside).sum() * cell) < 0.05 and abs((v * inside).sum() * cell) < 0.1


def test_a_higher_difficulty_means_fainter_smaller_and_noisier() -> None:
    easy, hard = draw_shapes(120, 5, difficulty=0.0), draw_shapes(120, 5, difficulty=1.0)
    assert bool((easy.difficulty == 0).all()) and bool((hard.difficulty == 1).all())
    assert float(hard.images.mean()) < 0.7 * float(easy.images.mean())
    roughness = [float((drawn.images[..., :4, :4].std(dim=(-2, -1))).mean()) for drawn in (easy, hard)]  # background
    assert roughness[1] > 2 * roughness[0]


def test_a_circle_looks_round_and_a_square_does_not() -> None:
    drawn = draw_shapes(600, 7, difficulty=0.0)
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")

    def fourfold(images: torch.Tensor) -> torch.Tensor:
        """How strongly the rim repeats itself four times around the middle: `[N]`."""
        weight = (images[:, 0] > 0.4).double()  # [N, 32, 32]
        mass = weight.sum(dim=(1, 2))
        dx = x - ((weight * x).sum(dim=(1, 2)) / mass)[:, None, None]
        dy = y - ((weight * y).sum(dim=(1, 2)) / mass)[:, None, None]
        real, imaginary = dx**4 - 6 * dx**2 * dy**2 + dy**4, 4 * dx**3 * dy - 4 * dx * dy**3
        parts = [(weight * each).sum(dim=(1, 2)) for each in (real, imaginary)]
        return torch.hypot(*parts) / mass**3

    circles, squares = (fourfold(drawn.images[drawn.labels == NAMES.index(name)]) for name in ("circle", "square"))
    assert float(circles.mean()) < 0.3 * float(squares.mean())


@pytest.mark.parametrize(("count", "difficulty"), [(0, None), (5, -0.1), (5, 1.5), (5, float("nan"))])
def test_invalid_counts_and_difficulties_are_refused(count: int, difficulty: float | None) -> None:
    with pytest.raises(ValueError, match="must"):
        draw_shapes(count, 0, difficulty)
