"""How similar answers are, as kernel matrices: written answers by words and characters, figures by pixels.

The kernels are positive semi-definite, so they serve as inner products: for the order in which answers are shown, and
for the regression of scores (`desk.second_look`).
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

LENGTH_WEIGHT = 0.1
"""Weight of the length beside the cosine similarity, which is at most 1."""
SIDE = 16
"""Rows and columns of the copies of pictures that are compared."""
_LONGEST = 20_000
"""Only so many characters of an answer are compared."""


@dataclass(frozen=True)
class TextFeatures:
    """What is measured on N written answers to one question.

    Attributes:
        words: cosine similarity of words and pairs of words, `[N, N]`.
        characters: cosine similarity of parts of words of 3 to 5 characters, `[N, N]`.
        length: standardized logarithm of 1 + number of words, `[N]`.
    """

    words: Matrix
    characters: Matrix
    length: Matrix

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextFeatures:
        """Measures answers, preferably in normal form (`desk.normal_form`)."""
        short = [text[:_LONGEST] for text in texts]
        counts = np.array([np.log1p(len(re.findall(r"\w+", text))) for text in short])
        return cls(
            words=_cosines(short, analyzer="word", ngram_range=(1, 2), token_pattern=r"\w+"),
            characters=_cosines(short, analyzer="char_wb", ngram_range=(3, 5)),
            length=_standardized(counts),
        )

    @property
    def length_kernel(self) -> Matrix:
        """The part of the kernel that sees only the length, `[N, N]`."""
        return LENGTH_WEIGHT * np.outer(self.length, self.length)

    @property
    def kernel(self) -> Matrix:
        """Mean of both cosine similarities, plus the part of the length; `[N, N]`."""
        return (self.words + self.characters) / 2 + self.length_kernel


def picture_features(pictures: Sequence[bytes | NDArray[np.generic]]) -> Matrix:
    """The kernel matrix of N pictures: cosine similarity of small grey copies without their mean; `[N, N]`.

    Args:
        pictures: each a file's bytes (PNG or JPEG) or a grey array `[rows, columns]`. One that cannot be read, and one
            of a single grey, is similar to no other.
    """
    copies = np.array([_grey(picture).ravel() for picture in pictures]).reshape(len(pictures), SIDE * SIDE)
    centred = copies - copies.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 1e-6)
    cosines: Matrix = unit @ unit.T
    return cosines


def order(kernel: Matrix) -> list[int]:
    """The numbers of the answers in an order in which similar ones follow each other.

    Average linkage of the distances in the kernel's feature space, d_ij² = K_ii + K_jj - 2 K_ij, with each branch
    turned so that neighbours are as similar as the tree allows. The end with the smaller number comes first.

    Args:
        kernel: K, `[N, N]`.
    """
    if len(kernel) < 3:
        return list(range(len(kernel)))
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    squares = np.diag(kernel)
    distances = np.sqrt(np.maximum(0, squares[:, None] + squares[None, :] - 2 * kernel))
    condensed = squareform((distances + distances.T) / 2, checks=False)
    found: list[int] = leaves_list(optimal_leaf_ordering(linkage(condensed, "average"), condensed)).tolist()
    return found if found[0] < found[-1] else found[::-1]


def _cosines(texts: Sequence[str], **options: object) -> Matrix:
    """Cosine similarities of TF-IDF vectors with sublinear term counts; 0 for texts without a term."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(sublinear_tf=True, lowercase=False, **options).fit_transform(texts)
    except ValueError:  # no text has a single term
        return np.zeros((len(texts), len(texts)))
    cosines: Matrix = (vectors @ vectors.T).toarray()
    return cosines


def _standardized(values: Matrix) -> Matrix:
    deviation = values.std() if len(values) else 0.0
    return (values - values.mean()) / deviation if deviation > 1e-9 else np.zeros_like(values)


def _grey(picture: bytes | NDArray[np.generic]) -> Matrix:
    """A grey copy with `SIDE` rows and columns, 0 to 1."""
    from PIL import Image

    try:
        if isinstance(picture, bytes):
            with Image.open(io.BytesIO(picture)) as opened:
                image = opened.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            grey = np.asarray(Image.alpha_composite(white, image).convert("L"), dtype=np.float32) / 255
        else:
            grey = np.asarray(picture, dtype=np.float32)
        small = Image.fromarray(np.nan_to_num(grey)).resize((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError):
        return np.zeros((SIDE, SIDE))
    return np.asarray(small, dtype=np.float64)
