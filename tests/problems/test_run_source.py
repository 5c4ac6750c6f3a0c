"""Running a notebook's source fails if a cell makes a deprecated call; all tests that run notebooks rely on this."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.problems.run_source import run_source

LIBRARY = """
import functools, logging, warnings

def renamed(function):
    @functools.wraps(function)
    def wrapped(**named):
        if "old" in named:
            warnings.warn("`old` is deprecated", FutureWarning, stacklevel=1)
        return function(**named)
    return wrapped

@renamed
def ask(**named):
    logging.getLogger("library").setLevel(logging.WARNING)
    logging.getLogger("library").propagate = False
    if "older" in named:
        logging.getLogger("library").warning("`older` is deprecated. Use `new` instead.")
    if "soon" in named:
        warnings.warn("`soon` will go", PendingDeprecationWarning)
    if "loud" in named:
        warnings.warn("this takes long", UserWarning)
    return 1
"""


def run_cell(tmp_path: Path, source: str, **options: Any) -> dict[str, Any]:
    """Runs a notebook of this one cell, beside a module `library`."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "toy.py").write_text(f"# %%\nfrom library import ask\n\n{source}\n", encoding="utf-8")
    (tmp_path / "library.py").write_text(LIBRARY, encoding="utf-8")
    env = {"RUN_SOURCE_ROOT": str(tmp_path), "PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path}"}
    return run_source("toy", "grade", tmp_path, ["got"], env=env, **options)


@pytest.mark.long
@pytest.mark.kernel
def test_a_deprecated_call_is_an_error_that_names_the_cell(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("import warnings\nwarnings.warn('`leaving` will go', DeprecationWarning)\n")
    with pytest.raises(AssertionError, match="toy in grade uses what is deprecated:") as error:
        run_cell(tmp_path, "got = ask(old=1)\nask(older=1)\nask(soon=1)\nimport leaving")
    lines = str(error.value).splitlines()[1:]
    for place, said in [
        (3, "FutureWarning at .*library.py:[0-9]+: `old` is deprecated"),
        (4, "logger library: `older` is deprecated. Use `new` instead."),
        (5, "PendingDeprecationWarning at .*library.py:[0-9]+: `soon` will go"),
        (6, "DeprecationWarning at .*leaving.py:2: `leaving` will go"),
    ]:
        assert re.fullmatch(f"<toy, code cell 0>:{place}: {said}", lines.pop(0))
    assert not lines


@pytest.mark.long
@pytest.mark.kernel
def test_other_warnings_are_shown_and_the_error_can_be_switched_off(tmp_path: Path) -> None:
    found = run_cell(tmp_path, "for _ in range(3):\n    got = ask(old=1, loud=1)", deprecated=True)
    assert found["got"] == 1
    assert "UserWarning: this takes long" in found["errors"] and "deprecated" not in found["errors"]
    assert len(found["deprecated"]) == 1
