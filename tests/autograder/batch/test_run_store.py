"""The store of earlier runs: equal files once, limited in size, never a run that is not whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autograder.batch.run_store import FOLDER, Run, RunStore, Why
from autograder.core.errors import SetupError


def save(store: RunStore, place: Path, problem: str = "toy", **texts: bytes) -> Run:
    """Keeps a run in which each student has a log of this content."""
    files = {}
    for student, content in texts.items():
        path = place / f"{student}.json"
        path.write_bytes(content)
        files[student] = {"submission_log.json": path}
    return store.save(problem, Why.GRADED_AGAIN, files, listed=sorted(texts), gradebook=None)


def objects(out: Path) -> list[Path]:
    """The files with contents."""
    return [path for path in (out / FOLDER / "objects").rglob("*") if path.is_file()]


def test_equal_files_are_stored_once_and_equal_runs_too(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = save(store, tmp_path, ada=b"one", bela=b"one")
    assert len(objects(tmp_path)) == 1
    second = save(store, tmp_path, ada=b"one", bela=b"two")
    assert (first.id, second.id) == ("toy-1", "toy-2") and len(objects(tmp_path)) == 2
    assert save(store, tmp_path, ada=b"one", bela=b"two").id == "toy-2"
    assert [run.id for run in store.runs()] == ["toy-1", "toy-2"]
    assert store.content(second.files["bela"]["submission_log.json"]) == b"two"
    store.remove(second)
    assert [run.id for run in store.runs()] == ["toy-1"] and len(objects(tmp_path)) == 1


def test_the_oldest_runs_are_dropped_but_never_the_latest_of_a_problem(tmp_path: Path) -> None:
    noise = [bytes(range(place, place + 100)) * 3 for place in range(5)]
    store = RunStore(tmp_path, most_bytes=300)
    save(store, tmp_path, "other", ada=b"x" + noise[4])
    for content in noise[:4]:
        save(store, tmp_path, ada=content)
    assert [run.id for run in store.runs()] == ["other-1", "toy-4"]
    assert len(objects(tmp_path)) == 2
    assert save(store, tmp_path, ada=noise[0]).id == "toy-5", "numbers are not used again"
    tiny = RunStore(tmp_path, most_bytes=1)
    save(tiny, tmp_path, ada=noise[1])
    assert [run.id for run in tiny.runs()] == ["other-1", "toy-6"]


def test_damage_is_an_error_and_damaged_manifests_are_left_out(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = save(store, tmp_path, ada=b"one")
    (tmp_path / FOLDER / "toy-7.json").write_text("{")
    (tmp_path / FOLDER / "toy-8.json").write_text('{"id": "toy-8"}')
    (tmp_path / FOLDER / "toy-9.json").write_bytes((tmp_path / FOLDER / "toy-1.json").read_bytes())
    assert store.runs() == [run]
    with pytest.raises(SetupError, match=r"no run 'toy-8'; its runs: toy-1"):
        store.run("toy-8")
    objects(tmp_path)[0].write_bytes(b"damaged")
    with pytest.raises(SetupError, match="cannot be used any more"):
        store.content(run.files["ada"]["submission_log.json"])


def test_git_ignores_the_store(tmp_path: Path) -> None:
    save(RunStore(tmp_path), tmp_path / "..", ada=b"one")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    said = subprocess.check_output(["git", "status", "--short", "--untracked-files=all"], cwd=tmp_path, text=True)
    assert FOLDER not in said
