"""The claims of the GAN notebook are true in `mini`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.problems.run_source import run_source

PROBLEM = "gan"
DUMP = {
    "counted": "[float(counted_share[0]), float(counted_share[20]), float(counted_share[-1])]",
    "gaps": "[worst_gap, sample_gap]",
    "values": "by_jsd",
    "mirrored": "float((gradient_by_loss['minimax'] + gradient_by_loss['non-saturating'] - 1).abs().max())",
    "lengths": "lengths",
    "fooled": "fooled",
    "toy_left": "list(toy_share_left.values())",
    "toy_last": "toy_last",
    "judge": "[judge_accuracy, real_verdict.mean_confidence, noise_verdict.mean_confidence]",
    "real": "[real_verdict.recognised, real_verdict.distance, real_verdict.distance_within]",
    "final": "[final.recognised, final.classes_recognised, final.effective_classes, final.distance_within]",
    "late_losses": "{name: sum(values[-500:]) / 500 for name, values in game.losses.items()}",
    "compared": "compared",
    "nearest": "[sample_distance, test_distance]",
}


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    seen = run_source(PROBLEM, "mini", tmp_path, DUMP, timeout=1800)
    check_theory(seen)
    check_head_start(seen["lengths"], seen["fooled"])
    check_toy_game(seen["toy_left"], seen["toy_last"])
    check_samples(seen)
    check_ways_to_go_wrong(seen["compared"], seen["real"])
    assert seen["log"]["metrics"]["gan/classes_recognised"]["value"] == seen["final"][1]


def check_theory(seen: dict[str, Any]) -> None:
    """Counting, the identity of V and JSD, and the two gradients that mirror each other."""
    assert seen["counted"][0] < 0.1 > seen["counted"][2] and seen["counted"][1] > 0.6
    by_sums, from_samples = seen["gaps"]
    assert by_sums < 1e-6 and from_samples < 0.1
    values = seen["values"]  # by shifts of a quarter
    assert math.isclose(values[0], -math.log(4), abs_tol=1e-6)
    assert -0.01 < values[28] < 0 and max(values[:12]) < -0.1, "no overlap at 7; some at every shift up to 3"
    assert values[16] < values[8] - 0.4 and values[16] < values[24] - 0.4, "the dip at 4, where one bump is covered"
    assert abs(values[28] - values[27]) < 0.01, "flat at the end"
    assert seen["mirrored"] < 1e-5


def check_head_start(lengths: dict[str, list[float]], fooled: list[float]) -> None:
    """The surer the discriminator, the smaller the minimax gradient; the other one stays."""
    assert 0.3 < fooled[0] < 0.7 and fooled[-1] < 1e-2
    assert lengths["minimax"][-1] < 0.05 * max(lengths["minimax"])
    assert lengths["non-saturating"][-1] > 10 * lengths["minimax"][-1]
    assert lengths["non-saturating"][-1] > 0.5 * lengths["non-saturating"][0]


def check_toy_game(left: list[float], last: dict[str, float]) -> None:
    """First one bump, then both, with the losses of a discriminator that says one half."""
    early, late = left
    assert max(early, 1 - early) > 0.75 and 0.35 < late < 0.65
    assert abs(last["d_loss"] - 2 * math.log(2)) < 0.06 and abs(last["g_loss"] - math.log(2)) < 0.06


def check_samples(seen: dict[str, Any]) -> None:
    """The judge recognises nearly all digits among 1,000 samples, less often than among real images."""
    accuracy, on_digits, on_noise = seen["judge"]
    assert accuracy > 0.95 and on_digits > 0.85 and on_noise < 0.1
    recognised, classes, effective, distance = seen["final"]
    assert classes >= 8 and effective > 7.5
    assert 0.5 < recognised < seen["real"][0]
    assert 0.75 * seen["real"][2] < distance < 1.1 * seen["real"][2]
    assert seen["nearest"][0] > 0.7 * seen["nearest"][1], "no copies of training images"


def check_ways_to_go_wrong(compared: dict[str, dict[str, list[float]]], real: list[float]) -> None:
    """At equal rounds: without batch norm one picture for all z, with the minimax loss a late start."""
    usual, collapsed, late = compared.values()
    assert usual["at"] == collapsed["at"] == late["at"]
    assert usual["effective"][-1] > 3.5 and usual["recognised"][-1] > 0.1
    assert max(collapsed["distance"]) < 0.15 * real[1], "one picture for all z"
    assert usual["distance"][-1] > 0.5 * real[1]
    assert max(usual["recognised"][:3]) < 0.02, "the share recognised tells the two apart later than the distance"
    assert late["recognised"][-1] < 0.5 * usual["recognised"][-1] and max(late["recognised"][:4]) < 0.02
    assert min(late["distance"]) > 3 * max(collapsed["distance"]), "silent, not collapsed"


@pytest.mark.slow
def test_other_seeds_draw_most_digits_and_collapse_without_batch_norm(tmp_path: Path) -> None:
    games = "[train_gan('seeds', seed, STEPS) for seed in (1, 2, 3)]"
    looks = f"[[game.looks['classes'][-1], game.looks['effective'][-1]] for game in {games}]"
    without = "[train_gan('plain', s, SHORT, batch_norm=False, dark=False).looks['distance'] for s in (1, 2, 3)]"
    found = run_source(PROBLEM, "mini", tmp_path, [looks, without, "real_verdict.distance"], timeout=3600)
    for (classes, effective), distances in zip(found[looks], found[without], strict=True):
        assert classes >= 8 and effective > 7.5
        assert max(distances) < 0.3 * found["real_verdict.distance"]
