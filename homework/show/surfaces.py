"""Contour plots of a function of two variables, with the paths of searches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from homework.show.notebook_figure import INK, STYLE, Numbers, as_array, finish, new_figure

LEVELS = 15


def surface(
    x: Numbers,
    y: Numbers,
    values: Numbers,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    height: str = "",
    highest: float | None = None,
    logy: bool = False,
    paths: Numbers | None = None,
    marks: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Draws level lines of a function over the plane; dark is low.

    Args:
        x: horizontal positions, `[X]`.
        y: vertical positions, `[Y]`.
        values: the function at all of them, `[Y, X]`.
        title: title of the figure.
        xlabel: the horizontal axis, with its unit.
        ylabel: the vertical axis, with its unit.
        height: label of the colour scale, with the unit.
        highest: values above it are drawn in one colour; the largest finite value if not given.
        logy: logarithmic vertical axis.
        paths: `[S, T, 2]`: S paths of T points (x, y); a ring marks the start of each. They do not extend the axes.
        marks: label → a point (x, y) to mark and name, e.g. a minimum.

    Raises:
        ValueError: the shapes do not match, or no value is finite.
    """
    across, up, heights = (as_array(part) for part in (x, y, values))
    if heights.shape != (len(up), len(across)):
        raise ValueError(
            f"surface() needs values [{len(up)}, {len(across)}] for {len(across)} x and {len(up)} y, "
            f"not shape {list(heights.shape)}."
        )
    if not np.isfinite(heights).any():
        raise ValueError("surface() got no finite value.")
    top = float(heights[np.isfinite(heights)].max()) if highest is None else highest
    heights = np.minimum(np.nan_to_num(heights, nan=top, posinf=top), top)
    levels = np.linspace(min(float(heights.min()), top - 1e-9), top, LEVELS + 1)
    with rc_context(STYLE):
        figure, axes = new_figure(7.2, 4.4, grid=False)
        if logy:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        drawn = axes.contourf(across, up, heights, levels=levels, cmap="YlGnBu_r")
        axes.contour(across, up, heights, levels=levels[:-1], colors="white", linewidths=0.4)
        figure.colorbar(drawn, ax=axes, label=height, ticks=MaxNLocator(6))
    for path in [] if paths is None else as_array(paths):
        axes.plot(path[:, 0], path[:, 1], color="#D55E00", linewidth=1.3)
        axes.plot(*path[0], marker="o", markersize=5, markerfacecolor="white", markeredgecolor="#D55E00")
    for label, (at_x, at_y) in (marks or {}).items():
        axes.plot(at_x, at_y, marker="*", markersize=13, color="#E69F00", markeredgecolor=INK, linestyle="")
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
        axes.annotate(label, (at_x, at_y), (0, 10), textcoords="offset points", ha="center", fontsize=9, bbox=box)
    axes.set_xlim(across.min(), across.max())
    axes.set_ylim(up.min(), up.max())
    return finish(figure, axes, title, xlabel, ylabel)
