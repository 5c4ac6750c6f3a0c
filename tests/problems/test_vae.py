"""The claims of the VAE notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.problems.run_source import run_source

PROBLEM = "vae"


@pytest.mark.long
@pytest.mark.kernel
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    dump = {
        "untrained": "untrained_terms",
        "kl_history": "trained[0][1]['kl']",
        "rec_history": "trained[0][1]['rec']",
        "score_deviation": "float(score.std())",
        "trick_deviation": "float(through_the_draw.std())",
        "class_counts": "class_counts",
        "judge": "judge_accuracy",
        "agreement": "[float(drawn_agreement.mean()), float(judged_agreement.mean())]",
        "distance": "[float(drawn_distance.mean()), float(judged_distance.mean())]",
        "by_beta": "{str(beta): terms_by_beta[beta] for beta in BETAS}",
        "used": "{str(beta): int((latents_by_beta[beta] >= USED_FROM).sum()) for beta in BETAS}",
        "toy_gap": "toy_log_evidence - toy_bound(0.8, 1 / 3)",
        "toy_gaps": "[toy_log_evidence - toy_bound(m, v) for m in (0.0, 0.8, 2.0) for v in (0.02, 0.5, 2.0)]",
    }
    seen = run_source(PROBLEM, "mini", tmp_path, dump)
    check_training(seen["log"]["metrics"], seen)
    check_samples(seen)
    check_beta(seen["by_beta"], seen["used"])
    assert abs(seen["toy_gap"]) < 1e-4 and min(seen["toy_gaps"]) > 0.01, "the bound touches at the posterior only"
    assert abs(seen["trick_deviation"] - 2.0) < 0.1 and abs(seen["score_deviation"] - 7.18) < 0.6


def check_training(metrics: dict[str, Any], seen: dict[str, Any]) -> None:
    """The terms on the test images are in their ranges, and changed as the text says."""
    nelbo, kl, rec = (metrics[f"vae/test_{term}"] for term in ("nelbo", "kl", "rec"))
    assert nelbo["runs"] == kl["runs"] == rec["runs"] == 3
    assert math.isclose(nelbo["value"], kl["value"] + rec["value"], rel_tol=1e-4)
    assert nelbo["value"] < seen["untrained"]["nelbo"] / 3
    assert BANDS["nelbo"][0] < nelbo["value"] < BANDS["nelbo"][1]
    assert BANDS["kl"][0] < kl["value"] < BANDS["kl"][1], "the latents carry information: no collapse"
    assert nelbo["stderr"] < 3
    start, end = seen["kl_history"][20:50], seen["kl_history"][-50:]
    assert sum(end) / len(end) > 1.5 * sum(start) / len(start), "the KL term grows once latents pay"
    assert abs(seen["rec_history"][0] - 784 * math.log(2)) < 20
    assert sum(seen["rec_history"][-50:]) / 50 < 0.3 * seen["rec_history"][0]


def check_samples(seen: dict[str, Any]) -> None:
    """A nearest-neighbour judge, itself right on test images, finds most digits among 1,000 samples."""
    assert seen["judge"] > 0.93
    assert sum(count >= 30 for count in seen["class_counts"]) >= 8
    assert 0.6 < seen["agreement"][0] < seen["agreement"][1]
    assert min(seen["class_counts"][digit] for digit in (0, 8)) > 120, "eights and zeros are drawn most often"
    assert 3.7 < seen["distance"][0] < 4.2 and 3.4 < seen["distance"][1] < 3.6, "samples are farther than test images"


def check_beta(terms: dict[str, Any], used: dict[str, int]) -> None:
    """Cheap nats: better reconstructions and more latents; the bound is best for β = 1."""
    cheap, plain, costly = (terms[beta] for beta in ("0.1", "1.0", "8.0"))
    assert cheap["kl"] > 1.5 * plain["kl"] > 3 * costly["kl"]
    assert cheap["rec"] < plain["rec"] < costly["rec"]
    assert plain["nelbo"] < min(cheap["nelbo"], costly["nelbo"])
    assert used["0.1"] > 50 and 8 <= used["1.0"] <= 20 and used["8.0"] <= 2


BANDS = {"nelbo": (96.0, 106.0), "kl": (11.0, 17.0)}
"""Nats per test image in `mini`, around the values of three seeds."""
