"""The benchmark of the second look: on a small made-up set, and on the real one where it is."""

from __future__ import annotations

import csv
import os
import random
from pathlib import Path

import pytest

from benchmarks import second_look

Said = pytest.CaptureFixture[str]
REAL = Path(os.environ.get("HOMEWORK_DATA", "")) / "written_answers"


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerows([header, *rows])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two questions; one grader slips at every tenth answer."""
    draw = random.Random(0)
    rows = []
    for question in ("1.1", "2.1"):
        for number in range(40):
            is_right = draw.random() < 0.5
            words = 'a "stack" keeps the last element first' if is_right else "nothing that I remember"
            other = 5.0 if is_right else 0.0
            mine = 5.0 - other if number % 10 == 0 else other
            rows.append([question, f"{words} {draw.choice(['indeed', 'surely', ''])}", str(mine), str(other), ""])
    _write(tmp_path / "mohler_answers.csv", ["id", "answer", "score_me", "score_other", "score_avg"], rows)
    _write(tmp_path / "nn_exam_answers.csv", ["id", "answer", "score"], [[row[0], row[1], row[2]] for row in rows])
    return tmp_path


def test_slips_come_first_and_groups_save_decisions(data: Path, capsys: Said) -> None:
    assert second_look.main(["--data", str(data), "--answers", "30"]) == 0
    said = capsys.readouterr().out
    assert "80 answers to 2 questions; the graders differ by 2 or more on 10.0%" in said
    rows = [line.split()[-3:] for line in said.splitlines() if "similar answers" in line]
    assert rows[0] == ["100.0%", "100.0%", "50.0%"], "all 8 slips are the first 8 of 80"
    assert "nn_exam, equal: 80 answers need 12 decisions, 68 fewer" in said
    assert "30 answers of about 100 words" in said and "s of processor time" in said


def test_missing_data_are_an_error_that_names_the_file(tmp_path: Path, capsys: Said) -> None:
    assert second_look.main(["--data", str(tmp_path)]) == 1
    assert str(tmp_path / "mohler_answers.csv") in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.skipif(not REAL.is_dir(), reason="HOMEWORK_DATA names no folder with written_answers")
def test_on_real_answers_three_of_four_at_the_top_are_disputed(capsys: Said) -> None:
    mohler = second_look.read_questions(REAL / "mohler_answers.csv", second_look.GRADERS)
    assert second_look.print_second_look(mohler) >= 0.74
    second_look.print_groups("mohler", mohler, second_look.GRADERS)
    assert "2442 answers to 87 questions" in capsys.readouterr().out
    times = second_look.processor_time(mohler)
    assert sum(times.values()) < 10, "about 2.5 s of processor time, less than 5 on a calm machine"
