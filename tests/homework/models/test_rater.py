"""The simulated rater prefers summaries near to the reference, makes mistakes, and ranks the same for one seed."""

from __future__ import annotations

import pytest

from homework.models.rater import WEIGHTS, Ranked, liking, simulated_rankings

REFERENCE = "Profits at Falcon Bank rise by thirty percent."
GROUP = ["A flood.", REFERENCE, "Profits at Falcon Bank fall.", "Profits at Royal Airlines rise by thirty percent."]


def test_liking_is_one_for_the_reference_and_zero_for_an_unrelated_text() -> None:
    assert liking(REFERENCE, REFERENCE) == pytest.approx(1.0)
    assert liking("Nobody knows why", REFERENCE) == 0.0
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)
    assert WEIGHTS["rouge2"] > 0.5


def test_without_noise_the_ranking_is_that_of_liking() -> None:
    (ranked,) = simulated_rankings(["story"], [GROUP], [REFERENCE], seed=0, noise=0.0)
    assert ranked == Ranked("story", ranked.summaries)
    assert ranked.summaries[0] == REFERENCE and ranked.summaries[-1] == "A flood."
    likings = [liking(summary, REFERENCE) for summary in ranked.summaries]
    assert likings == sorted(likings, reverse=True)
    (equal,) = simulated_rankings(["story"], [["b", "a"]], ["c"], seed=0, noise=0.0)
    assert equal.summaries == ("b", "a")


def test_a_seed_gives_the_same_rankings_and_noise_makes_mistakes() -> None:
    documents, samples, references = ["s"] * 60, [GROUP] * 60, [REFERENCE] * 60
    one = simulated_rankings(documents, samples, references, seed=3)
    assert one == simulated_rankings(documents, samples, references, seed=3)
    wild = simulated_rankings(documents, samples, references, seed=3, noise=5.0)
    assert all(sorted(ranked.summaries) == sorted(GROUP) for ranked in wild)
    assert len({ranked.summaries for ranked in wild}) > 10
    assert sum(ranked.summaries[0] == REFERENCE for ranked in one) > 55


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="1 documents, 2 groups of samples and 1 references"):
        simulated_rankings(["s"], [GROUP, GROUP], ["r"], seed=0)
