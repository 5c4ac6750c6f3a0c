"""The plots of the notebooks, in one style: a title, labelled axes, colours that colour-blind readers can distinguish.

Every function returns a matplotlib `Figure`. A notebook shows it at the call, and not again if the call is the cell's
last expression.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from homework.lazy_torch import is_tensor, torch
from homework.scalars import as_number
from homework.show.notebook_figure import COLOURS, INK, Numbers, add_legend, as_array, finish, new_figure, series_style

Curve: TypeAlias = "Numbers | tuple[Numbers, Numbers]"

LEVEL_DASHES = ((0, (4, 3)), (0, (1, 2)), (0, (8, 2, 1, 2)))
"""Dashes of the horizontal lines."""

POINTS = "os^Dv"
"""Markers of curves that are a single point."""

__all__ = ["COLOURS", "bars", "curves", "heatmap", "histograms", "image_grid", "scatter"]


def image_grid(
    images: torch.Tensor | npt.NDArray[Any],
    rows: int = 10,
    columns: int = 20,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Figure:
    """Draws the first `rows · columns` images side by side, row by row.

    Args:
        images: `[N, 1, H, W]`, `[N, 3, H, W]`, `[N, H, W]` or `[N, H·W]` (square), in [0, 1]; other values are clipped.
        rows: rows of the grid; fewer images give fewer rows.
        columns: images per row.
        title: title of the figure.
        xlabel: label below the grid.
        ylabel: label left of the grid.
        row_labels: one word per row.
        column_labels: one word per column.

    Raises:
        ValueError: not images, or none.
    """
    from torchvision.utils import make_grid  # type: ignore[import-untyped,unused-ignore]

    batch = _as_images(images)[: rows * columns]
    shown_rows = math.ceil(len(batch) / columns)
    grid = make_grid(batch, nrow=columns, padding=1, pad_value=0.3).permute(1, 2, 0).numpy()
    beside = 0.08 * max((len(str(label)) for label in row_labels), default=0) if row_labels else 0.0  # room for words
    width = min(12.0 - beside, max(2.4, 0.56 * columns + 0.4))
    height = width * grid.shape[0] / grid.shape[1]
    figure, axes = new_figure(width + beside, height + 0.35 + (0.3 if xlabel or column_labels else 0), grid=False)
    axes.imshow(grid, interpolation="nearest", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    pitch_y, pitch_x = batch.shape[2] + 1, batch.shape[3] + 1
    across = min(columns, len(batch))
    _name_ticks(axes, "y", [pitch_y * (i + 0.5) for i in range(shown_rows)], row_labels)
    _name_ticks(axes, "x", [pitch_x * (i + 0.5) for i in range(across)], column_labels)
    return finish(figure, axes, title, xlabel, ylabel)


def curves(
    series: Mapping[str, Curve],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    band: Mapping[str, Numbers] | None = None,
    logx: bool = False,
    logy: bool = False,
    smooth: int = 0,
    levels: Mapping[str, float | torch.Tensor] | None = None,
) -> Figure:
    """Draws one line per label, each with its own colour and dashes; a single value is drawn as a point.

    Args:
        series: label → values, or (x, values); without x the values are at 0, 1, 2, …
        title: title of the figure.
        xlabel: the horizontal axis, with its unit.
        ylabel: the vertical axis, with its unit.
        band: label → standard error, drawn as a band of ± around the line.
        logx: logarithmic horizontal axis.
        logy: logarithmic vertical axis.
        smooth: width of a moving average in points; the raw values are drawn faintly. 0 draws the raw values only.
        levels: label → height of a thin horizontal line, e.g. a baseline; each has its own dashes.

    Raises:
        ValueError: x and values, or values and band, differ in length.
    """
    figure, axes = new_figure(7.2, 4.2)
    for index, (label, curve) in enumerate(series.items()):
        x, y = _points(label, curve)
        spread = as_array(band[label]) if band is not None and label in band else None
        if spread is not None and spread.shape != y.shape:
            raise ValueError(f"{label!r}: {len(y)} values but a band of {spread.size}; give one per value.")
        style = series_style(index)
        if smooth > 1 and len(y) > smooth:
            axes.plot(x, y, color=style["color"], alpha=0.25, linewidth=0.8)
            y = np.convolve(y, np.full(smooth, 1 / smooth), mode="valid")
            middle = slice((smooth - 1) // 2, (smooth - 1) // 2 + len(y))  # a mean is drawn at the middle of its window
            x, spread = x[middle], None if spread is None else spread[middle]
        if len(y) == 1:  # a point: a marker of its own, no line in the legend either
            style |= {"linestyle": "", "marker": POINTS[index % len(POINTS)], "markersize": 8}
        elif len(y) <= 12:
            style |= {"marker": "o", "markersize": 4}
        axes.plot(x, y, label=label, **style)
        if spread is not None:
            axes.fill_between(x, y - spread, y + spread, color=style["color"], alpha=0.2, linewidth=0)
    for index, (label, height) in enumerate((levels or {}).items()):
        axes.axhline(
            as_number(height), color=INK, linewidth=1, linestyle=LEVEL_DASHES[index % len(LEVEL_DASHES)], label=label
        )
    if logx:
        axes.set_xscale("log")
        _plain_numbers(axes.xaxis)
        _tick_each(axes, series)
    if logy:
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    if len(series) + len(levels or {}) > 1:
        add_legend(axes)
    return finish(figure, axes, title, xlabel, ylabel)


def heatmap(
    matrix: Numbers,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    fmt: str = ".2f",
) -> Figure:
    """Draws a matrix as coloured squares with their numbers; NaN is empty.

    Args:
        matrix: `[rows, columns]`.
        title: title of the figure.
        xlabel: label of the columns.
        ylabel: label of the rows.
        row_labels: one word per row.
        column_labels: one word per column.
        fmt: format of the numbers; empty writes none.

    Raises:
        ValueError: not a matrix.
    """
    values = as_array(matrix)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"heatmap() needs a matrix [rows, columns], not shape {list(values.shape)}.")
    rows, columns = values.shape
    figure, axes = new_figure(min(12.0, 2.2 + 0.8 * columns), min(10.0, 1.5 + 0.62 * rows), grid=False)
    image = axes.imshow(values, cmap="cividis", aspect="auto")
    _name_ticks(axes, "x", range(columns), column_labels or [str(i) for i in range(columns)])
    _name_ticks(axes, "y", range(rows), row_labels or [str(i) for i in range(rows)])
    if fmt:
        for row, column in np.ndindex(rows, columns):
            value = values[row, column]
            if np.isfinite(value):
                dark = value < np.nanmin(values) + 0.55 * np.ptp(values[np.isfinite(values)])
                axes.text(column, row, format(value, fmt), ha="center", va="center", color="white" if dark else "black")
    figure.colorbar(image, ax=axes, shrink=0.9)
    return finish(figure, axes, title, xlabel, ylabel)


def bars(
    values: Mapping[str, float | torch.Tensor],
    errors: Mapping[str, float | torch.Tensor] | None = None,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
) -> Figure:
    """Draws one bar per label, with its number on top.

    Args:
        values: label → height.
        errors: label → standard error, drawn as ±.
        title: title of the figure.
        xlabel: the horizontal axis.
        ylabel: the vertical axis, with its unit.
    """
    figure, axes = new_figure(max(3.6, 1.0 + 0.9 * len(values)), 3.8)
    axes.grid(axis="x", visible=False)
    heights = [as_number(value) for value in values.values()]
    spread = [as_number((errors or {}).get(label, math.nan)) for label in values]
    places = range(len(heights))
    axes.bar(places, heights, color=COLOURS[0], width=0.65)
    if errors:
        axes.errorbar(places, heights, yerr=spread, fmt="none", ecolor=INK, capsize=4)
    for place, height, error in zip(places, heights, spread, strict=True):  # the number is beyond the error bar
        tip = height + math.copysign(0.0 if math.isnan(error) else error, height)
        side = ("bottom", 3) if height >= 0 else ("top", -3)
        axes.annotate(f"{height:.3g}", (place, tip), (0, side[1]), textcoords="offset points", ha="center", va=side[0])
    axes.margins(y=0.15)
    _name_ticks(axes, "x", places, list(values))
    return finish(figure, axes, title, xlabel, ylabel)


def histograms(
    samples: Mapping[str, Numbers], bins: int = 16, title: str = "", xlabel: str = "", ylabel: str = ""
) -> Figure:
    """Draws the histogram of each sample, as shares of the sample, all in the same bins and axes.

    Args:
        samples: label → values `[N]`; N may differ.
        bins: number of bins.
        title: title of the figure.
        xlabel: the value, with its unit.
        ylabel: of what the shares are.
    """
    figure, axes = new_figure(7.2, 4.2)
    values = {label: as_array(sample).ravel() for label, sample in samples.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=bins)
    for index, (label, sample) in enumerate(values.items()):
        shares = np.histogram(sample, bins=edges)[0] / max(1, len(sample))
        colour = series_style(index)["color"]
        axes.bar(edges[:-1], shares, np.diff(edges), align="edge", color=colour, alpha=0.35, label=label)
        axes.plot(
            np.repeat(edges, 2)[1:-1], np.repeat(shares, 2), color=colour, linestyle=series_style(index)["linestyle"]
        )
    add_legend(axes)
    return finish(figure, axes, title, xlabel, ylabel)


def scatter(
    points: Numbers,
    values_or_labels: Numbers | None = None,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
) -> Figure:
    """Draws points in the plane, coloured by class (whole numbers or words) or by value (floating-point numbers).

    Args:
        points: `[N, 2]`.
        values_or_labels: `[N]`; None draws all points in one colour.
        title: title of the figure.
        xlabel: the first coordinate, with unit.
        ylabel: the second coordinate, with unit.

    Raises:
        ValueError: the points are not `[N, 2]`.
    """
    places = as_array(points)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ValueError(f"scatter() needs points [N, 2], not shape {list(places.shape)}.")
    figure, axes = new_figure(5.6, 4.6)
    if values_or_labels is None:
        axes.scatter(places[:, 0], places[:, 1], s=14, color=COLOURS[0], alpha=0.8, linewidths=0)
        return finish(figure, axes, title, xlabel, ylabel)
    if is_tensor(values_or_labels):
        values_or_labels = values_or_labels.detach().cpu().numpy()
    colour_by = np.asarray(values_or_labels)
    if colour_by.dtype.kind == "f":
        drawn = axes.scatter(places[:, 0], places[:, 1], c=colour_by, s=14, cmap="cividis", linewidths=0)
        figure.colorbar(drawn, ax=axes)
        return finish(figure, axes, title, xlabel, ylabel)
    markers = "os^DvP*X<>"
    for index, label in enumerate(np.unique(colour_by)):
        chosen = places[colour_by == label]
        look: Any = {"color": COLOURS[index % len(COLOURS)], "marker": markers[index % len(markers)]}
        axes.scatter(chosen[:, 0], chosen[:, 1], s=16, alpha=0.8, linewidths=0, label=str(label), **look)
    add_legend(axes)
    return finish(figure, axes, title, xlabel, ylabel)


def _as_images(images: torch.Tensor | npt.NDArray[Any]) -> torch.Tensor:
    """Float images `[N, 1 or 3, H, W]` in [0, 1]."""
    batch = torch.as_tensor(images).detach().cpu().to(torch.float32)
    if batch.ndim == 2:
        side = math.isqrt(batch.shape[1])
        if side * side != batch.shape[1]:
            raise ValueError(
                f"image_grid() got vectors of {batch.shape[1]} pixels, which is not a square number; pass [N, 1, H, W]."
            )
        batch = batch.reshape(-1, 1, side, side)  # [N, H·W] -> [N, 1, H, W]
    elif batch.ndim == 3:
        batch = batch[:, None]  # [N, H, W] -> [N, 1, H, W]
    if batch.ndim != 4 or batch.shape[1] not in (1, 3) or not len(batch):
        raise ValueError(f"image_grid() needs images [N, 1, H, W] or [N, H·W], not shape {list(batch.shape)}.")
    return batch.nan_to_num(0.0).clamp(0, 1)


def _points(label: str, curve: Curve) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if isinstance(curve, tuple) and len(curve) == 2 and not np.isscalar(curve[0]):
        x, y = as_array(curve[0]), as_array(curve[1])
    else:
        y = as_array(curve)
        x = np.arange(len(y), dtype=float)
    if x.shape != y.shape or y.ndim != 1:
        raise ValueError(f"{label!r}: x has shape {list(x.shape)} and the values {list(y.shape)}; both must be [N].")
    return x, y


def _tick_each(axes: Axes, series: Mapping[str, Curve]) -> None:
    """Sets a tick at each point of a logarithmic axis with few points, as a plain number."""
    places = np.unique(np.concatenate([_points(label, curve)[0] for label, curve in series.items()]))
    places = places[places > 0]
    if len(places) <= 12:
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.minorticks_off()


def _plain_numbers(axis: Axis) -> None:
    """Writes the ticks of a logarithmic axis as plain numbers: at 1, 2 and 5 of a decade if there are few of them."""
    low, high = sorted(axis.get_view_interval())
    few = low > 0 and high / low < 1000
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _name_ticks(axes: Axes, which: str, places: Any, labels: Sequence[str] | None) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks(list(places) if labels else [], [str(label) for label in labels][: len(places)] if labels else [])
    axis.set_tick_params(length=0)
