"""Hostile notebooks: invented ones, and changed copies of real ones."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.attacks.files import NOTHING, SCRIPT
from tests.autograder.graded_folder import png
from tests.autograder.toy import released, solved
from tests.fuzz.attacker import LINE, Attacker, submitted
from tests.fuzz.trees import DEPTHS, JSON, TEXTS, changed, example, raw, scratched, written

GRADE_IDS = ["standardize", "test_standardize", "Line", "test_Line", "figure_loss", "written_units"]
PICTURES = [
    *(
        png(),
        png((3000, 1)),
        "",
        "AAAA",
        "=" * 100,
        "\ud800",
        base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 99).decode(),
    ),
    base64.b64encode(b"GIF89a\xff\xff\xff\xff\0\0\0,").decode(),
]

_SOURCES = TEXTS | st.lists(TEXTS, max_size=4) | st.sampled_from([NOTHING, SCRIPT, "%%bash\nls", "raise", "1/0"]) | JSON
_BUNDLE = st.dictionaries(
    st.sampled_from(["image/png", "image/svg+xml", "text/html", "text/plain", "application/javascript", "image/gif"])
    | TEXTS,
    st.sampled_from([*PICTURES, [png()], SCRIPT]) | JSON,
    max_size=3,
)
_OUTPUT = st.fixed_dictionaries(
    {"output_type": st.sampled_from(["display_data", "execute_result", "stream", "error"]) | JSON},
    optional={"data": _BUNDLE | JSON, "metadata": JSON, "text": JSON, "name": JSON, "traceback": JSON, "ename": JSON},
)
_NBGRADER = st.fixed_dictionaries(
    {"grade_id": st.sampled_from(GRADE_IDS) | JSON},
    optional=dict.fromkeys(("grade", "solution", "locked", "task"), st.booleans() | JSON)
    | {"points": JSON, "schema_version": st.integers(0, 5) | JSON, "cell_type": JSON, "checksum": JSON},
)
_CELL = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "code", "markdown", "raw"]) | TEXTS,
        "source": _SOURCES,
        "metadata": st.fixed_dictionaries({"nbgrader": _NBGRADER | JSON}, optional={"tags": JSON}),
    },
    optional={
        "id": TEXTS | JSON,
        "outputs": st.lists(_OUTPUT, max_size=3) | JSON,
        "attachments": st.dictionaries(TEXTS, _BUNDLE | JSON, max_size=2) | JSON,
        "execution_count": JSON,
    },
)
NOTEBOOKS = st.fixed_dictionaries(
    {
        "cells": st.lists(_CELL, min_size=3, max_size=12) | st.lists(_CELL | JSON, max_size=12),
        "nbformat": st.sampled_from([4] * 9 + [3, 4.0, "4", 10**400]),
        "nbformat_minor": st.integers(0, 9) | JSON,
        "metadata": JSON,
    }
)
"""Documents with the shape of a notebook and anything in it."""


def _invented(draw: Random) -> tuple[str, bytes, float]:
    return "invented", written(example(NOTEBOOKS, draw)), 0.0


def _changed(draw: Random) -> tuple[str, bytes, float]:
    times = draw.choice([1, 2, 5, 20])
    return f"tree changed {times} times", written(changed(_real(draw), draw, times)), LINE


def _scratched(draw: Random) -> tuple[str, bytes, float]:
    times = draw.choice([1, 1, 3, 10])
    return f"bytes changed {times} times", scratched(written(_real(draw)), draw, times), LINE


def _big(draw: Random) -> tuple[str, bytes, float]:
    """Too much of one thing."""
    notebook = _real(draw)
    cell: dict[str, Any] = draw.choice(notebook["cells"])
    code: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": "1",
        "id": "x",
    }
    what = draw.choice(["cells", "lines", "outputs", "picture", "attachments", "metadata", "ids", "depth"])
    if what == "cells":
        notebook["cells"][3:3] = [dict(code, id=f"x{n}") for n in range(draw.choice([900, 5001]))]
    elif what == "lines":
        cell["source"] = ["x = 1\n"] * draw.choice([10_000, 170_000])
    elif what == "outputs":
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x\n" * 10}] * 20_000
    elif what == "picture":
        for one in notebook["cells"]:
            one["outputs"] = [
                {"output_type": "display_data", "data": {"image/png": draw.choice(PICTURES)}, "metadata": {}}
            ] * 20
    elif what == "attachments":
        cell["attachments"] = {f"{n}.png": {"image/png": draw.choice(PICTURES)} for n in range(500)}
    elif what == "ids":
        for one in notebook["cells"]:
            one["id"] = cell.get("id", "x")
            one["metadata"] = cell["metadata"]
    elif what == "depth":
        levels = draw.choice(DEPTHS)
        cell[draw.choice(["source", "metadata", "outputs"])] = raw("[" * levels + "]" * levels)
    else:
        cell["metadata"] = {"k" * 1000 + str(n): "v" * 100 for n in range(3000)}
    return f"too many or too deep: {what}", written(notebook), LINE


def _real(draw: Random) -> Any:
    """A real notebook as plain JSON, with pictures at the figure."""
    notebook = json.loads(json.dumps(draw.choice([released(), solved(standardize=NOTHING)])))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "figure_loss":
            cell["outputs"] = [{"output_type": "display_data", "data": {"image/png": png()}, "metadata": {}}]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "written_units":
            cell["source"] = "Units. ![x](attachment:a.png) $\\sigma$"
            cell["attachments"] = {"a.png": {"image/png": png()}}
    return notebook


_WAYS: list[Callable[[Random], tuple[str, bytes, float]]] = [_invented, _changed, _changed, _scratched, _big]


def attacker(draw: Random, _name: str) -> Attacker:
    """An attacker by the notebook file."""
    how, data, line = draw.choice(_WAYS)(draw)
    return submitted(f"notebook, {how}", data, line=line)
