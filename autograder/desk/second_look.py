"""Which scores are out of line with the scores of similar answers, so that a grader looks at them a second time.

All other answers predict the score of each answer by kernel ridge regression with an intercept that is not penalised.
The prediction error of leaving one out has a closed form (the PRESS residual of Allen, 1974, "The relationship between
variable selection and data augmentation and a method for prediction"; for ridge regression Golub, Heath and Wahba,
1979, "Generalized cross-validation as a method for choosing a good ridge parameter"), so one decomposition replaces N
fits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autograder.desk.features import Matrix

PENALTY = 1.0
"""λ; kernels have a diagonal of about 1."""


def out_of_line(kernel: Matrix, scores: Sequence[float] | NDArray[np.floating], penalty: float = PENALTY) -> Matrix:
    """The score of each answer minus its prediction from the scores of all other answers.

    The fit is ŷ = H y with J = 11ᵀ/N, K_c = (I - J) K (I - J) and H = J + K_c (K_c + λI)⁻¹ (rows and columns of K_c add
    up to 0). If answer i is left out, its residual is (y_i - ŷ_i) / (1 - H_ii), exactly.

    Args:
        kernel: K, `[N, N]`, symmetric and positive semi-definite (`TextFeatures.kernel`).
        scores: y, `[N]`, one score for each answer.
        penalty: λ > 0.

    Returns:
        Residuals `[N]` in points, positive where the score is higher than similar answers suggest; 0 for a single
        answer.
    """
    y = np.asarray(scores, dtype=np.float64)
    number = len(y)
    if number < 2:
        return np.zeros(number)
    values, vectors = np.linalg.eigh(_centred(kernel))
    shrunk = np.maximum(values, 0) / (np.maximum(values, 0) + penalty)
    fit = y.mean() + (vectors * shrunk) @ (vectors.T @ (y - y.mean()))
    leverage = 1 / number + (vectors**2) @ shrunk
    residuals: Matrix = (y - fit) / (1 - leverage)
    return residuals


def second_look(kernel: Matrix, scores: Sequence[float] | NDArray[np.floating]) -> list[tuple[int, float]]:
    """The numbers of all answers with their residuals (`out_of_line`), largest absolute residual first."""
    residuals = out_of_line(kernel, scores)
    places = np.argsort(-np.abs(residuals).round(9), kind="stable")
    return [(number, float(residuals[number])) for number in places.tolist()]


def _centred(kernel: Matrix) -> Matrix:
    rows = kernel - kernel.mean(axis=0, keepdims=True)
    centred: Matrix = rows - rows.mean(axis=1, keepdims=True)
    return (centred + centred.T) / 2
