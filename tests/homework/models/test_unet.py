"""The U-Net keeps the shape, depends on the time and on the whole image, and can learn."""

from __future__ import annotations

import pytest
import torch

from homework.models.unet import UNet, time_features


def small(size: int = 14) -> UNet:
    """A tiny net whose last layers are no longer zero."""
    torch.manual_seed(0)
    net = UNet(size=size, channels=4, hidden=16)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.2 * torch.randn(weight.shape))
    return net.eval()


@pytest.mark.parametrize("size", [14, 28])
def test_the_output_has_the_shape_of_the_input(size: int) -> None:
    x = torch.randn(3, 1, size, size)
    assert small(size)(x, torch.tensor([1, 2, 3])).shape == x.shape


@pytest.mark.parametrize(("size", "channels"), [(10, 8), (0, 8), (14, 6), (14, 0)])
def test_sizes_that_do_not_fit_are_refused(size: int, channels: int) -> None:
    with pytest.raises(ValueError, match="multiple"):
        UNet(size=size, channels=channels)


def test_each_output_depends_on_its_own_time_and_on_no_other_image() -> None:
    net, x = small(), torch.randn(1, 1, 14, 14).repeat(3, 1, 1, 1)
    out = net(x, torch.tensor([5, 5, 6]))
    assert torch.allclose(out[0], out[1], atol=1e-5)
    assert float((out[0] - out[2]).detach().abs().max()) > 1e-3
    alone = net(x[2:], torch.tensor([6]))
    assert torch.allclose(alone[0], out[2], atol=1e-4)


def test_every_pixel_depends_on_every_other() -> None:
    net, x = small(), torch.randn(1, 1, 14, 14, requires_grad=True)
    net(x, torch.tensor([3]))[0, 0, 0, 0].backward()
    assert x.grad is not None and bool((x.grad[0, 0, -2:, -2:] != 0).all())


def test_time_features_are_different_for_all_steps_and_bounded() -> None:
    features = time_features(torch.arange(1, 1001))
    assert features.shape == (1000, 64)
    assert float(features.abs().max()) <= 1
    assert float(torch.cdist(features, features).fill_diagonal_(1.0).min()) > 0.1


def test_it_learns_a_task_that_needs_neighbouring_pixels() -> None:
    torch.manual_seed(0)
    net = UNet(channels=4, hidden=16)
    x, t = torch.randn(32, 1, 14, 14), torch.arange(32)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(60):
        loss = ((net(x, t) - x.roll(1, 3)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
