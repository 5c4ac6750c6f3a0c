"""Every figure has its title and labels, holds what it was given, and is shown once in a notebook."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from homework.show import notebook_figure, plots

LABELS: dict[str, Any] = {"title": "What one sees", "xlabel": "step", "ylabel": "loss in nats"}


def every_figure() -> dict[str, Figure]:
    points = torch.arange(10.0).reshape(5, 2)
    return {
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
        "scatter": plots.scatter(points, **LABELS),
        "scatter by class": plots.scatter(points, torch.tensor([0, 1, 2, 1, 0]), **LABELS),
        "scatter by word": plots.scatter(points, ["a", "b", "a", "b", "c"], **LABELS),
        "scatter by value": plots.scatter(points, torch.rand(5), **LABELS),
    }


def test_titles_and_labels_stand_and_every_figure_can_be_saved() -> None:
    for name, figure in every_figure().items():
        axes = figure.axes[0]
        assert axes.get_title(loc="left") == "What one sees", name
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss in nats"), name
        file = io.BytesIO()
        figure.savefig(file, format="png")
        assert file.getvalue().startswith(b"\x89PNG"), name


@pytest.mark.parametrize(
    ("values", "logy", "corner"),
    [
        ([5.0, 1.0, 0.1, 0.01, 0.01], False, "upper right"),
        ([0.0, 4.0, 4.9, 5.0, 5.0], False, "lower right"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], False, "upper left"),
        ([1e-4, 1e2, 1e3, 1e4, 1e4], True, "lower right"),
    ],
)
def test_the_legend_stands_where_the_curves_are_not(values: list[float], logy: bool, corner: str) -> None:
    axes = plots.curves({"a": values, "b": values}, logy=logy).axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert vars(legend)["_loc_real"] == Legend.codes[corner]  # matplotlib has no public way to ask


def test_where_lines_are_everywhere_the_legend_stands_below_the_axes() -> None:
    crossing = {f"{peaks} steep peaks": [0.0, *[9.0, 0.0] * peaks] for peaks in (4, 5)}
    figure = plots.curves(crossing, levels={"top": 8.5, "bottom": 0.5}, **LABELS)
    figure.savefig(io.BytesIO(), format="png")
    axes = figure.axes[0]
    assert axes.get_legend() is None
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*crossing, "top", "bottom"]
    box, inside = legend.get_window_extent(), axes.xaxis.label.get_window_extent()
    assert box.y1 <= inside.y0 and box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_a_legend_may_stand_between_two_lines() -> None:
    axes = plots.curves({"a": [9.0, 9.0], "b": [0.0, 0.0]}, levels={"c": 9.5}).axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert vars(legend)["_loc_real"] == Legend.codes["center right"]


def test_the_legend_stands_between_two_corners_when_curves_cross_them_all() -> None:
    falls = [1.0, 0.9, 0.5, 0.1, 0.02, 0.0, 0.0, 0.0]
    axes = plots.curves({"falls": falls, "rises": [1 - value for value in falls]}).axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert vars(legend)["_loc_real"] == Legend.codes["center right"]


@pytest.mark.parametrize("bars", [1, 6])
def test_a_long_title_stays_inside_the_figure(bars: int) -> None:
    title = "Training points after 600 steps: what a constant in the reward does to each of the rules"
    figure = plots.bars({str(i): float(i) for i in range(bars)}, title=title)
    axes = figure.axes[0]
    figure.savefig(io.BytesIO(), format="png")
    box = axes._left_title.get_window_extent()  # type: ignore[attr-defined]
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
    assert axes.get_title(loc="left").replace("\n", " ") == title
    assert isinstance(figure, notebook_figure.NotebookFigure)
    assert title in figure.alternative_text()
    assert len({bar.get_facecolor() for bar in axes.patches}) == 1, "colour would mean something"


def test_curves_hold_their_values_and_a_legend() -> None:
    axes = plots.curves({"a": [1.0, 4.0], "b": ([5, 6], [2.0, 3.0])}, band={"a": [0.1, 0.2]}).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert lines["a"].get_xydata().tolist() == [[0, 1], [1, 4]]  # type: ignore[union-attr]
    assert lines["b"].get_xydata().tolist() == [[5, 2], [6, 3]]  # type: ignore[union-attr]
    assert lines["a"].get_color() != lines["b"].get_color()
    assert lines["a"].get_linestyle() != lines["b"].get_linestyle()
    assert axes.get_legend() is not None
    assert len(axes.collections) == 1
    assert plots.curves({"only": [1.0, 2.0]}).axes[0].get_legend() is None


def test_smoothing_is_a_centred_mean_and_keeps_the_raw_values() -> None:
    axes = plots.curves({"a": np.arange(20.0)}, smooth=5).axes[0]
    raw, smooth = axes.get_lines()
    assert len(raw.get_xdata()) == 20  # type: ignore[arg-type]
    x, y = np.asarray(smooth.get_xdata()), np.asarray(smooth.get_ydata())
    assert (x[0], x[-1]) == (2, 17)
    assert np.allclose(x, y)


def test_the_grid_takes_vectors_images_colours_and_the_first_rows_times_columns() -> None:
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


def test_row_labels_stand_at_the_middle_of_their_rows() -> None:
    axes = plots.image_grid(torch.rand(4, 1, 9, 9), 2, 2, row_labels=["first", "second"]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "second"]
    assert axes.get_yticks().tolist() == [5.0, 15.0]
    assert axes.get_xticks().tolist() == []


def test_numbers_in_a_heatmap_can_be_read() -> None:
    axes = plots.heatmap(torch.tensor([[0.0, 1.0]]), fmt=".1f").axes[0]
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [("0.0", "white"), ("1.0", "black")]
    assert plots.heatmap([[1.0, 1.0]], fmt="").axes[0].texts[:] == []


def test_few_points_on_a_logarithmic_axis_get_plain_ticks() -> None:
    axes = plots.curves({"a": ([0.1, 1, 1000], [1.0, 2, 3])}, logx=True).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.1", "1", "1000"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: plots.image_grid(torch.rand(3, 7)),
        lambda: plots.image_grid(torch.rand(0, 1, 4, 4)),
        lambda: plots.image_grid(torch.rand(3, 2, 4, 4)),
        lambda: plots.curves({"a": ([1, 2], [1.0])}),
        lambda: plots.curves({"a": [1.0, 2.0]}, band={"a": [1.0]}),
        lambda: plots.heatmap([1.0, 2.0]),
        lambda: plots.scatter(torch.rand(3, 3)),
    ],
)
def test_wrong_shapes_are_named(wrong: Any) -> None:
    with pytest.raises(ValueError, match="shape|no square|a band of"):
        wrong()


def test_a_notebook_shows_a_figure_once_per_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    shell = SimpleNamespace(kernel=object(), execution_count=1)

    def publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
        shown.append({**data, "metadata": metadata})

    monkeypatch.setattr("IPython.display.publish_display_data", publish)
    monkeypatch.setattr(notebook_figure, "notebook_shell", lambda: shell)
    figure = plots.bars({"a": 1.0}, **LABELS)
    assert isinstance(figure, notebook_figure.NotebookFigure)
    assert len(shown) == 1
    assert base64.b64decode(shown[0]["image/png"]).startswith(b"\x89PNG")
    assert shown[0]["text/plain"] == "Figure: What one sees (step / loss in nats)"
    figure._ipython_display_()  # the call was the cell's last expression
    assert len(shown) == 1
    shell.execution_count = 2
    figure._ipython_display_()  # asked for in a later cell
    assert len(shown) == 2
