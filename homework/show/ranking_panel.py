"""A panel in the notebook in which a person ranks summaries, best to worst, by clicking them.

    panel = RankingPanel(documents, samples, rankings_file(run))
    panel.show()
    ...                      # later, in another cell
    panel.rankings()         # a list of homework.models.rater.Ranked, as the simulated rater gives

Each ranking is saved as soon as it is complete: one line of JSON with `document` and `summaries`, best first. A panel
with the same file continues with the first document without a ranking.
"""

from __future__ import annotations

import html
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from homework.atomic import disk_is_full, whole_file
from homework.errors import DataError
from homework.models.rater import Ranked
from homework.notebook_names import notebook_shell
from homework.profiles import Run
from homework.train.checkpoints import checkpoints_folder

_STYLE: Final = """<style>
.ranking-panel .widget-html-content { line-height: 1.5; overflow-wrap: anywhere; }
.jupyter-button.ranking-summary {
    height: auto; padding: 4px 12px; line-height: 1.5; text-align: left; white-space: normal; overflow-wrap: anywhere;
}
.jupyter-button.ranking-summary:disabled { opacity: 1; box-shadow: inset 5px 0 #2196f3; }
</style>"""
"""Buttons of ipywidgets show one line and cut off the rest; no trait changes that. The theme sets the colours."""
_STORY: Final = "max-width: 60em; max-height: 20em; overflow-y: auto; white-space: pre-wrap"
"""A long story scrolls in its box, so that the summaries stay visible; its paragraphs are kept."""
_EMPTY: Final = "(an empty summary)"
"""Text of the button: without a text it keeps its earlier text, or has no height and cannot be clicked."""


def rankings_file(run: Run) -> Path:
    """The file for a person's rankings: `rlhf/<profile>/rankings.jsonl` beside the checkpoints.

    Args:
        run: what `homework.start` returned.
    """
    return checkpoints_folder() / run.problem / run.profile / "rankings.jsonl"


def load_rankings(path: Path) -> list[Ranked]:
    """The rankings of that file, oldest first; none if there is no file.

    Args:
        path: what `rankings_file` returned.

    Raises:
        DataError: a line is not a ranking; the file is unchanged.
    """
    if not path.is_file():
        return []
    found = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines would also split at U+2028 in a summary
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, f"it cannot be read ({error})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            document, summaries = entry["document"], entry["summaries"]
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(path, f"line {number} is not a ranking: {line[:80]!r}") from error
        right = isinstance(document, str) and isinstance(summaries, list) and len(summaries) > 1
        if not right or not all(isinstance(summary, str) for summary in summaries):
            raise _damaged(path, f"line {number} is not a ranking: {line[:80]!r}")
        found.append(Ranked(document, tuple(summaries)))
    return found


def save_rankings(path: Path, rankings: Sequence[Ranked]) -> None:
    """Writes all rankings atomically.

    Args:
        path: what `rankings_file` returned; its folder is created.
        rankings: oldest first.

    Raises:
        DataError: the file cannot be written; an earlier file is unchanged.
    """
    lines = [
        json.dumps({"document": each.document, "summaries": list(each.summaries)}, ensure_ascii=False)
        for each in rankings
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as handle:
            handle.write("".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        why = "the disk is full" if disk_is_full(error) else str(error.strerror or error)
        raise DataError(
            f"{path} cannot be saved: {why}. Fix that, or set HOMEWORK_CHECKPOINTS to a folder where you may write, "
            "then click the last summary again."
        ) from error


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        f"{path}: {why}. Nothing was changed. Fix or delete that line; or move the file away to start again."
    )


class RankingPanel:
    """Shows one document after the other with its shuffled summaries, and handles the clicks.

    Attributes:
        path: the file of the rankings.
        buttons: one for each summary of the shown document, in the order shown.
        undo: undoes the last click, or the last complete ranking. Rankings of other documents in the file are kept.
        widget: the whole panel.
    """

    def __init__(
        self,
        documents: Sequence[str],
        samples: Sequence[Sequence[str]],
        path: Path,
        *,
        seed: int = 0,
        pause: float = 0.5,
    ) -> None:
        """Reads the file and shows the first document without a ranking.

        Args:
            documents: the stories.
            samples: the summaries of each; at least two.
            path: the file for the rankings.
            seed: of the order in which summaries are shown.
            pause: seconds in which a new story ignores clicks: the second half of a double click, or clicks that
                waited for a busy kernel, belong to the story before.

        Raises:
            ValueError: documents and samples differ in number, or a document has fewer than two summaries.
            DataError: the file is damaged; it is unchanged.
        """
        if len(documents) != len(samples):
            raise ValueError(f"{len(documents)} documents but {len(samples)} groups of samples: give the same number.")
        if short := [number for number, group in enumerate(samples) if len(group) < 2]:
            raise ValueError(
                f"samples[{short[0]}] has {len(samples[short[0]])} summaries: a ranking needs two or more."
            )
        self.path = path
        self._rankings = load_rankings(path)
        source = random.Random(seed)
        self._shown = []
        for document, group in zip(documents, samples, strict=True):
            order = list(range(len(group)))
            source.shuffle(order)
            self._shown.append((document, [group[place] for place in order]))
        self._clicked: list[int] = []
        self._pause = pause
        self._open_at = time.monotonic()
        self._build()
        self._draw()

    def rankings(self) -> list[Ranked]:
        """All rankings, of this session and earlier ones."""
        return list(self._rankings)

    def show(self) -> None:
        """Displays the panel; outside a notebook, one line says what to do."""
        if notebook_shell() is None:
            print("The ranking panel needs a notebook: open this in JupyterLab or Colab, or set RANK_BY_HAND = False.")
            return
        from IPython.display import display

        print(
            "No buttons below, or nothing happens on a click? Then the kernel was restarted: run this cell again. "
            "Still none? This viewer shows no widgets: open the notebook in JupyterLab or Colab."
        )
        display(self.widget)

    def _build(self) -> None:
        import ipywidgets as widgets  # type: ignore[import-untyped,unused-ignore]

        summaries = max((len(group) for _, group in self._shown), default=0)
        self.title = widgets.HTML()
        self.story = widgets.HTML()
        self.buttons: list[Any] = []
        for place in range(summaries):
            button = widgets.Button(layout=widgets.Layout(width="auto", max_width="60em"))
            button.add_class("ranking-summary")
            button.on_click(lambda _, place=place: self._click(place))
            self.buttons.append(button)
        self.undo = widgets.Button(description="Undo", tooltip="undo the last click")
        self.undo.on_click(lambda _: self._undo())
        self.message = widgets.HTML()
        style = widgets.HTML(_STYLE, layout=widgets.Layout(display="none"))
        self.widget = widgets.VBox([style, self.title, self.story, *self.buttons, self.undo, self.message])
        self.widget.add_class("ranking-panel")

    @property
    def _now(self) -> int | None:
        """Index of the shown document; None if all are ranked."""
        done = {ranked.document for ranked in self._rankings}
        return next((n for n, (document, _) in enumerate(self._shown) if document not in done), None)

    @property
    def _last(self) -> int | None:
        """Index of the ranking that Undo removes: the latest of a document of this panel; None if there is none."""
        own = {document for document, _ in self._shown}
        return max((n for n, ranked in enumerate(self._rankings) if ranked.document in own), default=None)

    def _draw(self) -> None:
        now = self._now
        total = len(self._shown)
        ranked = total if now is None else sum(d in {r.document for r in self._rankings} for d, _ in self._shown)
        self.undo.disabled = not self._clicked and self._last is None
        self.message.value = ""
        if now is None:
            self.title.value = f"<b>All {total} stories are ranked.</b> They are in {html.escape(str(self.path))}"
            self.story.value = ""
            for button in self.buttons:
                button.layout.display = "none"
            return
        document, group = self._shown[now]
        self.title.value = (
            f"<b>{ranked} of {total} stories are ranked.</b> Click the best summary first, the worst last."
        )
        self.story.value = f"<div style='{_STORY}'>{html.escape(document)}</div>"
        for place, button in enumerate(self.buttons):
            button.layout.display = "" if place < len(group) else "none"
            if place < len(group):
                rank = self._clicked.index(place) + 1 if place in self._clicked else None
                text = group[place] if group[place].strip() else _EMPTY
                button.description = text if rank is None else f"{rank}. {text}"
                button.disabled = rank is not None

    def _click(self, place: int) -> None:
        now = self._now
        if now is None or place in self._clicked or time.monotonic() < self._open_at:
            return
        document, group = self._shown[now]
        if place >= len(group):
            return
        self._clicked.append(place)
        if len(self._clicked) == len(group):
            made = [*self._rankings, Ranked(document, tuple(group[each] for each in self._clicked))]
            try:
                save_rankings(self.path, made)
            except DataError as error:
                self._clicked.pop()
                self._draw()
                self.message.value = f"<b>Not saved.</b> {html.escape(str(error))}"
                return
            self._rankings, self._clicked = made, []
            self._open_at = time.monotonic() + self._pause
        self._draw()

    def _undo(self) -> None:
        if self._clicked:
            self._clicked.pop()
        elif (last := self._last) is not None:
            made = [*self._rankings[:last], *self._rankings[last + 1 :]]
            try:
                save_rankings(self.path, made)
            except DataError as error:
                self.message.value = f"<b>Not saved.</b> {html.escape(str(error))}"
                return
            self._rankings = made
        self._draw()
