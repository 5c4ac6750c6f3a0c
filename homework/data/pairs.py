"""Documents with their summaries, in three parts: what `homework.data.stories` and `homework.data.xsum` return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pairs:
    """Documents and their summaries, equally many."""

    documents: tuple[str, ...]
    """The stories."""
    summaries: tuple[str, ...]
    """`summaries[i]` belongs to `documents[i]`."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.documents)

    def __repr__(self) -> str:
        """The size, not the texts."""
        return f"Pairs({len(self):,})"


@dataclass(frozen=True)
class Stories:
    """News stories with one-sentence summaries, in three disjoint parts."""

    train: Pairs
    """For training."""
    validation: Pairs
    """For choices."""
    test: Pairs
    """For the numbers that are reported."""
    name: str
    """`XSum` or `embedded stories`."""

    def __repr__(self) -> str:
        """Name and sizes, not the texts."""
        sizes = f"{len(self.train):,} training, {len(self.validation):,} validation and {len(self.test):,} test stories"
        return f"Stories({self.name}: {sizes})"
