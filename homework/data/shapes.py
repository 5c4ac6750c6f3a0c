"""Drawn shapes: six kinds of figures on 32×32 pixels, each with a known difficulty.

    drawn = draw_shapes(6000, seed=0)  # .images [6000, 1, 32, 32], .labels [6000], .difficulty [6000]

A difficulty of 0 means large, bright, complete and clean. Towards 1 a figure gets smaller and fainter, long ones get
shorter (so that an ellipse resembles a circle), a bar hides part of it, and noise covers all of it. Position and
rotation are random at every difficulty.

All random numbers come from numpy's `RandomState`, whose stream never changes, and grey levels are rounded to 256
steps. So the same seed gives the same pictures on every machine, except for a rare pixel that is one step off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

NAMES: Final = ("circle", "square", "rectangle", "right triangle", "heart", "ellipse")
SIZE: Final = 32
FINER: Final = 2
"""Sample points along each side of a pixel: a pixel on the edge gets the share of points inside the figure."""
CHUNK: Final = 500
"""Figures drawn at a time; limits the memory."""

RADIUS: Final = (10.5, 6.5)
"""Radius in pixels of a circle of the same area: easiest, hardest."""
CONTRAST: Final = (0.8, 0.4)
"""Brightness of the figure minus that of the background."""
ELONGATION: Final = (2.4, 1.6)
"""Length over width of rectangle and ellipse."""
HIDDEN: Final = (0.0, 0.6)
"""Width of the bar that hides part of the figure, in radii."""
NOISE: Final = (0.02, 0.2)
"""Standard deviation of the noise of each pixel."""
MOSTLY_EASY: Final = 3
"""A difficulty is this power of a uniform number in [0, 1]: four in five are below one half."""
JITTER: Final = 0.1
"""Random relative deviation of size, contrast and elongation from the values of the difficulty."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shapes:
    """Drawn figures, bright on dark; all tensors on the CPU."""

    images: torch.Tensor
    """float32 `[N, 1, 32, 32]` in [0, 1]."""
    labels: torch.Tensor
    """int64 `[N]`, indices into `NAMES`."""
    difficulty: torch.Tensor
    """float32 `[N]` in [0, 1]."""

    def __repr__(self) -> str:
        """The number of figures, not the pixels."""
        return f"Shapes({len(self.images):,} figures of {len(NAMES)} kinds)"


def draw_shapes(count: int, seed: int, difficulty: float | None = None) -> Shapes:
    """Draws figures of random kinds; the numbers of any two kinds differ by at most one.

    Args:
        count: number of figures.
        seed: the same seed gives the same figures.
        difficulty: the same for all, from 0 to 1; if None, each figure has its own, the cube of a uniform number.

    Raises:
        ValueError: `count` is below 1, or the difficulty is outside [0, 1].
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}.")
    if difficulty is not None and not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty must lie in [0, 1], not {difficulty}.")
    stream = np.random.RandomState(seed)
    labels = stream.permutation(np.arange(count) % len(NAMES))
    hard = stream.random_sample(count) ** MOSTLY_EASY if difficulty is None else np.full(count, float(difficulty))
    images = np.concatenate(
        [_pictures(labels[at : at + CHUNK], hard[at : at + CHUNK], stream) for at in range(0, count, CHUNK)]
    )
    return Shapes(
        torch.from_numpy(images)[:, None],  # [N, 32, 32] -> [N, 1, 32, 32]
        torch.from_numpy(labels.astype(np.int64)),
        torch.from_numpy(hard.astype(np.float32)),
    )


def _pictures(labels: npt.NDArray[Any], hard: Floats, stream: np.random.RandomState) -> npt.NDArray[np.float32]:
    """Pictures `[n, 32, 32]` of figures of those kinds and difficulties."""
    n = len(labels)
    radius, contrast, elongation = (_between(ends, hard, stream) for ends in (RADIUS, CONTRAST, ELONGATION))
    reach = (SIZE / 2 - radius).clip(min=0) * 0.6  # largest offset of the centre, in pixels
    middle = SIZE / 2 + reach[:, None] * stream.uniform(-1, 1, (n, 2))
    angle = stream.uniform(0, 2 * np.pi, n)

    places = (np.arange(SIZE * FINER) + 0.5) / FINER  # in pixels
    x = places[None, None, :] - middle[:, 0, None, None]  # [n, 1, fine]
    y = places[None, :, None] - middle[:, 1, None, None]  # [n, fine, 1]
    cos, sin = (trig(angle)[:, None, None] / radius[:, None, None] for trig in (np.cos, np.sin))
    u, v = cos * x + sin * y, cos * y - sin * x  # [n, fine, fine]: the figure's own axes, in radii
    inside = np.empty(u.shape, dtype=bool)
    for kind in range(len(NAMES)):
        chosen = labels == kind
        inside[chosen] = _inside(kind, u[chosen], v[chosen], elongation[chosen, None, None])
    inside &= ~_behind_bar(u, v, hard, stream)

    share = inside.reshape(n, SIZE, FINER, SIZE, FINER).mean(axis=(2, 4))  # [n, fine, fine] -> [n, 32, 32]
    background = stream.uniform(0.0, 0.15, n)
    noise = _mixed(NOISE, hard)[:, None, None] * stream.standard_normal((n, SIZE, SIZE))
    grey = background[:, None, None] + contrast[:, None, None] * share + noise
    rounded: npt.NDArray[np.float32] = (np.round(grey.clip(0, 1) * 255) / 255).astype(np.float32)
    return rounded


def _inside(kind: int, u: Floats, v: Floats, elongation: Floats) -> npt.NDArray[np.bool_]:
    """Which points are inside a figure of that kind? All kinds have the area of a circle with radius 1."""
    half = np.sqrt(np.pi) / 2  # half a side of the square
    stretch = np.sqrt(elongation)
    name = NAMES[kind]
    found: npt.NDArray[np.bool_]
    if name == "circle":
        found = u**2 + v**2 <= 1
    elif name == "square":
        found = np.maximum(np.abs(u), np.abs(v)) <= half
    elif name == "rectangle":
        found = (np.abs(u) <= half * stretch) & (np.abs(v) <= half / stretch)
    elif name == "ellipse":
        found = (u / stretch) ** 2 + (v * stretch) ** 2 <= 1
    elif name == "right triangle":
        leg = np.sqrt(2 * np.pi)  # both legs; the point (0, 0) is where the medians meet
        found = (u >= -leg / 3) & (v >= -leg / 3) & (u + v <= leg / 3)
    else:
        p, q = 1.08 * u, 1.08 * v + 0.29  # heart: a curve of the sixth degree, scaled to that area
        found = (p**2 + q**2 - 1) ** 3 <= p**2 * q**3
    return found


def _behind_bar(u: Floats, v: Floats, hard: Floats, stream: np.random.RandomState) -> npt.NDArray[np.bool_]:
    """Which points does a straight bar of random direction hide?"""
    n = len(hard)
    angle, offset = stream.uniform(0, 2 * np.pi, n), stream.uniform(0.3, 1.0, n)
    across = np.cos(angle)[:, None, None] * u + np.sin(angle)[:, None, None] * v - offset[:, None, None]
    hidden: npt.NDArray[np.bool_] = np.abs(across) <= _mixed(HIDDEN, hard)[:, None, None] / 2
    return hidden


def _mixed(ends: tuple[float, float], hard: Floats) -> Floats:
    """Interpolates linearly between the easiest and the hardest value."""
    return ends[0] + (ends[1] - ends[0]) * hard


def _between(ends: tuple[float, float], hard: Floats, stream: np.random.RandomState) -> Floats:
    """As `_mixed`, with random deviations."""
    return _mixed(ends, hard) * (1 + JITTER * stream.uniform(-1, 1, len(hard)))
