"""Runs a problem's source: all of it from top to bottom, or its test cells against variants.

`run_source` executes the code cells of `solutions/<problem>.py` in the `__main__` of a fresh Python process and returns
chosen variables and the log. `verdicts` runs only the test cells, in this process, against the reference solution, in
which items may be replaced.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import io
import json
import linecache
import os
import re
import subprocess
import sys
import time
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jupytext

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR_TESTS = frozenset({"install", "train", "experiment", "log", "answers"})
"""Cells that test cells must not need."""
_START = "import sys; sys.path.insert(0, sys.argv[1]); import run_source; run_source._run_all(sys.argv[2])"
"""The program whose `__main__` runs the cells, as a kernel does."""


def run_source(
    problem: str,
    profile: str,
    tmp_path: Path,
    dump: Sequence[str] | Mapping[str, str] = (),
    env: Mapping[str, str] | None = None,
    *,
    figures: Path | None = None,
    seed: int | None = None,
    timeout: float = 900.0,
    show: bool = False,
    deprecated: bool = False,
) -> dict[str, Any]:
    """Executes all code cells in a fresh process, in an empty folder below `tmp_path`.

    Args:
        problem: problem id.
        profile: `full`, `mini` or `grade`.
        tmp_path: where working folder and checkpoints may be.
        dump: names of variables to give back, or expressions of them such as `sum(history)`; their values are brought
            to plain JSON. A mapping gives them other names: name → expression.
        env: further environment variables.
        figures: a folder for the figures that cells end in, as PNG files; none are kept if not given.
        seed: for `homework.start`; the notebook's own if not given.
        timeout: limit in seconds of wall time.
        show: let the cells print where this process prints, instead of keeping what they print.
        deprecated: allow cells to use what Python or a library calls deprecated.

    Returns:
        The dumped values by name, and under `log` the submission log, under `seconds` and `cpu_seconds` the wall time
        and the CPU time of the cells (without torch's import), under `output` what was printed, under `errors` what
        was written to standard error, and under `deprecated` which cells used what that is deprecated.

    Raises:
        AssertionError: a cell raised; with the end of its output and traceback. Or cells used what is deprecated.
    """
    work = tmp_path / f"{problem}-{profile}"
    work.mkdir(parents=True, exist_ok=True)
    wanted = dict(dump) if isinstance(dump, Mapping) else {name: name for name in dump}
    request = {"problem": problem, "dump": wanted, "result": str(work / "dump.json"), "seed": seed}
    request["figures"] = str(figures or "")
    settings = {
        **os.environ,
        "HOMEWORK_PROFILE": profile,
        "HOMEWORK_STUDENT": "ada",
        "HOMEWORK_CHECKPOINTS": str(work / "checkpoints"),
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        **(env or {}),
    }
    command = [sys.executable, "-c", _START, str(Path(__file__).parent), json.dumps(request)]
    done = subprocess.run(command, cwd=work, env=settings, capture_output=not show, text=True, timeout=timeout)
    if done.returncode != 0:
        said = "" if show else f"\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        raise AssertionError(f"{problem} in {profile} ended with {done.returncode}:{said}")
    result: dict[str, Any] = json.loads((work / "dump.json").read_text(encoding="utf-8"))
    if result["deprecated"] and not deprecated:
        raise AssertionError("\n".join([f"{problem} in {profile} uses what is deprecated:", *result["deprecated"]]))
    log = work / "submission_log.json"
    result["log"] = json.loads(log.read_text(encoding="utf-8")) if log.exists() else None
    result["output"], result["errors"] = done.stdout, done.stderr
    return result


def changed_source(problem: str, folder: Path, changes: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Copies a problem's source into the folder and replaces texts; returns the `env` that `run_source` needs."""
    source = (ROOT / "solutions" / f"{problem}.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    (folder / "solutions").mkdir(parents=True)
    (folder / "solutions" / f"{problem}.py").write_text(source, encoding="utf-8")
    return {"RUN_SOURCE_ROOT": str(folder)}


def code_cells(problem: str) -> list[Any]:
    """The code cells of a problem's source, in order; of a changed copy below `$RUN_SOURCE_ROOT`, if that is set."""
    root = Path(os.environ.get("RUN_SOURCE_ROOT", "") or ROOT)
    return _code_cells((root / "solutions" / f"{problem}.py").read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=16)
def _code_cells(source: str) -> list[Any]:
    return [cell for cell in jupytext.reads(source, fmt="py:percent").cells if cell.cell_type == "code"]


def cells_up_to(problem: str, name: str, skip: frozenset[str] = frozenset({"install", "train"})) -> dict[str, Any]:
    """What a notebook's cells define up to the given function, run in this process; nothing is trained or tested.

    Cells with a tag in `skip` are left out.
    """
    names: dict[str, Any] = {}
    for number, cell in enumerate(code_cells(problem)):
        graded = cell.metadata.get("nbgrader", {})
        if skip & set(cell.metadata.get("tags", ())) or graded.get("grade"):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            _run_cell(cell.source, f"<{problem}, code cell {number}>", names)
        if name in names:
            return names
    raise KeyError(f"no cell of {problem} defines {name}")


def verdicts(
    problem: str,
    replaced: Mapping[str, str] | None = None,
    items: Sequence[str] | None = None,
    *,
    seed: int | None = None,
) -> dict[str, str]:
    """Runs the test cells on the reference solution, with the sources of some items replaced.

    As when a submission is graded, a test cell sees the given names, but the graded ones only behind `student` and
    `reference`; the global generators are seeded before each.

    Args:
        problem: problem id.
        replaced: item id → source of its solution cell.
        items: whose tests to run; all if not given.
        seed: of the inputs and the global generators; as in a student's notebook if not given.

    Returns:
        Item id → empty if its test passed, else what it raised.
    """
    from homework import seed_everything
    from homework.checks import inputs_from
    from homework.notebook_names import NotebookNames

    cells = code_cells(problem)
    sides = {
        "student": _namespace("student", cells, dict(replaced or {})),
        "reference": _unchanged("reference", problem),
    }
    found = {}
    for cell in cells:
        graded = cell.metadata.get("nbgrader", {})
        if not graded.get("grade") or graded.get("solution"):
            continue
        item = str(graded["grade_id"]).removeprefix("test_")
        if items is not None and item not in items:
            continue
        names = _given_for(problem, cell.source)
        names.update({side: NotebookNames(side, watch=side == "student", names=sides[side]) for side in sides})
        seed_everything(seed or 0)
        drawn = contextlib.nullcontext() if seed is None else inputs_from(str(seed))
        with contextlib.redirect_stdout(io.StringIO()), drawn:
            try:
                _run_cell(cell.source, f"<test of {item}>", names)
                found[item] = ""
            except Exception as error:
                found[item] = f"{type(error).__name__}: {error}"
    return found


def _given_for(problem: str, test: str) -> dict[str, Any]:
    """The given names for one test cell: of the data that it names a copy, since a wrong answer may change them."""
    import numpy as np
    import torch

    named = set(re.findall(r"\w+", test))
    data = (torch.Tensor, np.ndarray, list, dict)
    given = _unchanged("examiner", problem)
    return {**given, **{name: copy.deepcopy(given[name]) for name in named & {*given} if isinstance(given[name], data)}}


@functools.cache
def _unchanged(name: str, problem: str) -> dict[str, Any]:
    return _namespace(name, code_cells(problem), {} if name == "reference" else None)


def _namespace(name: str, cells: Sequence[Any], replaced: Mapping[str, str] | None) -> dict[str, Any]:
    """What the given cells define, and with `replaced` not None the solution cells, too."""
    module = types.ModuleType(f"{name}_side")
    with contextlib.redirect_stdout(io.StringIO()):
        for number, cell in enumerate(cells):
            graded = cell.metadata.get("nbgrader", {})
            if NOT_FOR_TESTS & set(cell.metadata.get("tags", ())) or graded.get("grade"):
                continue
            if graded.get("solution") and replaced is None:
                continue
            source = (replaced or {}).get(graded.get("grade_id", ""), cell.source)
            _run_cell(source, f"<{name}, code cell {number}>", vars(module))
    return vars(module)


def _run_all(text: str) -> None:
    """Executes every code cell in `__main__` and writes the wanted values."""
    import torch  # noqa: F401  (the first import takes long and is not what is measured)

    import homework
    from homework.hand_in.personal import plain_json
    from tests.problems.deprecations import deprecations

    request = json.loads(text)
    if request["seed"] is not None:
        homework.start = functools.partial(homework.start, seed=request["seed"])
    names = vars(sys.modules["__main__"])
    begin, cpu = time.monotonic(), time.process_time()
    with deprecations() as found:
        for number, cell in enumerate(code_cells(request["problem"])):
            value = _run_cell(cell.source, f"<{request['problem']}, code cell {number}>", names)
            if request["figures"] and hasattr(value, "savefig"):
                Path(request["figures"]).mkdir(parents=True, exist_ok=True)
                value.savefig(Path(request["figures"]) / f"{number:02d}.png", dpi=80)
    spent = {"seconds": time.monotonic() - begin, "cpu_seconds": time.process_time() - cpu}
    result = {name: plain_json(eval(wanted, names)) for name, wanted in request["dump"].items()}
    text = json.dumps({**result, **spent, "deprecated": found})
    Path(request["result"]).write_text(text, encoding="utf-8")


def _run_cell(source: str, name: str, names: dict[str, Any]) -> Any:
    """Executes a cell, as a kernel does; returns the value of its last expression, or None."""
    linecache.cache[name] = (len(source), None, [f"{line}\n" for line in source.splitlines()], name)
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    value = last.value if isinstance(last, ast.Expr) else None
    exec(compile(ast.Module(tree.body[:-1] if value else tree.body, []), name, "exec"), names)
    return value and eval(compile(ast.Expression(value), name, "eval"), names)
