"""The benchmark of the class report, in its smallest size: everybody is on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import report_speed

TOY = Path(__file__).parents[1] / "autograder" / "fixture_course"


@pytest.mark.kernel
def test_it_makes_a_class_and_its_report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(TOY))
    assert report_speed.main(["--problem", "toy", "--students", "30"]) == 0
    out = capsys.readouterr().out
    found = re.search(r"toy: 30 submissions in .* a page of ([\d.]+) MiB", out)
    assert found and 0.5 < float(found[1]) < 20, "each has a picture of 150 kB"
