"""The claims of the early-exit notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.problems.run_source import run_source

PROBLEM = "early_exit"
MEASURE = (
    "(lambda e, b, s: {"
    "'baseline': accuracy(all_logits(b, test_x)[-1].argmax(1), test_y),"
    "'small': accuracy(all_logits(s, test_x)[-1].argmax(1), test_y),"
    "'by_exit': [accuracy(z.argmax(1), test_y) for z in all_logits(e, test_x)],"
    "'curve': [[at.threshold, at.accuracy, at.macs] for at in sweep(all_logits(e, test_x), test_y)],"
    "'correlations': [rank_correlation(difficulty.double(), choose_exit(all_logits(e, test_x), t).double())"
    " for t in (0.2, 0.4, 0.6, 0.8)]})"
)
"""What is measured of an early-exit network, a baseline and a smaller network."""
TRAINED = (
    "(train_network('early-exit', make_early_exit_resnet, BIG, WEIGHTS, seed)[0],"
    " train_network('baseline', make_resnet, BIG, [1.0], seed)[0],"
    " train_network('small', make_resnet, SMALL, [1.0], seed)[0])"
)
SIZES = "[baseline_macs, small_macs, macs_per_exit]"
DUMP = {
    "networks": f"{MEASURE}(early_exit, baseline, small)",
    "sizes": SIZES,
    "toy_checks": "toy_checks",
    "toy_stops": "list(map(list, toy_stops.values()))",
    "epsilons": "list(EPSILONS)",
    "fixed_wrong": "fixed_wrong",
    "careful": "list(careful)",
    "rows_seen": "rows_seen",
    "tested": "len(test_x)",
    "agreement": "agreement",
    "predicted": "[predicted_accuracy, predicted_macs]",
    "leaving": "leaving",
    "correlation": "difficulty_correlation",
}


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, DUMP, timeout=1800)
    check_toy(seen)
    check_macs(seen["sizes"])
    check_networks(seen["networks"], seen["sizes"])
    check_prediction(seen)
    metrics = seen["log"]["metrics"]
    assert metrics["early_exit/accuracy"]["value"] == pytest.approx(seen["predicted"][0], abs=1e-6)
    assert metrics["early_exit/macs_ratio"]["value"] < 0.75


def check_toy(seen: dict[str, Any]) -> None:
    """The closed forms hold in simulation, and few more terms buy far fewer errors."""
    for formula, counted, drawn in seen["toy_checks"]:
        assert drawn > 2000
        # sums within 0.05 of m are taken for m: a bias that is small beside the tail's deviation
        assert abs(formula - counted) < 5 * math.sqrt(0.25 / drawn) + 0.005
    terms, wrong, _ = zip(*seen["toy_stops"], strict=True)
    assert list(terms) == sorted(terms)
    assert all(share <= epsilon for share, epsilon in zip(wrong, seen["epsilons"], strict=True))
    one_percent = seen["epsilons"].index(1e-2)
    assert 4 < terms[one_percent] < 5
    assert wrong[one_percent] < seen["fixed_wrong"][4] / 15, "five terms for each sum"


def check_macs(sizes: Any) -> None:
    """Early heads cost work; the smaller network costs less than the way to the second exit."""
    baseline, small, per_exit = sizes
    assert per_exit == sorted(per_exit) and len(per_exit) == 4
    assert baseline < per_exit[-1] < 1.15 * baseline, "heads are not free"
    assert per_exit[0] < small < 0.4 * baseline


def check_networks(networks: dict[str, Any], sizes: Any) -> None:
    """Accuracy falls by at most a point where 40 % of the MACs is saved; the smaller network is about as good."""
    baseline_macs, small_macs, _ = sizes
    curve = networks["curve"]
    assert networks["baseline"] > 0.85 and networks["by_exit"][-1] > networks["baseline"] - 0.02
    assert networks["by_exit"][0] < networks["by_exit"][-1] - 0.02, "the first exit alone is worse"
    saving = min(macs for _, accuracy, macs in curve if accuracy >= networks["baseline"] - 0.01)
    assert saving <= 0.6 * baseline_macs
    macs = [row[2] for row in curve]
    assert macs == sorted(macs, reverse=True), "a higher threshold never costs more"
    affordable = max(accuracy for _, accuracy, macs in curve if macs <= small_macs)
    assert affordable > networks["small"] - 0.03, "about as good, not better"
    assert max(accuracy for _, accuracy, _ in curve) > networks["small"] - 0.01
    assert min(networks["correlations"]) >= 0.35


def check_prediction(seen: dict[str, Any]) -> None:
    """The early-exit prediction has the expected accuracy and MACs, and skips the blocks after each exit."""
    assert seen["agreement"] > 0.995
    _, accuracy, macs, shares = seen["careful"]
    assert seen["predicted"][0] == pytest.approx(accuracy, abs=0.003)
    assert seen["predicted"][1] == pytest.approx(macs, rel=0.01)
    inside = [seen["tested"] * sum(shares[i:]) for i in range(len(shares))]
    assert seen["rows_seen"] == pytest.approx(inside, abs=0.005 * seen["tested"])
    assert seen["rows_seen"][0] == seen["tested"] and seen["rows_seen"][-1] < 0.5 * seen["tested"]
    share, judged_right, confidence, _ = seen["leaving"][0]
    assert share > 0.2
    assert judged_right > seen["networks"]["by_exit"][0], "pictures that leave early are classified better"
    for (_, judged_right, _, _), of_all in zip(seen["leaving"][1:], seen["networks"]["by_exit"][1:], strict=True):
        assert judged_right < of_all, "at the later exits the easy ones have gone"
    assert 0 < confidence <= 1
    assert seen["correlation"] >= 0.35


@pytest.mark.slow
def test_other_seeds_save_work_at_nearly_the_same_accuracy(tmp_path: Path) -> None:
    asked = f"[{MEASURE}{TRAINED} for seed in (1, 2)]"
    found = run_source(PROBLEM, "mini", tmp_path, [asked, SIZES], timeout=3600)
    for networks in found[asked]:
        check_networks(networks, found[SIZES])
