"""The closed form is what leaving one out gives, and a strange score comes first."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.desk.features import Matrix, TextFeatures
from autograder.desk.second_look import out_of_line, second_look


def _fit_without(kernel: Matrix, scores: Matrix, left_out: int, penalty: float) -> float:
    """Literally leaves one out: minimises |y - b - K a|² + λ aᵀ K a with the others and predicts the one."""
    rest = np.delete(np.arange(len(scores)), left_out)
    K, number = kernel[np.ix_(rest, rest)], len(rest)
    system = np.block([[K + penalty * np.eye(number), np.ones((number, 1))], [np.ones((1, number)), np.zeros((1, 1))]])
    solution = np.linalg.solve(system, np.append(scores[rest], 0))
    return float(kernel[left_out, rest] @ solution[:-1] + solution[-1])


@pytest.mark.parametrize("number", [2, 3, 12])
@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_residuals_are_those_of_leaving_one_out(number: int, penalty: float) -> None:
    draw = np.random.default_rng(number)
    vectors, scores = draw.normal(size=(number, 5)) + 1, draw.normal(size=number)
    kernel = vectors @ vectors.T
    expected = [scores[i] - _fit_without(kernel, scores, i, penalty) for i in range(number)]
    assert out_of_line(kernel, scores, penalty) == pytest.approx(expected, abs=1e-9)


def test_without_similarity_the_others_mean_predicts() -> None:
    scores = np.array([1.0, 2.0, 6.0])
    assert out_of_line(np.zeros((3, 3)), scores) == pytest.approx([-3, -1.5, 4.5])


def test_few_and_equal_scores_have_no_residual() -> None:
    assert out_of_line(np.zeros((0, 0)), []).shape == (0,) and second_look(np.zeros((0, 0)), []) == []
    assert out_of_line(np.ones((1, 1)), [3]).tolist() == [0]
    assert out_of_line(TextFeatures.of(["a b", "c", "d"]).kernel, [2, 2, 2]) == pytest.approx([0, 0, 0])


def test_the_answer_scored_unlike_similar_ones_comes_first() -> None:
    texts = [
        "the loss falls fast",
        "the loss falls quite fast",
        "the loss falls very fast",
        "no idea",
        "no idea, sorry",
    ]
    found = second_look(TextFeatures.of(texts).kernel, [4, 4, 0, 0, 0])
    assert found[0][0] == 2 and found[0][1] < -2
    assert sorted(number for number, _ in found) == [0, 1, 2, 3, 4]
    sizes = [abs(residual) for _, residual in found]
    assert sizes == sorted(sizes, reverse=True)


def test_equal_residuals_keep_the_order_of_the_answers() -> None:
    assert [number for number, _ in second_look(np.zeros((4, 4)), [1, 0, 0, 1])] == [0, 1, 2, 3]
