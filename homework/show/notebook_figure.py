"""The style of all figures, and a figure class that a notebook shows once."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from homework.lazy_torch import is_tensor, torch
from homework.notebook_names import notebook_shell
from homework.scalars import as_number

Numbers: TypeAlias = "torch.Tensor | npt.NDArray[Any] | Sequence[Any]"

COLOURS: Final = tuple("#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #4D4D4D #882255 #999933 #44AA99".split())
"""Colours that differ for colour-blind readers too: seven after Okabe and Ito (2008), three after Tol (2021)."""

DASHES: Final = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
INK: Final = "#333333"
PLACES: Final[dict[Any, tuple[float, float]]] = {
    "upper right": (1, 1),
    "upper left": (0, 1),
    "lower right": (1, 0),
    "lower left": (0, 0),
    "center right": (1, 0.5),
    "center left": (0, 0.5),
    "upper center": (0.5, 1),
    "lower center": (0.5, 0),
}
"""Places for a legend, with their positions from (0, 0), lower left, to (1, 1), upper right."""
DOTS_PER_INCH: Final = 110

STYLE: Final[Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


class NotebookFigure(Figure):
    """A figure that a notebook shows once per cell.

    It belongs to no pyplot window, so it needs neither a backend nor a call to close it.
    """

    _shown_in: int | None = None

    def show_now(self) -> None:
        """Shows the figure if a notebook is running."""
        if notebook_shell() is not None:
            self._ipython_display_()

    def _ipython_display_(self) -> None:
        """Shows the figure, unless the running cell has shown it already; notebooks call this."""
        shell = notebook_shell()
        count = getattr(shell, "execution_count", None)
        if shell is None or (count is not None and count == self._shown_in):
            return
        from IPython import display

        self._shown_in = count
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
        picture = base64.b64encode(buffer.getvalue()).decode("ascii")
        text = self.alternative_text()
        publish: Any = display.publish_display_data
        publish({"image/png": picture, "text/plain": text}, metadata={"image/png": {"alt": text}})

    def alternative_text(self) -> str:
        """A text for readers who cannot see the figure: title and axes."""
        parts = [self.get_suptitle()] if self.get_suptitle() else []
        for axes in self.axes:
            title = axes.get_title(loc="left").replace("\n", " ") or axes.get_title()
            labels = [label for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
            if title or labels:
                parts.append(title + (f" ({' / '.join(labels)})" if labels else ""))
        return "Figure: " + "; ".join(parts) if parts else "Figure"


def new_figure(width: float, height: float, *, grid: bool = True) -> tuple[NotebookFigure, Axes]:
    """An empty figure with one pair of axes, sizes in inches."""
    with rc_context(STYLE):
        figure = NotebookFigure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        if grid:
            axes.grid(visible=True)
    return figure, axes


def add_legend(axes: Axes) -> None:
    """Puts a legend at a corner or an edge where nothing is drawn, else below the axes.

    The axes must have a line or a scatter plot. Matplotlib also searches for a place (`loc="best"`), but for long
    curves it takes long and warns on stderr.
    """
    axes.autoscale_view()  # without it the limits are those of an empty plot
    to_axes = axes.transData - axes.transAxes
    across = np.array(axes.get_xlim())
    drawn = []
    for line in axes.lines:
        x, y = np.asarray(line.get_xydata(), float).T
        level = line.get_transform() != axes.transData  # a horizontal line across the axes
        drawn.append(_along(to_axes.transform(np.stack([across if level else x, y], axis=1))))
    drawn += [to_axes.transform(dots.get_offsets()) for dots in axes.collections if isinstance(dots, PathCollection)]
    points = np.concatenate(drawn)

    corners = [place for place, where in PLACES.items() if 0.5 not in where]
    extent = axes.legend(frameon=False).get_window_extent()
    size = np.array([extent.width / axes.bbox.width, extent.height / axes.bbox.height]) + 0.03
    roomy = {place: _crowd(points, PLACES[place], np.array([0.5, 0.35])) for place in corners}
    tight = {place: _crowd(points, where, size) for place, where in PLACES.items()}
    free = [place for crowd in (roomy, tight) for place, count in crowd.items() if count == 0]
    axes.legend(frameon=False, loc=free[0] if free else "upper right")
    if not free:
        _legend_below(axes)


def _legend_below(axes: Axes) -> None:
    """Moves the legend below the axes, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    axes.get_legend().remove()  # type: ignore[union-attr]
    figure = axes.get_figure(root=True)
    assert figure is not None
    column = 0.6 + 0.08 * max(map(len, labels))  # inches: the dash and its margins, then 12 letters to an inch
    columns = max(1, min(len(labels), int(figure.get_figwidth() / column)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def _crowd(points: npt.NDArray[Any], place: tuple[float, float], size: npt.NDArray[Any]) -> int:
    """The number of points `[N, 2]` in a box of that size at that place; (0, 0) is lower left."""
    corner = np.array(place) * (1 - size)
    return int(((points >= corner) & (points <= corner + size)).all(axis=1).sum())


def _along(points: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The points of a line `[N, 2]` and 200 in between: a line can cross a corner without a point in it."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 2:
        return points
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    steps = np.linspace(0, way[-1], 200)
    return np.concatenate([points, np.stack([np.interp(steps, way, points[:, axis]) for axis in (0, 1)], axis=1)])


def finish(figure: NotebookFigure, axes: Axes, title: str, xlabel: str, ylabel: str) -> Figure:
    """Sets title (in several lines if it is long) and labels, shows the figure in a notebook and returns it."""
    with rc_context(STYLE):
        if title:
            # 10.7 bold letters to an inch, without the margin left of the axes
            columns = max(16, int(10.7 * (figure.get_figwidth() - 0.8)))
            axes.set_title("\n".join(textwrap.wrap(title, columns)), loc="left")
        axes.set_xlabel(xlabel)
        axes.set_ylabel(ylabel)
        figure.show_now()
    return figure


def series_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the line with that number."""
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": DASHES[index % len(DASHES)], "linewidth": 1.8}


def as_array(values: Any) -> npt.NDArray[Any]:
    """Numbers, tensors, and lists of them as a float array."""
    if is_tensor(values):
        values = values.detach().cpu().to(torch.float64).numpy()
    elif isinstance(values, list | tuple):
        values = [as_number(value) if is_tensor(value) and value.ndim == 0 else value for value in values]
        values = [as_array(value) if isinstance(value, list | tuple) or is_tensor(value) else value for value in values]
    return np.asarray(values, dtype=float)
