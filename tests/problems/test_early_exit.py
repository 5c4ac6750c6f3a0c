"""The claims of the early-exit notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.problems.run_source import cells_up_to, run_source

PROBLEM = "early_exit"
AT = (
    "(lambda threshold: [threshold, *[[at.accuracy, at.macs / baseline_macs]"
    " for at in (measure_at(threshold, v, valid_y.cpu()), measure_at(threshold, t, test_y))]])"
)
"""A threshold, and accuracy and share of MACs on validation and test pictures."""
GAPS = "(lambda logits: [float(z.softmax(1).max(1).values.mean()) - accuracy(z.argmax(1), test_y) for z in logits])"
"""Mean confidence minus accuracy of each exit."""
HONEST = "[z / best_temperature(each, valid_y.cpu()) for z, each in zip(t, v)]"
CURVE = "(lambda logits: [measure_at(x, logits, test_y) for x in THRESHOLDS])"
WITHIN = "[max(x * baseline_macs, float(macs_per_exit[0])) for x in (0.2, 0.25, 0.3, 0.35, 0.5)]"
MEASURE = (
    "(lambda e, b, s: (lambda t, v: {"
    "'baseline': accuracy(all_logits(b, test_x)[-1].argmax(1), test_y),"
    "'small': accuracy(all_logits(s, test_x)[-1].argmax(1), test_y),"
    "'by_exit': [accuracy(z.argmax(1), test_y) for z in t],"
    "'valid_last': accuracy(v[-1].argmax(1), valid_y.cpu()),"
    f"'curve': [[at.threshold, at.accuracy, at.macs, at.change, at.error] for at in {CURVE}(t)],"
    "'tens': [measure_at(x, t, test_y).macs / baseline_macs for x in (0.001, 0.01, 0.1, 1.0)],"
    f"'budgets': [{AT}(choose_threshold(v, valid_y.cpu(), macs_per_exit, budget))"
    " for budget in (small_macs, 0.35 * baseline_macs, 0.5 * baseline_macs, baseline_macs)],"
    "'seventy': [float((z.argmax(1) == test_y)[(c > 0.6) & (c < 0.8)].double().mean())"
    " for z in t for c in [z.softmax(1).max(1).values]],"
    f"'gaps': {GAPS}(t), 'honest_gaps': {GAPS}({HONEST}),"
    "'temperatures': [best_temperature(z, valid_y.cpu()) for z in v],"
    f"'honest_gain': (lambda plain, honest: [best_within(honest, m) - best_within(plain, m) for m in {WITHIN}])"
    f"({CURVE}(t), {CURVE}({HONEST})),"
    "'patient': (lambda p: [p.accuracy, p.macs, p.shares, "
    f"best_within({CURVE}(t), p.macs)])(measure(first_agreement(t), t, test_y)),"
    "'correlations': [rank_correlation(difficulty.double(), choose_exit(t, x).double())"
    " for x in (0.2, 0.4, 0.6, 0.8)]})"
    "(all_logits(e, test_x), [z.cpu() for z in all_logits(e, valid_x)]))"
)
"""What is measured of an early-exit network, a baseline and a smaller network."""
TRAINED = (
    "(train_network('early-exit', make_early_exit_resnet, BIG, WEIGHTS, seed)[0],"
    " train_network('baseline', make_resnet, BIG, [1.0], seed)[0],"
    " train_network('small', make_resnet, SMALL, [1.0], seed)[0])"
)
SIZES = "[baseline_macs, small_macs, macs_per_exit]"
DUMP = {
    "networks": f"{MEASURE}(early_exit, baseline, smaller[0])",
    "sizes": SIZES,
    "toy_checks": "toy_checks",
    "toy_stops": "list(map(list, toy_stops.values()))",
    "epsilons": "list(EPSILONS)",
    "fixed_wrong": "fixed_wrong",
    "careful": "[careful.accuracy, careful.macs, careful.shares]",
    "rows_seen": "rows_seen",
    "tested": "len(test_x)",
    "held_out": "[len(train_x), len(valid_x)]",
    "agreement": "agreement",
    "predicted": "[predicted_accuracy, predicted_macs]",
    "leaving": "leaving",
    "small_accuracies": "small_accuracies",
    "errors": "[points_with_error(right)[1] for right in [baseline_right, *exit_right, *small_right]]",
    "leavers": "[float(difficulty[torch.cat(each)].mean()) for each in (first_leavers, last_leavers)]",
}


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, DUMP, timeout=1800)
    check_toy(seen)
    check_macs(seen["sizes"])
    check_networks(seen["networks"], seen["sizes"])
    check_prediction(seen)
    assert seen["held_out"] == [6000, 2000]
    assert all(0.3 < error < 0.65 for error in seen["errors"]), "about 0.4 points, a little more for exit 0"
    assert seen["leavers"][0] < 0.1 < 0.4 < seen["leavers"][1], "those that leave last are hard"
    metrics = seen["log"]["metrics"]
    assert metrics["early_exit/accuracy"]["value"] == pytest.approx(seen["predicted"][0], abs=1e-6)
    assert metrics["early_exit/small_accuracy"]["value"] == pytest.approx(sum(seen["small_accuracies"]) / 3, abs=1e-6)
    assert metrics["early_exit/macs_ratio"]["value"] < 0.3


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
    assert per_exit[0] < small < 0.27 * baseline


def check_networks(networks: dict[str, Any], sizes: Any) -> None:
    """What the text says about any early-exit network in `mini`, its baseline and a smaller network."""
    baseline_macs, small_macs, _ = sizes
    by_exit = networks["by_exit"]
    near = 0.012  # other machines round differently
    assert 0.940 - near < networks["baseline"] < 0.950 + near
    assert 0.940 - near < by_exit[-1] < 0.947 + near
    assert 0.869 - near < by_exit[0] < 0.902 + near
    assert 0.925 - near < networks["small"] < 0.940 + near

    macs = [row[2] for row in networks["curve"]]
    assert macs == sorted(macs, reverse=True), "a higher threshold never costs more"
    bend = [row for row in networks["curve"] if row[2] > 0.4 * baseline_macs]
    assert all(abs(change) < 0.3 for *_, change, _ in bend), "level down to two fifths of the MACs"
    tens = networks["tens"]
    falls = [high - low for high, low in zip(tens[:-1], tens[1:], strict=True)]
    assert max(falls) == falls[-1], "most entropies lie between 0.1 and 1"
    better = [row for row in networks["curve"] if row[1] > networks["small"]]
    assert better and min(row[2] for row in better) < 0.36 * baseline_macs

    chosen = networks["budgets"]
    valid = [row[1] for row in chosen]
    assert [accuracy for accuracy, _ in valid] == sorted(accuracy for accuracy, _ in valid)
    for (_, cost), budget in zip(valid, (small_macs / baseline_macs, 0.35, 0.5, 1.0), strict=True):
        assert cost <= budget + 1e-9
    assert valid[-1][1] < 0.45, "the largest budgets are not used up"
    assert all(1 < test[1] / held_out[1] < 1.12 for _, held_out, test in chosen), "a few percent more work"
    assert networks["valid_last"] > by_exit[-1], "the test pictures are a little harder"
    assert 0.8 < chosen[0][0] < 1.15, "a doubt between 2.2 and 3.2 classes"

    assert networks["gaps"][0] < -0.1, "exit 0 is strongly underconfident"
    assert abs(networks["gaps"][-1]) < 0.02, "the last exit is not"
    assert networks["seventy"][0] > 0.9 and 0.55 < networks["seventy"][-1] < 0.75, "confidence 60 to 80 %"
    temperatures = networks["temperatures"]
    assert min(temperatures) == temperatures[0] < 0.6 and 0.85 < temperatures[-1] < 1.15
    assert max(map(abs, networks["honest_gaps"])) < 0.04, "the confidences become nearly honest"
    assert max(map(abs, networks["honest_gain"])) < 0.013, "about one point at most"

    patient_accuracy, patient_macs, shares, entropy_accuracy = networks["patient"]
    assert entropy_accuracy > patient_accuracy and shares[0] == 0
    assert patient_macs < 0.5 * baseline_macs
    assert min(networks["correlations"]) >= 0.35


def check_prediction(seen: dict[str, Any]) -> None:
    """The early-exit prediction has the expected accuracy and MACs, and skips the blocks after each exit."""
    assert seen["agreement"] > 0.995
    accuracy, macs, shares = seen["careful"]
    assert seen["predicted"][0] == pytest.approx(accuracy, abs=0.003)
    assert seen["predicted"][1] == pytest.approx(macs, rel=0.01)
    inside = [seen["tested"] * sum(shares[i:]) for i in range(len(shares))]
    assert seen["rows_seen"] == pytest.approx(inside, abs=0.005 * seen["tested"])
    assert seen["rows_seen"][0] == seen["tested"] and seen["rows_seen"][-1] < 0.2 * seen["tested"]
    share, judged_right, confidence, _ = seen["leaving"][0]
    assert 0.7 < share < 0.9
    assert judged_right > seen["networks"]["by_exit"][0], "pictures that leave early are classified better"
    assert confidence < judged_right - 0.05, "and more often rightly than exit 0 says"
    for (_, judged_right, _, _), of_all in zip(seen["leaving"][1:], seen["networks"]["by_exit"][1:], strict=True):
        assert judged_right < of_all, "at the later exits the easy ones have gone"
    assert seen["leaving"][-1][1] < 0.6


@pytest.mark.slow
def test_the_claims_about_networks_hold_with_other_seeds(tmp_path: Path) -> None:
    asked = f"[{MEASURE}{TRAINED} for seed in (1, 2, 3, 4)]"
    found = run_source(PROBLEM, "mini", tmp_path, [asked, SIZES], timeout=3600)
    for networks in found[asked]:
        check_networks(networks, found[SIZES])
    smalls = [networks["small"] for networks in found[asked]]
    assert max(smalls) - min(smalls) > 0.004, "the number of one seed varies"


@pytest.mark.long
def test_stopping_when_sure_saves_errors_with_any_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "grade")
    names = cells_up_to(PROBLEM, "stop_when_sure", frozenset({"install", "train", "experiment"}))
    for seed in range(5):
        sums = names["draw_terms"](50_000, torch.Generator().manual_seed(seed)).cumsum(dim=1)
        terms, wrong, _ = names["stop_when_sure"](sums, 0.01)
        after_five = float(((sums[:, 4] <= 0) != (sums[:, -1] <= 0)).double().mean())
        assert 4 < terms < 5 and wrong < 0.01 and wrong < after_five / 10


def test_rounding_destroys_small_probabilities_as_the_text_says() -> None:
    naive = [float(0.5 * (1 + torch.erf(torch.tensor(a) / math.sqrt(2)))) for a in (-4.8, -6.0)]
    assert naive == [pytest.approx(8.047e-7, rel=1e-3), 0.0]
    exact = [0.5 * math.erfc(-a / math.sqrt(2)) for a in (-4.8, -6.0)]
    assert exact == [pytest.approx(7.933274e-7, rel=1e-6), pytest.approx(9.9e-10, rel=0.01)]
    assert float(torch.special.ndtr(torch.tensor(-6.0))) == 0.0


def test_the_networks_of_full_have_the_work_that_the_text_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEWORK_PROFILE", "grade")
    names = cells_up_to(PROBLEM, "count_macs", frozenset({"install", "train", "experiment"}))
    names.update(CHANNELS=3, CLASSES=10)
    blocks, strides = (2, 2, 2, 2), (1, 2, 2, 2)
    big = names["Design"]((64, 128, 256, 512), blocks, strides, False, 128)
    small = names["Design"]((40, 80, 160, 320), blocks, strides, False, 80)
    sample = torch.zeros(1, 3, 32, 32)
    work = float(names["count_macs"](names["make_resnet"](big), sample)[-1])
    smaller = float(names["count_macs"](names["make_resnet"](small), sample)[-1])
    assert smaller / work == pytest.approx(0.39, abs=0.005)
    first = float(names["count_macs"](names["make_early_exit_resnet"](big), sample)[0])
    assert first < 0.35 * work and first < smaller, "all four budgets are possible"
