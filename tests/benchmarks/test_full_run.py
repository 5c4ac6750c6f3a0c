"""The command that runs a problem at full size, on the smallest problem in its smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import full_run


@pytest.mark.kernel
def test_it_says_what_the_run_measured(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        full_run.main(["comparing_distributions", "--profile", "grade", "--seed", "3", "--folder", str(tmp_path)]) == 0
    )
    said = capfd.readouterr().out
    assert "profile grade · cpu · seed 3" in said
    assert "comparing_distributions, profile grade, seed 3" in said and "s for all cells on cpu" in said
    assert list((tmp_path / "seed-3" / "comparing_distributions-grade" / "figures").glob("*.png"))


def test_an_unknown_problem_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert full_run.main(["vea", "--folder", str(tmp_path)]) == 1
    assert "vea" in capsys.readouterr().err
