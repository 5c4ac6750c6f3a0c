"""The diffusion problem: is what its text claims true in `mini`? (`test_every_problem` has what holds for all.)"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.problems.run_source import ROOT, run_source, verdicts

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


def variant(kind: str, item: str, slug: str) -> str:
    return (ROOT / "solutions/variants" / PROBLEM / kind / item / f"{slug}.py").read_text(encoding="utf-8")


def test_wrong_helpers_cost_their_own_items_only() -> None:
    wrong = {
        "replaced_probability": variant("wrong", "replaced_probability", "delta_for_two_delta"),
        "posterior_plus_one": variant("wrong", "posterior_plus_one", "t_for_t_minus_one"),
        "cumulative_alphas": variant("wrong", "cumulative_alphas", "no_product"),
        "q_sample": variant("wrong", "q_sample", "no_roots"),
        "q_posterior": variant("wrong", "q_posterior", "now_for_before"),
    }
    found = verdicts(PROBLEM, wrong)
    assert {item for item, message in found.items() if message} == set(wrong)


@pytest.mark.parametrize(
    ("helper", "misconception", "item", "alternative"),
    [
        ("replaced_probability", "delta_for_two_delta", "posterior_plus_one", "through_replaced_probability"),
        ("posterior_plus_one", "minus_one", "binary_diffusion_loss", "own_posterior_in_float64"),
        ("cumulative_alphas", "shifted", "q_posterior", "where_first_step"),
        ("q_posterior", "beta_as_variance", "p_sample", "masked_noise"),
    ],
)
def test_a_wrong_helper_costs_nothing_where_another_right_answer_uses_it_or_does_without(
    helper: str, misconception: str, item: str, alternative: str
) -> None:
    sources = {helper: variant("wrong", helper, misconception), item: variant("right", item, alternative)}
    assert verdicts(PROBLEM, sources, [item]) == {item: ""}


@pytest.mark.kernel
@pytest.mark.long
def test_what_the_notebook_claims_is_so_in_mini(tmp_path: Path) -> None:
    found = run_source(PROBLEM, "mini", tmp_path, list(DUMP.values()))
    seen = {name: found[asked] for name, asked in DUMP.items()}
    check_closed_forms(seen)
    check_training(seen)
    check_samples(seen)
    check_fewer_steps(seen["leaps"])
    metrics = found["log"]["metrics"]
    assert metrics["diffusion/binary_classes"]["value"] == seen["verdicts"]["binary"][0]
    assert metrics["diffusion/gaussian_mean_confidence"]["value"] == pytest.approx(seen["verdicts"]["gauss"][1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_samples_are_recognised_with_other_seeds_too(seed: int, tmp_path: Path) -> None:
    found = run_source(PROBLEM, "mini", tmp_path, [DUMP["verdicts"], DUMP["leaps"], "run.seed"], seed=seed)
    assert found["run.seed"] == seed
    check_samples({"verdicts": found[DUMP["verdicts"]], "binary_pixels": [0.0, 1.0]})
    check_fewer_steps(found[DUMP["leaps"]])


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
    assert sum(binary[-100:]) / 100 < 0.2 * seen["untrained"]
    assert math.isclose(sum(binary[:3]) / 3, seen["untrained"], rel_tol=0.5)
    assert gauss[0] > 0.8 and sum(gauss[-100:]) / 100 < 0.07
    by_step = seen["binary_by_step"]
    assert by_step[0] == max(by_step) and by_step[0] > 20 * by_step[-1]
    by_step = seen["gauss_by_step"]
    assert by_step[0] == max(by_step) and by_step[-1] < 0.02


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
