"""Matrices side by side on one colour scale: the same colour means the same number in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from homework.show.notebook_figure import STYLE, NotebookFigure, Numbers, as_array


def side_by_side(
    matrices: Mapping[str, Numbers],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    errors: Mapping[str, Numbers] | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    fmt: str = ".2f",
    low: float | None = None,
    high: float | None = None,
    scale: str = "",
) -> Figure:
    """Draws matrices side by side as coloured squares with their numbers; dark is low, and NaN is empty.

    Args:
        matrices: name → `[rows, columns]`, all of the same shape.
        title: title of the figure.
        xlabel: label of the columns.
        ylabel: label of the rows.
        errors: name → standard errors `[rows, columns]`, written below the numbers as ±.
        row_labels: one word per row.
        column_labels: one word per column.
        fmt: format of the numbers.
        low: the number of the darkest colour; the smallest of all if not given.
        high: the number of the brightest colour; the largest of all if not given.
        scale: label of the colour scale, with the unit.

    Raises:
        ValueError: no matrices, matrices of different shapes, or no finite number.
    """
    arrays = {name: as_array(matrix) for name, matrix in matrices.items()}
    spread = {name: as_array(matrix) for name, matrix in (errors or {}).items()}
    shapes = {array.shape for array in [*arrays.values(), *spread.values()]}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(f"side_by_side() needs matrices [rows, columns] of one shape, not {sorted(shapes)}.")
    every = np.concatenate([array[np.isfinite(array)] for array in arrays.values()])
    if not every.size:
        raise ValueError("side_by_side() got no finite number.")
    bottom, top = float(every.min()) if low is None else low, float(every.max()) if high is None else high
    rows, columns = next(iter(shapes))
    with rc_context(STYLE):
        size = min(12.0, 1.6 + len(arrays) * (0.7 + 0.75 * columns)), 1.3 + (0.72 if errors else 0.6) * rows
        figure = NotebookFigure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        places = figure.subplots(1, len(arrays), squeeze=False)[0]
        for axes, (name, array) in zip(places, arrays.items(), strict=True):
            image = axes.imshow(array, cmap="cividis", aspect="auto", vmin=bottom, vmax=top)
            for row, column in np.ndindex(rows, columns):
                if np.isfinite(array[row, column]):
                    text = format(array[row, column], fmt)
                    if name in spread:
                        text += f"\n±{format(spread[name][row, column], fmt)}"
                    ink = "white" if array[row, column] < bottom + 0.55 * (top - bottom) else "black"
                    axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=9)
            first = axes is places[0]
            axes.set_xticks(range(columns), column_labels or [str(i) for i in range(columns)])
            axes.set_yticks(range(rows), (row_labels or [str(i) for i in range(rows)]) if first else [""] * rows)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            axes.set_title(name, loc="center", fontweight="normal", fontsize=10)
            axes.set_xlabel(xlabel)
        places[0].set_ylabel(ylabel)
        figure.colorbar(image, ax=list(places), shrink=0.9, label=scale)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.show_now()
    return figure
