"""The seed of hidden inputs: drawn once per course, kept, and only its fingerprint is in logs."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from autograder.core.errors import SetupError
from autograder.course.seed import SEED_VARIABLE, fingerprint, grading_seed, new_seed, seeds_file
from homework.checks import fresh, inputs_from


@pytest.fixture(autouse=True)
def _no_given_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SEED_VARIABLE)


def test_a_course_draws_its_seed_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:  # all at the same moment
        drawn = set(pool.map(grading_seed, [tmp_path] * 32))
    assert len(drawn) == 1
    assert grading_seed(tmp_path) in drawn
    assert grading_seed(tmp_path / "another") not in drawn
    assert stat.S_IMODE(seeds_file(tmp_path).stat().st_mode) == 0o600
    assert [path.name for path in seeds_file(tmp_path).parent.iterdir()] == ["seeds.txt"]


def test_a_new_seed_is_used_and_the_old_one_is_kept(tmp_path: Path) -> None:
    first = grading_seed(tmp_path)
    second = new_seed(tmp_path)
    assert grading_seed(tmp_path) == second != first
    lines = [line.split() for line in seeds_file(tmp_path).read_text().splitlines()]
    assert lines == [[fingerprint(first), first], [fingerprint(second), second]]


def test_a_given_seed_is_used_and_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "of today")
    assert grading_seed(tmp_path) == "of today"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "\n", "half a line\n", "0123456789ab feed\n", "one two three\n"])
def test_a_damaged_file_is_an_error(tmp_path: Path, text: str) -> None:
    path = seeds_file(tmp_path)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(SetupError, match="last line of .*seeds.txt"):
        grading_seed(tmp_path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "course").write_text("a file where the folder should be")
    with pytest.raises(SetupError, match="AUTOGRADER_SEED"):
        grading_seed(tmp_path)
    with pytest.raises(SetupError, match="cannot be written"):
        new_seed(tmp_path)


def test_inputs_depend_on_number_and_seed() -> None:
    def numbers(number: int) -> list[float]:
        return torch.randn(4, generator=fresh(number)).tolist()

    in_the_notebook = numbers(1)
    assert in_the_notebook == numbers(1) == torch.randn(4, generator=torch.Generator().manual_seed(1)).tolist()
    with inputs_from("a"):
        first, other = numbers(1), numbers(2)
        with inputs_from("b"):
            elsewhere = numbers(1)
        assert first == numbers(1)
    assert len({tuple(drawn) for drawn in (in_the_notebook, first, other, elsewhere)}) == 4
    assert numbers(1) == in_the_notebook


def test_a_fingerprint_does_not_show_the_seed() -> None:
    assert len(fingerprint("secret")) == 12
    assert fingerprint("secret") != fingerprint("secreu")
    assert "secret" not in fingerprint("secret")
