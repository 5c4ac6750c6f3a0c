"""Every figure has its title and labels, shows its data, and is shown once in a notebook."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle

from homework.show import plots
from homework.show.matrices import side_by_side
from homework.show.notebook_figure import NotebookFigure
from homework.show.surfaces import surface
from tests.homework.conftest import check_saved

LABELS: dict[str, Any] = {"title": "What one sees", "xlabel": "step", "ylabel": "loss in nats"}
LEFT, RIGHT = torch.tensor([[0.9, 0.1], [0.5, 0.8]]), torch.tensor([[0.7, 0.2], [0.6, math.nan]])
X, Y = torch.linspace(-2, 2, 9), torch.linspace(0.1, 3, 7)
BOWL = X**2 + Y[:, None] ** 2


def every_figure() -> dict[str, Figure]:
    points = torch.arange(10.0).reshape(5, 2)
    return {
        "surface": surface(X, Y, BOWL, **LABELS),
        "surface on a logarithmic axis": surface(X, Y, BOWL, logy=True, **LABELS),
        "image_grid": plots.image_grid(torch.rand(6, 1, 8, 8), 2, 3, **LABELS),
        "curves": plots.curves({"a": [1.0, 2.0], "b": ([1, 2], torch.tensor([2.0, 1.0]))}, **LABELS),
        "curves with everything": plots.curves(
            {"a": (torch.arange(1, 40), torch.rand(39)), "b": np.ones(30)},
            band={"b": np.full(30, 0.1)},
            logx=True,
            logy=True,
            smooth=5,
            levels={"chance": 0.1},
            **LABELS,
        ),
        "heatmap": plots.heatmap([[0.1, float("nan")], [0.2, 0.9]], row_labels=["a", "b"], **LABELS),
        "bars": plots.bars(
            {"naive": torch.tensor(0.5, requires_grad=True), "EWC": 0.7}, {"naive": 0.1, "EWC": 0.1}, **LABELS
        ),
        "histograms": plots.histograms({"a": torch.randn(50), "b": [1.0, 2.0, 2.0]}, 8, **LABELS),
        "scatter": plots.scatter(points, **LABELS),
        "scatter by class": plots.scatter(points, torch.tensor([0, 1, 2, 1, 0]), **LABELS),
        "scatter by word": plots.scatter(points, ["a", "b", "a", "b", "c"], **LABELS),
        "scatter by value": plots.scatter(points, torch.rand(5), **LABELS),
    }


def test_every_figure_has_its_title_and_labels_and_can_be_saved() -> None:
    for name, figure in every_figure().items():
        axes = figure.axes[0]
        shown = (axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel())
        assert shown == ("What one sees", "step", "loss in nats"), name
        assert axes.get_yscale() == ("log" if "log" in name or "everything" in name else "linear"), name
        assert isinstance(figure, NotebookFigure) and LABELS["title"] in figure.alternative_text()
        check_saved(figure)


def test_histograms_have_the_same_bins_and_shares_that_add_up_to_one() -> None:
    axes = plots.histograms({"a": [0.0, 0.0, 1.0, 4.0], "b": torch.tensor([2.0])}, 4).axes[0]
    heights = [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]
    assert heights == [0.5, 0.25, 0, 0.25, 0, 0, 1, 0]


FALLS = [1.0, 0.9, 0.5, 0.1, 0.02, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("a", "b", "options", "place"),
    [
        ([5.0, 1.0, 0.1, 0.01, 0.01], None, {}, "upper right"),
        ([0.0, 4.0, 4.9, 5.0, 5.0], None, {}, "lower right"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], None, {}, "upper left"),
        ([1e-4, 1e2, 1e3, 1e4, 1e4], None, {"logy": True}, "lower right"),
        ([9.0, 9.0], [0.0, 0.0], {"levels": {"c": 9.5}}, "center right"),  # between two lines
        (FALLS, [1 - value for value in FALLS], {}, "center right"),  # curves in all corners
    ],
)
def test_the_legend_is_where_the_curves_are_not(a: list[float], b: Any, options: dict[str, Any], place: str) -> None:
    legend = plots.curves({"a": a, "b": b or a}, **options).axes[0].get_legend()
    assert vars(legend)["_loc_real"] == Legend.codes[place]  # matplotlib has no public way to ask


def test_where_lines_are_everywhere_the_legend_is_below_the_axes() -> None:
    crossing = {f"{peaks} steep peaks": [0.0, *[9.0, 0.0] * peaks] for peaks in (4, 5)}
    figure = plots.curves(crossing, levels={"top": 8.5, "bottom": 0.5}, **LABELS)
    check_saved(figure)
    axes = figure.axes[0]
    assert axes.get_legend() is None
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*crossing, "top", "bottom"]
    box, inside = legend.get_window_extent(), axes.xaxis.label.get_window_extent()
    assert box.y1 <= inside.y0 and box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.x1


@pytest.mark.parametrize("bars", [1, 6])
def test_a_long_title_stays_inside_the_figure(bars: int) -> None:
    title = "Training points after 600 steps: what a constant in the reward does to each of the rules"
    figure = plots.bars({str(i): float(i) for i in range(bars)}, title=title)
    axes = figure.axes[0]
    check_saved(figure)
    box = axes._left_title.get_window_extent()  # type: ignore[attr-defined]
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
    assert axes.get_title(loc="left").replace("\n", " ") == title
    assert isinstance(figure, NotebookFigure) and title in figure.alternative_text()
    assert len({bar.get_facecolor() for bar in axes.patches}) == 1, "colour would mean something"


def test_curves_show_their_values_and_a_legend() -> None:
    axes = plots.curves({"a": [1.0, 4.0], "b": ([5, 6], [2.0, 3.0])}, band={"a": [0.1, 0.2]}).axes[0]
    a, b = axes.get_lines()
    points = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in (a, b)}
    assert points == {"a": [[0, 1], [1, 4]], "b": [[5, 2], [6, 3]]}
    assert a.get_color() != b.get_color() and a.get_linestyle() != b.get_linestyle()
    assert axes.get_legend() is not None and len(axes.collections) == 1
    assert plots.curves({"only": [1.0, 2.0]}).axes[0].get_legend() is None


def test_a_single_value_is_a_point_with_a_marker_of_its_own() -> None:
    line, a, b = plots.curves({"line": [1.0, 2.0], "a": ([3], [1.0]), "b": ([4], [1.0])}).axes[0].get_lines()
    assert line.get_linestyle() == "-" and a.get_linestyle() == b.get_linestyle() == "None"
    assert len({line.get_marker(), a.get_marker(), b.get_marker()}) == 3


def test_smoothing_is_a_centred_mean_and_keeps_the_raw_values() -> None:
    axes = plots.curves({"a": np.arange(20.0)}, smooth=5).axes[0]
    raw, smooth = axes.get_lines()
    assert len(raw.get_xdata()) == 20  # type: ignore[arg-type]
    x, y = np.asarray(smooth.get_xdata()), np.asarray(smooth.get_ydata())
    assert (x[0], x[-1]) == (2, 17)
    assert np.allclose(x, y)


def test_the_grid_shows_vectors_images_and_colours_and_only_the_first_rows_times_columns() -> None:
    def pixels(images: Any, **sizes: Any) -> np.ndarray[Any, Any]:
        return np.asarray(plots.image_grid(images, **sizes).axes[0].get_images()[0].get_array())

    images = torch.rand(12, 1, 4, 4)
    whole = pixels(images, rows=3, columns=4)
    assert whole.shape == (3 * 5 + 1, 4 * 5 + 1, 3)
    assert np.allclose(whole[1:5, 1:5, 0], images[0, 0])
    assert np.allclose(whole[1:5, 6:10, 0], images[1, 0])
    assert np.array_equal(whole, pixels(images.reshape(12, 16), rows=3, columns=4))
    assert np.array_equal(whole, pixels(images[:, 0].numpy(), rows=3, columns=4))
    assert pixels(images, rows=2, columns=4).shape[0] == 2 * 5 + 1
    assert pixels(images, rows=10, columns=6).shape[0] == 2 * 5 + 1
    assert pixels(torch.rand(4, 3, 4, 4), rows=2, columns=2).shape == (11, 11, 3)
    extreme = pixels(torch.tensor([-5.0, 7.0, float("nan")]).reshape(3, 1, 1, 1).expand(3, 1, 4, 4), rows=1, columns=3)
    assert (extreme[2, 2, 0], extreme[2, 7, 0], extreme[2, 12, 0]) == (0.0, 1.0, 0.0)


def test_row_labels_are_at_the_middle_of_their_rows() -> None:
    axes = plots.image_grid(torch.rand(4, 1, 9, 9), 2, 2, row_labels=["first", "second"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert (axes.get_yticks().tolist(), axes.get_xticks().tolist()) == ([5.0, 15.0], [])


def test_numbers_in_a_heatmap_can_be_read() -> None:
    axes = plots.heatmap(torch.tensor([[0.0, 1.0]]), fmt=".1f").axes[0]
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [("0.0", "white"), ("1.0", "black")]
    assert plots.heatmap([[1.0, 1.0]], fmt="").axes[0].texts[:] == []


def test_few_points_on_a_logarithmic_axis_get_plain_ticks() -> None:
    axes = plots.curves({"a": ([0.1, 1, 1000], [1.0, 2, 3])}, logx=True).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "1", "1000"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.06, 0.2, 0.9], {"0.1", "0.2", "0.5"}),
        ([0.5, 30.0, 200.0], {"1", "2", "5", "10", "100"}),
        ([1e-4, 10.0], {"0.01", "1"}),
    ],
)
def test_a_logarithmic_axis_has_plain_numbers(values: list[float], shown: set[str]) -> None:
    figure = plots.curves({"a": values}, logy=True)
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels(which="both")]
    assert shown <= set(labels) and not any("$" in label for label in labels)


def test_each_horizontal_line_has_its_own_dashes() -> None:
    a, b, c = plots.curves({"a": [1.0, 2.0]}, levels={"x": 1.0, "y": 1.5, "z": 2.0}).axes[0].get_lines()[1:]
    assert len({str(vars(line)["_unscaled_dash_pattern"]) for line in (a, b, c)}) == 3


def test_row_labels_leave_the_pictures_their_size() -> None:
    pictures = torch.rand(24, 1, 9, 9)
    named = plots.image_grid(pictures, 2, 12, row_labels=["a label of some length", "b"])
    plain = plots.image_grid(pictures, 2, 12)
    for figure in (named, plain):
        check_saved(figure)
    assert named.get_figwidth() > plain.get_figwidth() and named.get_figheight() == plain.get_figheight()


def test_a_surface_shows_paths_and_marks_and_is_not_widened_by_them() -> None:
    paths = torch.tensor([[[0.0, 1.0], [0.5, 0.5]], [[-9.0, 1.0], [9.0, 2.0]]])
    axes, scale = surface(X, Y, BOWL, height="nats", paths=paths, marks={"lowest": (0.0, 0.1)}).axes
    drawn = [np.asarray(line.get_xydata()).tolist() for line in axes.lines]
    assert drawn == [paths[0].tolist(), [[0.0, 1.0]], paths[1].tolist(), [[-9.0, 1.0]], [[0.0, 0.1]]]
    assert [text.get_text() for text in axes.texts] == ["lowest"] and scale.get_ylabel() == "nats"
    assert axes.get_xlim() == (-2, 2) and axes.get_ylim() == pytest.approx((0.1, 3))


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_a_surface_shows_all_heights_above_the_highest_in_one_colour(hole: float) -> None:
    values = BOWL.clone()
    values[0, 0] = hole
    for highest, top in ((2.0, 2.0), (None, float(BOWL.max()))):
        assert surface(X, Y, values, highest=highest).axes[1].get_ylim()[1] == pytest.approx(top)


def test_matrices_side_by_side_have_names_labels_and_numbers() -> None:
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
    check_saved(figure)
    with_errors = side_by_side({"a": LEFT}, errors={"a": LEFT / 10})
    assert with_errors.axes[0].texts[0].get_text() == "0.90\n±0.09"


@pytest.mark.parametrize(("low", "high", "limits"), [(None, None, (0.1, 0.9)), (0.0, 1.0, (0.0, 1.0))])
def test_matrices_side_by_side_share_one_scale(low: Any, high: Any, limits: tuple[float, float]) -> None:
    first, second, _ = side_by_side({"a": LEFT, "b": RIGHT}, low=low, high=high).axes
    assert first.images[0].get_clim() == second.images[0].get_clim() == pytest.approx(limits)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: plots.image_grid(torch.rand(3, 7)), "not a square number"),
        (lambda: plots.image_grid(torch.rand(0, 1, 4, 4)), "shape"),
        (lambda: plots.image_grid(torch.rand(3, 2, 4, 4)), "shape"),
        (lambda: plots.curves({"a": ([1, 2], [1.0])}), "shape"),
        (lambda: plots.curves({"a": [1.0, 2.0]}, band={"a": [1.0]}), "a band of"),
        (lambda: plots.heatmap([1.0, 2.0]), "shape"),
        (lambda: plots.scatter(torch.rand(3, 3)), "shape"),
        (lambda: surface(X, Y, BOWL.T), r"values \[7, 9\]"),
        (lambda: surface(X, Y, BOWL * math.nan), "no finite value"),
        (lambda: side_by_side({"a": LEFT, "b": np.zeros((3, 2))}), "one shape"),
        (lambda: side_by_side({}), "one shape"),
        (lambda: side_by_side({"a": LEFT * math.nan}), "no finite"),
    ],
)
def test_values_that_cannot_be_drawn_are_refused(wrong: Callable[[], Figure], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrong()
