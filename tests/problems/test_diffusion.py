"""The claims of the diffusion notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from homework.models.unet import UNet
from tests.problems.run_source import NOT_FOR_TESTS, cells_up_to, run_source

PROBLEM = "diffusion"
DUMP = {
    "white": "toy_white",
    "white_gap": "white_gap",
    "by_hand_posterior": "[float(derived[-1.0][1]), float(derived[1.0][-1]), float(derived[-1.0][-1])]",
    "factors": "[right_factor.tolist(), wrong_factor.tolist()]",
    "half_lost": "half_lost",
    "spacing": "spacing",
    "between": "[between_variance, float((between[0] - between[9]).abs().max()), float((between[8] - between[17])"
    ".abs().max()), float(between[4].std()), float(between[13].std())]",
    "same_digit": "[float((draw_ddim(twelve, 10, eta) - draw_ddim(twelve, T_GAUSS, eta)).abs().mean()) "
    "for eta in (0.0, 1.0)]",
    "posterior_gap": "posterior_gap",
    "proof": "[proof_gap, wrong_gap, float(formula_variance[0]), simulated_variance]",
    "same_step": "same_step_gap",
    "binary_losses": "binary_losses",
    "gauss_losses": "gauss_losses",
    "untrained": "untrained_loss",
    "binary_by_step": "binary_loss_by_step",
    "gauss_by_step": "gauss_loss_by_step",
    "verdicts": "{name: [v.classes_recognised, v.mean_confidence, v.recognised] for name, v in "
    "{'binary': binary_verdict, 'gauss': gauss_verdict, 'real': gauss_real, 'real_binary': binary_real}.items()}",
    "leaps": "{str(eta): {str(n): [v.classes_recognised, v.mean_confidence] for n, v in by.items()} "
    "for eta, by in by_leaps.items()}",
    "binary_pixels": "sorted(set(binary_samples.flatten().tolist()))",
}


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, DUMP)
    check_closed_forms(seen)
    check_training(seen)
    check_samples(seen)
    check_fewer_steps(seen["leaps"])
    ddim, noisy = (seen["leaps"][eta] for eta in ("0.0", "1.0"))
    assert all(ddim[few][1] > noisy[few][1] for few in ("2", "5")), "DDIM is better with 2 and 5 steps"
    assert all(ddim[many][1] < noisy[many][1] for many in ("20", "50")), "noise helps a little with 20 steps or more"
    check_experiments(seen)
    metrics = seen["log"]["metrics"]
    assert [metrics[f"diffusion/{name}_classes"]["evidence"]["samples"] for name in ("gaussian", "ddim_tenth")] == [
        500,
        250,
    ]
    assert metrics["diffusion/binary_classes"]["value"] == seen["verdicts"]["binary"][0]
    assert metrics["diffusion/gaussian_mean_confidence"]["value"] == pytest.approx(seen["verdicts"]["gauss"][1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_samples_are_recognised_with_other_seeds_too(seed: int, tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, {**DUMP, "seed": "run.seed"}, seed=seed)
    assert seen["seed"] == seed
    check_samples(seen)
    check_fewer_steps(seen["leaps"])


def check_closed_forms(seen: dict[str, Any]) -> None:
    """Formula and simulation agree; the formula that is wrong in print does not."""
    for t, share in enumerate(seen["white"]):
        assert math.isclose(share, (1 + 0.96**t) / 2, abs_tol=0.02)
    assert seen["white_gap"] < 0.02
    assert seen["posterior_gap"] < 0.03
    black_at_2, white_late, black_late = seen["by_hand_posterior"]
    assert math.isclose(black_at_2, 0.5, abs_tol=1e-5), "black at t = 2: flipped in the first or in the second step"
    assert math.isclose(white_late, 0.98, abs_tol=0.005) and math.isclose(black_late, 0.02, abs_tol=0.005)
    right, wrong = seen["factors"]
    assert right[0] == pytest.approx(0, abs=1e-6) and wrong[0] > 0.99 and abs(wrong[-1] - right[-1]) < 0.01
    gaps = [after - before for before, after in zip(right, wrong, strict=True)]
    assert gaps == sorted(gaps, reverse=True), "the mistake is largest early"
    gap, wrong_gap, variance, simulated = seen["proof"]
    assert gap < 0.02 < 0.2 < wrong_gap
    assert math.isclose(variance, simulated, rel_tol=0.02)
    assert seen["same_step"] < 1e-4, "DDIM with eta = 1 and p_sample are the same step"


def check_training(seen: dict[str, Any]) -> None:
    """Both losses fall; the first half is hardest at the first steps, and so is the second."""
    binary, gauss = seen["binary_losses"], seen["gauss_losses"]
    assert 0.1 * seen["untrained"] < fmean(binary[-100:]) < 0.2 * seen["untrained"]
    assert math.isclose(fmean(binary[:3]), seen["untrained"], rel_tol=0.5)
    assert gauss[0] > 0.8 and fmean(gauss[-100:]) < 0.07
    assert fmean(binary[-100:]) > 0.1, "training does not bring the loss to 0"
    binary, gauss = seen["binary_by_step"], seen["gauss_by_step"]
    assert binary[0] == max(binary) > 20 * binary[-1] and gauss[0] == max(gauss) and gauss[-1] < 0.02


def check_samples(seen: dict[str, Any]) -> None:
    """The judge recognises both halves' samples, less surely than real digits."""
    assert seen["binary_pixels"] == [0.0, 1.0]
    for half, real in (("binary", "real_binary"), ("gauss", "real")):
        classes, confidence, _ = seen["verdicts"][half]
        assert classes >= 9, half
        assert 0.8 <= confidence < seen["verdicts"][real][1], half


def check_fewer_steps(leaps: dict[str, dict[str, Any]]) -> None:
    """DDIM is nearly as good with a tenth of the steps; with very few, neither is good."""
    ddim, noisy = leaps["0.0"], leaps["1.0"]
    assert ddim["10"][1] > noisy["100"][1] - 0.1, "against the samples of p_sample"
    assert ddim["10"][1] > ddim["100"][1] - 0.1
    assert ddim["10"][0] >= 9
    assert abs(noisy["10"][1] - ddim["10"][1]) < 0.1, "down to a tenth, the two are about equally good"
    assert noisy["2"][1] < ddim["2"][1] + 0.02 < ddim["5"][1], "below, both fall"


def check_experiments(seen: dict[str, Any]) -> None:
    """Each x_T determines one digit with eta = 0; noises between two others need their variance."""
    equal, near = seen["spacing"].values()
    assert all(abs(a - b) < 0.08 for a, b in zip(equal, near, strict=True)), "the places of the steps matter little"
    same, other = seen["same_digit"]
    assert same < 0.5 * other, (
        "with a tenth of the steps DDIM gives nearly the same picture, the noisy sampler does not"
    )
    variance, start, end, straight, circle = seen["between"]
    assert variance == {"straight": pytest.approx(0.5, abs=0.05), "circle": pytest.approx(1, abs=0.1)}
    assert start < 0.01 and end < 0.01, "both rows begin and end at the same noises"
    assert straight < circle, "too little variance gives a picture with less contrast"


def test_the_bound_weighs_the_first_steps_more_than_the_mean_squared_error() -> None:
    betas = torch.linspace(0.001, 0.1, 100)
    before = torch.cumprod(1 - betas, 0)[:-1]
    weight = betas[1:] / (2 * (1 - betas[1:]) * (1 - before))  # for t = 2 ... T (Ho and others 2020, equation 12)
    assert bool((weight[:5] > 3 * weight[-1]).all()) and float(weight[0]) > 10 * float(weight[-1])


def test_the_untrained_network_gives_log_odds_near_zero() -> None:
    largest = []
    for seed in range(50):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = UNet(14, 8, 512)
        with torch.no_grad():
            largest.append(float(net(torch.ones(100, 1, 14, 14), torch.arange(1, 101)).abs().max()))
    assert max(largest) <= 0.235 and fmean(largest) > 0.05, "near 0, and not exactly 0"


def test_targets_become_softer_on_average_but_not_each() -> None:
    posterior = cells_up_to(PROBLEM, "posterior_plus_one", NOT_FOR_TESTS)["posterior_plus_one"]
    entropies, differ = [], []
    for t in range(1, 101):
        step = torch.tensor([t])
        p = posterior(torch.tensor([[1.0, -1.0]]).double(), torch.ones(1, 2).double(), step, 0.02)
        now = torch.tensor([[1 + 0.96**t, 1 - 0.96**t]]).double() / 2  # P(Y_t | Y_0 = +1)
        entropy = -torch.xlogy(p, p) - torch.xlogy(1 - p, 1 - p)
        entropies.append(float((now * entropy).sum()))
        differ.append(abs(float(p[0, 1]) - 0.5))
    assert entropies == sorted(entropies) and entropies[0] == 0 and entropies[-1] < 0.0981, (
        "up to that of a coin with delta"
    )
    assert differ[1] < 1e-5 < differ[2] < differ[50], "black at t = 2 is the softest target"


def test_every_sampler_keeps_the_jumps_if_the_model_knows_the_picture() -> None:
    names = cells_up_to(PROBLEM, "draw_samples", NOT_FOR_TESTS)
    betas = torch.linspace(0.001, 0.1, 100)
    table, generator = names["cumulative_alphas"](betas), torch.Generator().manual_seed(0)

    def knows(xt: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        kept = table[t - 1][:, None]
        predicted: torch.Tensor = (xt - 0.3 * kept.sqrt()) / (1 - kept).sqrt()
        return predicted

    for eta in (0.0, 0.5, 1.0):
        x = torch.randn(20_000, 1, generator=generator)
        x = table[-1].sqrt() * 0.3 + (1 - table[-1]).sqrt() * x
        noises = torch.randn(3, 20_000, 1, generator=generator)
        x = names["draw_samples"](knows, x, [100, 70, 50, 20], table, eta, noises)
        assert math.isclose(float(x.var()), float(1 - table[19]), rel_tol=0.05)
        assert math.isclose(float(x.mean()), 0.3 * float(table[19].sqrt()), abs_tol=0.02)
