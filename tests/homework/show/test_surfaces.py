"""A map of a function of two variables shows its levels, the paths on it and its marks."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from homework.show.notebook_figure import NotebookFigure
from homework.show.surfaces import surface

X, Y = torch.linspace(-2, 2, 9), torch.linspace(0.1, 3, 7)
BOWL = X**2 + Y[:, None] ** 2


@pytest.mark.parametrize("logy", [False, True])
def test_title_labels_and_scale_stand_and_it_can_be_saved(logy: bool) -> None:
    figure = surface(X, Y, BOWL, "A bowl", "mean", "deviation", height="nats", logy=logy)
    axes, scale = figure.axes
    assert axes.get_title(loc="left") == "A bowl"
    assert (axes.get_xlabel(), axes.get_ylabel(), scale.get_ylabel()) == ("mean", "deviation", "nats")
    assert axes.get_yscale() == ("log" if logy else "linear")
    assert isinstance(figure, NotebookFigure) and "A bowl" in figure.alternative_text()
    file = io.BytesIO()
    figure.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_paths_and_marks_stand_where_they_belong_and_do_not_widen_the_map() -> None:
    paths = torch.tensor([[[0.0, 1.0], [0.5, 0.5]], [[-9.0, 1.0], [9.0, 2.0]]])
    axes = surface(X, Y, BOWL, paths=paths, marks={"lowest": (0.0, 0.1)}).axes[0]
    drawn = [np.asarray(line.get_xydata()).tolist() for line in axes.lines]
    assert drawn == [paths[0].tolist(), [[0.0, 1.0]], paths[1].tolist(), [[-9.0, 1.0]], [[0.0, 0.1]]]
    assert [text.get_text() for text in axes.texts] == ["lowest"]
    assert axes.get_xlim() == (-2, 2)
    assert axes.get_ylim() == pytest.approx((0.1, 3))


@pytest.mark.parametrize("hole", [float("nan"), float("inf")])
def test_heights_beyond_the_highest_are_drawn_alike(hole: float) -> None:
    values = BOWL.clone()
    values[0, 0] = hole
    for highest, top in ((2.0, 2.0), (None, float(BOWL.max()))):
        scale = surface(X, Y, values, highest=highest).axes[1]
        assert scale.get_ylim()[1] == pytest.approx(top)


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(ValueError, match="values \\[7, 9\\]"):
        surface(X, Y, BOWL.T)
    with pytest.raises(ValueError, match="no finite value"):
        surface(X, Y, BOWL * float("nan"))
