"""The other benchmarks, each in its smallest size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import decoding, full_run, report_speed, training_steps, verify_speed

TOY = Path(__file__).parents[1] / "autograder" / "fixture_course"
Said = pytest.CaptureFixture[str]


@pytest.mark.kernel
def test_the_decoding_benchmark_shows_that_the_cache_is_faster(capsys: Said) -> None:
    arguments = ["--batch", "8", "--document", "12", "--lengths", "8", "96", "--repeats", "2"]
    assert decoding.main(arguments) == 0
    said = capsys.readouterr().out
    rows = [line.replace(",", "").split() for line in said.splitlines() if line.strip()[:2] in ("8 ", "96")]
    assert [row[0] for row in rows] == ["8", "96"]
    assert all(float(number) > 0 for row in rows for number in row)
    assert float(rows[1][-2]) > 1.5 and float(rows[1][-1]) > 1.2


@pytest.mark.kernel
def test_a_full_run_prints_its_measurements(tmp_path: Path, capfd: Said) -> None:
    arguments = ["comparing_distributions", "--profile", "grade", "--seed", "3", "--folder", str(tmp_path)]
    assert full_run.main(arguments) == 0
    said = capfd.readouterr().out
    assert "profile grade · cpu · seed 3" in said
    assert "comparing_distributions, profile grade, seed 3" in said and "s for all cells on cpu" in said
    assert list((tmp_path / "seed-3" / "comparing_distributions-grade" / "figures").glob("*.png"))


def test_a_full_run_of_an_unknown_problem_is_an_error(tmp_path: Path, capsys: Said) -> None:
    assert full_run.main(["vea", "--folder", str(tmp_path)]) == 1
    assert "vea" in capsys.readouterr().err


@pytest.mark.kernel
def test_the_report_benchmark_measures_a_page_with_all_pictures(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(TOY))
    assert report_speed.main(["--problem", "toy", "--students", "30"]) == 0
    found = re.search(r"toy: 30 submissions in .* a page of ([\d.]+) MiB", capsys.readouterr().out)
    assert found and 0.5 < float(found[1]) < 20, "each has a picture of 150 kB"


@pytest.mark.kernel
def test_the_training_benchmark_trains_both_networks(capsys: Said) -> None:
    assert training_steps.main(["--size", "tiny", "--steps", "5", "--batch", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["t5", "encoder"]
    for line in lines[1:]:
        found = re.search(r"([\d,]+) tokens per second, last loss ([\d.]+)", line)
        assert found and int(found[1].replace(",", "")) > 0 and 0 < float(found[2]) < 20


def test_the_verify_benchmark_finds_every_kind_of_student(capsys: Said) -> None:
    assert verify_speed.main(["--students", "20"]) == 0
    out = capsys.readouterr().out
    assert "4 copyist, copyist according to verify" in out and "mistaken, mistaken according to verify" in out
    found = re.search(r"vae: 20 logs in .*: ([\d,]+) logs per second", out)
    assert found and int(found[1].replace(",", "")) > 0
