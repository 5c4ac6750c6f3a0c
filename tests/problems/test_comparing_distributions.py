"""The claims of the notebook on comparing distributions are true in `mini`."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize  # type: ignore[import-untyped,unused-ignore]

from tests.problems.run_source import run_source

PROBLEM = "comparing_distributions"
Array = npt.NDArray[np.float64]
HUMP_AT, HUMP_DEVIATION = 2.5, 0.8
FAIR, LOADED = (0.5, 0.5), (0.9, 0.1)


@pytest.mark.kernel
@pytest.mark.long
def test_the_claims_of_the_notebook_are_true_in_mini(tmp_path: Path) -> None:
    dump = {
        "evidence": "[float(fair_evidence[-1]), float(loaded_evidence[-1])]",
        "steepest_and_flat": "[float(between[steepest]), flat]",
        "by_draws": "{draws: found.tolist() for draws, found in ends_by_draws.items()}",
        "distances": "distances",
        "apart": "apart",
        "fits": "fits",
        "prices": "prices",
        "forward_ends": "paths['forward'][:, -1]",
        "reverse_ends": "paths['reverse'][:, -1]",
        "starts": "STARTS",
        "minima": "minima",
        "halves": "HALF_DISTANCES",
        "branches": "branches",
        "likeliest": "likeliest",
        "scores": "sample_scores",
        "plots": "PLOTS",
        "lopsided": "[list(fit_gaussian(LOPSIDED, GRID, way)) for way in ('reverse', 'forward')]",
        "lopsided_high_hump": "searches(LOPSIDED, 'reverse', torch.tensor([[-2.0, 0.1], [1.5, 0.1]]).double())[:, -1]",
    }
    seen = run_source(PROBLEM, "mini", tmp_path, dump)
    assert seen["cpu_seconds"] < 60
    check_toys(seen)
    check_draws(seen)
    check_fits(seen)
    check_searches(seen)
    check_branches(seen)
    check_question_b(seen)
    middle = seen["log"]["metrics"]["comparing_distributions/reverse_minimum_in_the_middle"]["value"]
    assert 0.94 < middle < 0.96


def check_toys(seen: dict[str, Any]) -> None:
    """The evidence settles at both divergences; two bells: KL is d²/2, JSD is bounded and goes flat."""
    fair, loaded = seen["evidence"]
    assert math.isclose(fair, 0.5108, abs_tol=0.05) and math.isclose(loaded, 0.3681, abs_tol=0.03)
    evidence = [[math.log(a / b) for a, b in zip(p, q, strict=True)] for p, q in ((FAIR, LOADED), (LOADED, FAIR))]
    spreads = [
        math.sqrt(np.average(np.square(each), weights=p) - np.average(each, weights=p) ** 2)
        for each, p in zip(evidence, (FAIR, LOADED), strict=True)
    ]
    assert np.allclose(spreads, [1.10, 0.66], atol=0.005)
    assert math.isclose((2 * math.hypot(*spreads) / 0.143) ** 2, 320, rel_tol=0.02)
    steepest, flat = seen["steepest_and_flat"]
    assert math.isclose(steepest, 1.7, abs_tol=0.2) and math.isclose(flat, 5.0, abs_tol=0.4), seen["steepest_and_flat"]
    jsd = seen["apart"]["JSD"]
    for distance, kl in zip(seen["distances"], seen["apart"]["KL"], strict=True):
        assert math.isclose(kl, distance**2 / 2, rel_tol=1e-3, abs_tol=1e-9)
    assert all(0 <= value <= math.log(2) + 1e-12 for value in jsd)
    at_five = seen["distances"].index(5.0)
    assert jsd[at_five] > 0.97 * math.log(2), "hardly any slope is left"


def check_draws(seen: dict[str, Any]) -> None:
    """All searches come near the minimum; the spread falls with the root of the number of draws."""
    found = {int(draws): np.array(ends) for draws, ends in seen["by_draws"].items()}
    assert all(np.allclose(ends.mean(0), [-0.5, 1.0], atol=0.15) for ends in found.values())
    many, few, four = (found[draws].std(0) for draws in (256, 16, 4))
    assert (many < few).all() and (few < four).all()
    assert 4 < np.mean(four / many) < 16, "the root of 64 is 8"


def mixture_log_p(x: Array) -> Array:
    """The unnormalised log-density of the notebook's two humps."""
    humps = (-0.5 * ((x - side * HUMP_AT) / HUMP_DEVIATION) ** 2 for side in (-1, 1))
    return np.asarray(np.logaddexp(*humps))


def divergence(way: str, at: Array) -> float:
    """KL(p || q) or KL(q || p) for q with this mean and log deviation, by sums over a grid of our own."""
    x = np.linspace(-16, 16, 4001)
    log_p, log_q = mixture_log_p(x), -0.5 * ((x - at[0]) / math.exp(at[1])) ** 2
    log_p, log_q = log_p - np.logaddexp.reduce(log_p), log_q - np.logaddexp.reduce(log_q)
    over, under = (log_p, log_q) if way == "forward" else (log_q, log_p)
    return float((np.exp(over) * (over - under)).sum())


def numerical_optimum(way: str, mean: float, std: float) -> tuple[float, float, float]:
    """Mean, deviation and divergence of the minimum that a simplex search from there finds."""
    begin, options = np.array([mean, math.log(std)]), {"xatol": 1e-6, "fatol": 1e-10}
    found = minimize(lambda at: divergence(way, at), begin, method="Nelder-Mead", options=options)
    return float(found.x[0]), math.exp(found.x[1]), float(found.fun)


def near(got: list[float], want: tuple[float, float, float], within: float = 0.02) -> bool:
    """Within 2 % of the deviation?"""
    return abs(got[0] - want[0]) <= within * want[1] and abs(got[1] - want[1]) <= within * want[1]


def check_fits(seen: dict[str, Any]) -> None:
    """Both fits are the numerical optima, each the best in its own direction."""
    forward, reverse = seen["fits"]["forward"], seen["fits"]["reverse"]
    assert near(forward, numerical_optimum("forward", 1.0, 1.0))
    assert near(forward, (0.0, math.hypot(HUMP_AT, HUMP_DEVIATION), 0.0))
    assert near(reverse, numerical_optimum("reverse", math.copysign(3.0, reverse[0]), 0.5))
    in_forward, in_reverse = seen["prices"]["forward"], seen["prices"]["reverse"]
    assert in_forward[0] < in_forward[1] and in_reverse[1] < in_reverse[0]
    assert 8 < in_forward[1] < 9.5, "the reverse fit has a high forward divergence"
    assert 0.68 < in_reverse[1] < math.log(2)
    mean, deviation = seen["likeliest"]
    assert near([mean, deviation], (forward[0], forward[1], 0.0), 0.05), "maximum likelihood is the forward fit"
    assert seen["scores"]["forward"] > seen["scores"]["reverse"] + 5


def check_searches(seen: dict[str, Any]) -> None:
    """Every forward search ends in the one optimum; every reverse search in the minimum of its own valley."""
    best = numerical_optimum("forward", 0.5, 2.0)
    assert all(near(end, best) for end in seen["forward_ends"])
    valleys = [numerical_optimum("reverse", *begin) for begin in ((-2.4, 0.7), (0.0, 2.2), (2.4, 0.7))]
    assert valleys[1][2] > valleys[0][2] + 0.2, "the minimum in the middle is the higher one"
    assert abs(valleys[0][2] - valleys[2][2]) < 1e-6
    mean, std, lowest = valleys[1]
    for step in itertools.product((-0.1, 0, 0.1), repeat=2):
        moved = np.array([mean, math.log(std)]) + step
        assert divergence("reverse", moved) >= lowest - 1e-9, "a true minimum, no saddle"
    reached = [[near(end, valley) for valley in valleys].index(True) for end in seen["reverse_ends"]]
    assert set(reached) == {0, 1, 2}
    for (mean, std), valley in zip(seen["starts"], reached, strict=True):
        nearest = 0 if mean < 0 else 2
        assert valley == (nearest if std < 2 else 1), "the nearest hump; from a wide start the middle"
    for name, minimum in zip(("left hump", "middle", "right hump"), valleys, strict=True):
        assert near(seen["minima"][name], minimum)


def check_branches(seen: dict[str, Any]) -> None:
    """Near humps are covered in the reverse direction, too; then a second minimum appears, and later it wins."""
    halves = seen["halves"]
    middle, hump = (seen["branches"][name] for name in ("middle", "hump"))
    assert all(abs(mean) < 0.01 for mean, _, _ in middle)
    appears = min(half for half, (mean, _, _) in zip(halves, hump, strict=True) if mean > 0.5)
    wins = min(half for half, one, two in zip(halves, middle, hump, strict=True) if two[2] < one[2] - 1e-6)
    assert 2.35 < appears <= 2.5 and 2.75 < wins < 2.9
    assert math.isclose(hump[halves.index(appears)][2], 0.66, abs_tol=0.01)
    at_two = middle[halves.index(2.0)]
    assert math.isclose(at_two[1], 2.05, abs_tol=0.01)
    assert math.isclose(hump[-1][2], math.log(2), abs_tol=1e-3), "a hump with half of the mass costs log 2"


def check_question_b(seen: dict[str, Any]) -> None:
    """Plot 1 shows the reverse and plot 2 the forward fit, and the heavier hump wins over the higher."""
    for shown, fitted in zip(seen["plots"].values(), seen["lopsided"], strict=True):
        assert near(shown, (*fitted, 0.0), 0.01)
    high, broad = seen["lopsided_high_hump"]
    assert near(high, (-2.0, 0.25, 0.0), 0.05), "a start on the high hump stays there"
    assert near(broad, (*seen["lopsided"][0], 0.0))
