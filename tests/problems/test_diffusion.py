"""The claims of the diffusion notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.problems.run_source import run_source

PROBLEM = "diffusion"
DUMP = {
    "white": "toy_white",
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
    metrics = seen["log"]["metrics"]
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
    assert seen["posterior_gap"] < 0.03
    gap, wrong_gap, variance, simulated = seen["proof"]
    assert gap < 0.02 < 0.2 < wrong_gap
    assert math.isclose(variance, simulated, rel_tol=0.02)
    assert seen["same_step"] < 1e-4, "DDIM with eta = 1 and p_sample are the same step"


def check_training(seen: dict[str, Any]) -> None:
    """Both losses fall; the first half is hardest at the first steps, and so is the second."""
    binary, gauss = seen["binary_losses"], seen["gauss_losses"]
    assert fmean(binary[-100:]) < 0.2 * seen["untrained"]
    assert math.isclose(fmean(binary[:3]), seen["untrained"], rel_tol=0.5)
    assert gauss[0] > 0.8 and fmean(gauss[-100:]) < 0.07
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
