"""Writes the tables of `docs/test_reference.md` from docstrings: `make docs`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.core.files import write_atomically
from autograder.course.config import root_folder
from homework.arguments import modules_may_change, watched
from homework.checks import close, fresh, fresh_numpy, has_shape, part
from homework.hand_in.log import SubmissionLog
from homework.hand_in.personal import Draws
from homework.show import matrices, plots, surfaces
from homework.train.training import Loop

PAGE = Path("docs/test_reference.md")
_TABLE = re.compile(r"(<!-- docstrings: (?P<group>\S+) -->\n).*?(<!-- end of docstrings -->\n)", re.DOTALL)
_GROUPS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "checks": {
        "close": close,
        "has_shape": has_shape,
        "part": part,
        "fresh": fresh,
        "fresh_numpy": fresh_numpy,
    },
    "arguments": {"watched": watched, "modules_may_change": modules_may_change},
    "draws": {
        "normal": Draws.normal,
        "uniform": Draws.uniform,
        "integers": Draws.integers,
        "binary": Draws.binary,
    },
    "notebook": {
        "training.Loop": Loop,
        "loop.record": Loop.record,
        **{f"plots.{name}": getattr(plots, name) for name in plots.__all__ if name.islower()},
        "matrices.side_by_side": matrices.side_by_side,
        "surfaces.surface": surfaces.surface,
        "log.bands": SubmissionLog.bands,
        "log.answers": SubmissionLog.answers,
        "log.metric": SubmissionLog.metric,
        "log.measurements": SubmissionLog.measurements,
        "log.process": SubmissionLog.process,
        "log.write": SubmissionLog.write,
    },
}
"""Group → name on the page → what it names."""


def page(root: Path) -> str:
    """The page with its tables as the docstrings have them."""

    def table(found: re.Match[str]) -> str:
        rows = "".join(_row(name, what) for name, what in _GROUPS[found["group"]].items())
        return f"{found[1]}| call | does |\n|---|---|\n{rows}{found[3]}"

    return _TABLE.sub(table, (root / PAGE).read_text(encoding="utf-8"))


def _row(name: str, what: Callable[..., Any]) -> str:
    """Name, parameters without their types, and the docstring's first paragraph."""
    parameters = inspect.signature(what).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters if one.name != "self"]
    call = f"{name}{inspect.Signature(bare)}".replace("'", '"')
    text = inspect.cleandoc(what.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    return f"| `{call}` | {text} |\n"


if __name__ == "__main__":
    write_atomically(root_folder() / PAGE, page(root_folder()))
