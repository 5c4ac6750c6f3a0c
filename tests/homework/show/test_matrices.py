"""Matrices side by side: numbers, names and one scale of colours for all."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import torch

from homework.show.matrices import side_by_side
from homework.show.notebook_figure import NotebookFigure

LEFT, RIGHT = torch.tensor([[0.9, 0.1], [0.5, 0.8]]), torch.tensor([[0.7, 0.2], [0.6, math.nan]])


def test_names_labels_and_numbers_stand_where_they_belong() -> None:
    figure = side_by_side(
        {"naive": LEFT, "EWC": RIGHT}, "Accuracy", "on task", "after task", column_labels=["1", "2"], scale="share"
    )
    first, second, scale = figure.axes
    assert [axes.get_title() for axes in (first, second)] == ["naive", "EWC"]
    assert (first.get_xlabel(), first.get_ylabel(), scale.get_ylabel()) == ("on task", "after task", "share")
    assert [text.get_text() for text in first.texts] == ["0.90", "0.10", "0.50", "0.80"]
    assert [text.get_text() for text in second.texts] == ["0.70", "0.20", "0.60"], "NaN stays empty"
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2"]
    assert isinstance(figure, NotebookFigure)
    assert figure.alternative_text().startswith("Figure: Accuracy; naive (on task / after task); EWC")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_one_scale_serves_all() -> None:
    for low, high in ((None, None), (0.0, 1.0)):
        figure = side_by_side({"a": LEFT, "b": RIGHT}, low=low, high=high)
        limits = [axes.images[0].get_clim() for axes in figure.axes[:2]]
        assert limits[0] == limits[1] == pytest.approx((0.1, 0.9) if low is None else (0.0, 1.0))


def test_standard_errors_stand_below_their_numbers() -> None:
    figure = side_by_side({"a": LEFT}, errors={"a": LEFT / 10})
    assert figure.axes[0].texts[0].get_text() == "0.90\n±0.09"


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        side_by_side({"a": LEFT, "b": np.zeros((3, 2))})
    with pytest.raises(ValueError, match="one shape"):
        side_by_side({})
    with pytest.raises(ValueError, match="no finite"):
        side_by_side({"a": LEFT * math.nan})
