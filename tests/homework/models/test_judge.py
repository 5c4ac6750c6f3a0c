"""The judge recognises real digits, grey or black and white, and rejects images that show no digit."""

from __future__ import annotations

import math

import pytest
import torch

from homework import data
from homework.models.judge import CLASSES, CONFIDENT, Judge, Verdict, judge_samples, train_judge

DIGITS = data.embedded_digits()

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def judge() -> Judge:
    return train_judge(DIGITS)


@pytest.fixture(scope="module")
def verdict(judge: Judge) -> Verdict:
    """What it says of the test images."""
    return judge_samples(judge, DIGITS.test_images)


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def no_digits() -> dict[str, torch.Tensor]:
    """Pictures `[N, 784]` without a digit; the second half are of kinds that training does not show."""
    pixels = DIGITS.test_images.reshape(-1, 784)
    stripes = (torch.arange(28) % 4 < 2).float().repeat(28, 1)
    return {
        "uniform noise": torch.rand(300, 784, generator=random(2)),
        "as many white pixels as digits have": (torch.rand(300, 784, generator=random(3)) < pixels.mean()).float(),
        "fair coins": (torch.rand(300, 784, generator=random(4)) < 0.5).float(),
        "blank": torch.zeros(2, 784),
        "white": torch.ones(2, 784),
        "grey": torch.full((2, 784), 0.5),
        "normal noise": (0.3 + 0.3 * torch.randn(300, 784, generator=random(5))).clamp(0, 1),
        "digits with their pixels in disorder": pixels[:, torch.randperm(784, generator=random(6))],
        "stripes": torch.stack([stripes, stripes.T]).reshape(2, 784),
        "the negative of digits": 1 - pixels,
    }


def test_it_recognises_held_out_digits_in_grey_and_in_black_and_white(judge: Judge) -> None:
    grey = DIGITS.test_images
    black_and_white = {"drawn": torch.bernoulli(grey, generator=random(1)), "cut": (grey > 0.5).float()}
    for name, images in {"grey": grey, **black_and_white}.items():
        verdict = judge_samples(judge, images)
        assert float((verdict.labels == DIGITS.test_labels).float().mean()) >= 0.95, name
        assert verdict.mean_confidence > 0.85, name
        assert verdict.classes_recognised == 10 and verdict.effective_classes > 9.5, name


@pytest.mark.long
@pytest.mark.parametrize("name", no_digits())
def test_it_recognises_no_digit_where_there_is_none(judge: Judge, name: str) -> None:
    verdict = judge_samples(judge, no_digits()[name])
    assert verdict.mean_confidence < 0.2 and verdict.recognised < 0.02


def test_confidence_falls_with_the_share_of_noise(judge: Judge) -> None:
    noise = torch.rand(DIGITS.test_images.shape, generator=random(7))
    mixed = [(1 - share) * DIGITS.test_images + share * noise for share in (0.0, 0.4, 0.6, 0.8)]
    confidence = [judge_samples(judge, images).mean_confidence for images in mixed]
    assert confidence == sorted(confidence, reverse=True)
    assert confidence[0] - confidence[-1] > 0.5


def test_the_counts_are_those_of_the_samples(judge: Judge, verdict: Verdict) -> None:
    sure = verdict.confidence >= CONFIDENT
    assert verdict.labels.shape == verdict.confidence.shape == (300,)
    assert verdict.histogram.shape == (CLASSES,) and int(verdict.histogram.sum()) == int(sure.sum())
    assert math.isclose(verdict.recognised, float(sure.float().mean()), rel_tol=1e-6)
    assert math.isclose(verdict.mean_confidence, float(verdict.confidence.mean()), rel_tol=1e-6)
    assert bool(((verdict.confidence > 0) & (verdict.confidence <= 1)).all())
    flat = judge_samples(judge, DIGITS.test_images.reshape(-1, 784))
    assert torch.equal(flat.labels, verdict.labels) and torch.equal(flat.histogram, verdict.histogram)


def test_diversity_is_measured_between_classes_and_within(judge: Judge, verdict: Verdict) -> None:
    sure = DIGITS.test_images[(verdict.confidence > 0.95) & (verdict.labels == DIGITS.test_labels)]
    one = judge_samples(judge, sure[:1].repeat(50, 1, 1, 1))
    assert one.classes_recognised == 1 and math.isclose(one.effective_classes, 1, rel_tol=1e-6)
    assert one.distance_within < 1e-3 and one.distance < 1e-3
    assert verdict.distance > verdict.distance_within > 1
    labels = judge_samples(judge, sure).labels
    pair = judge_samples(judge, torch.cat([sure[labels == digit][:10] for digit in (0, 3)]))
    assert pair.classes_recognised == 2 and math.isclose(pair.effective_classes, 2, rel_tol=1e-6)
    assert 0.5 * verdict.distance_within < pair.distance_within < 2 * verdict.distance_within
    two_dots = judge_samples(judge, torch.eye(784)[:2])
    assert math.isclose(two_dots.distance, math.sqrt(2), rel_tol=1e-5)
    none = judge_samples(judge, torch.zeros(1, 784))
    assert (none.distance, none.classes_recognised, none.effective_classes, none.distance_within) == (0, 0, 0.0, 0.0)


def test_the_distance_is_the_mean_over_pairs_of_the_same_digit(verdict: Verdict) -> None:
    sure = verdict.confidence >= CONFIDENT
    pixels, labels = DIGITS.test_images.reshape(-1, 784)[sure], verdict.labels[sure]
    apart = torch.cdist(pixels, pixels, compute_mode="donot_use_mm_for_euclid_dist")
    same = (labels[:, None] == labels).triu(diagonal=1)
    assert math.isclose(verdict.distance_within, float(apart[same].mean()), rel_tol=1e-4)


def test_a_class_needs_one_sample_in_a_hundred(judge: Judge, verdict: Verdict) -> None:
    surest = [DIGITS.test_images[(verdict.confidence * (verdict.labels == digit)).argmax()] for digit in (0, 3)]
    many = surest[0].repeat(199, 1, 1, 1)
    assert judge_samples(judge, torch.cat([many, surest[1][None]])).classes_recognised == 1
    assert judge_samples(judge, torch.cat([many[:99], surest[1][None]])).classes_recognised == 2


def test_the_same_seed_gives_the_same_judge_and_does_not_change_the_global_generators() -> None:
    before = torch.get_rng_state()
    first, second, other = (train_judge(DIGITS, steps=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    weights = [torch.cat([weight.flatten() for weight in judge.parameters()]) for judge in (first, second, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert not first.training


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (torch.zeros(3, 783), "784"),
        (torch.zeros(28, 28), "784"),
        (torch.zeros(0, 784), "784"),
        (torch.zeros(2, 3, 28, 28), "784"),
        (torch.ones(2, 784) * torch.tensor([[-1.0], [1.0]]), r"\[0, 1\]"),
        (torch.full((2, 784), 255.0), r"\[0, 1\]"),
        (torch.full((2, 784), math.nan), r"\[0, 1\]"),
    ],
)
def test_samples_that_are_not_images_in_the_unit_interval_are_refused(samples: torch.Tensor, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        judge_samples(Judge(), samples)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_do_as_well(seed: int) -> None:
    judge = train_judge(DIGITS, seed=seed)
    test_it_recognises_held_out_digits_in_grey_and_in_black_and_white(judge)
    for name in no_digits():
        test_it_recognises_no_digit_where_there_is_none(judge, name)
