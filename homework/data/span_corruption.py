"""Span corruption: the task on which T5 is pre-trained without labels.

    corrupt_spans(tokens, sentinels=[99, 98], end=1, source=random.Random(0))

Source: Raffel et al. (2020), Exploring the limits of transfer learning with a unified text-to-text transformer, 3.1.4.
"""

from __future__ import annotations

import random
from collections.abc import Sequence


def corrupt_spans(
    tokens: Sequence[int],
    *,
    sentinels: Sequence[int],
    end: int,
    source: random.Random,
    density: float = 0.15,
    mean_span: float = 3.0,
) -> tuple[list[int], list[int]]:
    """Cuts random spans out of the tokens: returns the input without them, and the target with them.

    Of `A B C D E F G H`, with `C D` and `G` cut out, the input is `A B <0> E F <1> H </s>` and the target
    `<0> C D <1> G <2> </s>`, where `<0>`, `<1>`, `<2>` are the sentinels. The last sentinel of the target marks the
    end of the spans.

    Args:
        tokens: at least two token ids, without an end token.
        sentinels: ids of the sentinel tokens, first one first.
        end: id of the end token.
        source: random generator; the same state gives the same spans.
        density: share of the tokens to cut out.
        mean_span: mean number of tokens in a span.

    Raises:
        ValueError: too few tokens, too few sentinels, or an invalid density or length.
    """
    if len(tokens) < 2:
        raise ValueError(f"span corruption needs two tokens or more, not {len(tokens)}.")
    if not 0 < density < 1 or mean_span < 1:
        raise ValueError(f"density must lie between 0 and 1 and mean_span be 1 or more, not {density} and {mean_span}.")
    cut = min(max(round(len(tokens) * density), 1), len(tokens) - 1)
    spans = min(max(round(cut / mean_span), 1), len(tokens) - cut)
    if spans >= len(sentinels):
        raise ValueError(f"{spans} spans need {spans + 1} sentinels; there are {len(sentinels)}.")
    kept = parts(len(tokens) - cut + 2, spans + 1, source)
    kept[0] -= 1  # a span may be at the beginning or at the end, but two spans never touch
    kept[-1] -= 1
    inputs: list[int] = []
    target: list[int] = []
    position = 0
    for sentinel, before, length in zip(sentinels, kept, parts(cut, spans, source), strict=False):
        inputs += [*tokens[position : position + before], sentinel]
        position += before
        target += [sentinel, *tokens[position : position + length]]
        position += length
    return [*inputs, *tokens[position:], end], [*target, sentinels[spans], end]


def parts(total: int, count: int, source: random.Random) -> list[int]:
    """`count` whole numbers above 0 that add up to `total`; all such lists are equally likely."""
    cuts = sorted(source.sample(range(1, total), count - 1))
    return [right - left for left, right in zip([0, *cuts], [*cuts, total], strict=True)]
