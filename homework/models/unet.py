"""A small U-Net with a time input: the network of both halves of the diffusion problem.

    net = UNet(size=28, channels=32, hidden=1024)
    out = net(x, t)  # x [B, 1, 28, 28], t LongTensor [B] -> out [B, 1, 28, 28]

The network goes down from a fine grid to a coarse one and up again; skip connections concatenate the features of the
way down (Ronneberger, Fischer and Brox 2015, arXiv:1505.04597). The fine grid represents strokes; on the coarse grid
fully connected layers combine all places, so that the parts of a picture fit together. The time enters each block as a
shift of its channels (Ho, Jain and Abbeel 2020, arXiv:2006.11239, appendix B).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

TIME_FEATURES = 64
SLOWEST = 10_000.0
GRID = 14
"""Places along one side of the fine grid; the coarse one has half as many."""
GROUPS = 4


def time_features(t: torch.Tensor) -> torch.Tensor:
    """Sines and cosines of t, from fast to slow: `[B]` -> `[B, 64]` (Vaswani and others 2017, section 3.5).

    The slow ones distinguish early from late steps, the fast ones neighbouring steps.
    """
    half = TIME_FEATURES // 2
    frequencies = SLOWEST ** (-torch.arange(half, device=t.device) / half)  # [half]
    angles = t.to(torch.float32)[:, None] * frequencies  # [B, 1] * [half] -> [B, half]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class ConvBlock(nn.Module):
    """Two convolutions with a shortcut; the time shifts the channels between them."""

    def __init__(self, channels_in: int, channels: int, time_width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.shift = nn.Linear(time_width, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.shortcut = nn.Identity() if channels_in == channels else nn.Conv2d(channels_in, channels, 1)

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """x `[B, channels_in, H, W]`, time `[B, time_width]` -> `[B, channels, H, W]`."""
        h = F.silu(self.norm(self.first(x)) + self.shift(time)[:, :, None, None])
        out: torch.Tensor = self.shortcut(x) + self.second(h)
        return out


class FullBlock(nn.Module):
    """Fully connected layers over all places and channels, with a shortcut."""

    def __init__(self, channels: int, places: int, hidden: int, time_width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.enter = nn.Linear(channels * places, hidden)
        self.first_shift = nn.Linear(time_width, hidden)
        self.inner_norm = nn.LayerNorm(hidden)
        self.inner = nn.Linear(hidden, hidden)
        self.second_shift = nn.Linear(time_width, hidden)
        self.leave = nn.Linear(hidden, channels * places)
        nn.init.zeros_(self.leave.weight)  # a new block is its shortcut

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """x `[B, channels, H, W]`, time `[B, time_width]` -> `[B, channels, H, W]`."""
        h = self.enter(self.norm(x).flatten(1))  # [B, channels, H, W] -> [B, hidden]
        h = h + self.inner(F.silu(self.inner_norm(h) + self.first_shift(time)))
        out: torch.Tensor = self.leave(F.silu(h + self.second_shift(time)))
        return x + out.view_as(x)  # [B, channels · H · W] -> [B, channels, H, W]


class UNet(nn.Module):
    """Images and steps in, images of the same size out.

    Args:
        size: pixels along one side of the images: 14, or a multiple of it (then each place of the fine grid is a
            square of pixels).
        channels: channels of the fine grid, a multiple of 4; the coarse grid has twice as many.
        hidden: width of the fully connected layers on the coarse grid.

    Raises:
        ValueError: the size is not a multiple of 14, or the channels are not a multiple of 4.
    """

    def __init__(self, size: int = 14, channels: int = 8, hidden: int = 512) -> None:
        super().__init__()
        if size < GRID or size % GRID or channels < GROUPS or channels % GROUPS:
            raise ValueError(f"size must be a multiple of {GRID} and channels of {GROUPS}, not {size} and {channels}.")
        square, width = size // GRID, TIME_FEATURES
        self.time = nn.Sequential(nn.Linear(TIME_FEATURES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.split = nn.PixelUnshuffle(square)  # pixels of a square -> channels
        self.enter = nn.Conv2d(square**2, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, 2 * channels, 2, stride=2)
        self.everywhere = FullBlock(2 * channels, (GRID // 2) ** 2, hidden, width)
        self.around = ConvBlock(2 * channels, 2 * channels, width)
        self.up = nn.ConvTranspose2d(2 * channels, channels, 2, stride=2)
        self.beside = ConvBlock(2 * channels, channels, width)
        self.last = nn.Sequential(
            nn.GroupNorm(GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, square**2, 3, padding=1)
        )
        self.join = nn.PixelShuffle(square)  # channels -> pixels of a square
        self.straight = nn.Linear(width, 1)  # weight of the input in the output, at this time
        convolution = self.last[-1]
        assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """x `[B, 1, size, size]`, t LongTensor `[B]` -> `[B, 1, size, size]`."""
        time = self.time(time_features(t))  # [B, 64]
        fine = self.enter(self.split(x))  # [B, channels, 14, 14]
        coarse = self.down(fine)  # [B, 2 · channels, 7, 7]
        coarse = self.around(self.everywhere(coarse, time), time)
        fine = self.beside(torch.cat([fine, self.up(coarse)], dim=1), time)  # [B, channels, 14, 14]
        out: torch.Tensor = self.join(self.last(fine)) + self.straight(time)[:, :, None, None] * x
        return out
