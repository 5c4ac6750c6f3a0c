"""An interrupted and resumed run equals an uninterrupted one; a checkpoint of another run is not used."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from homework import atomic
from homework.profiles import Run
from homework.seeds import seed_everything
from homework.train import checkpoints, training
from tests.homework.conftest import Patch, Printed, a_run, disk_full, same_weights

STEPS = 12
FILE = Path("checkpoints", "vae-toy-mini-seed0.pt")


def squared(x: torch.Tensor) -> torch.Tensor:
    return (x**2).mean()


def cubed(x: torch.Tensor) -> torch.Tensor:
    return (x.abs() ** 3).mean()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(training, "REST_AFTER_SAVING", 0.0)


def train(
    *,
    stop_in: int | None = None,
    steps: int = STEPS,
    code: Callable[..., Any] = squared,
    width: int = 4,
    lr: float = 0.1,
    run: Run | None = None,
    restart: bool = False,
) -> tuple[training.Loop, torch.nn.Module, list[int]]:
    """A small training run that draws from all generators; `stop_in`: the step in which it is interrupted."""
    run = run or a_run()
    seed_everything(run.seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.Dropout(0.5), torch.nn.Linear(width, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5, 0.5)
    own = torch.Generator().manual_seed(5)
    average = torch.zeros(3)
    modules = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "own": own, "average": average}
    loop = training.Loop(run, "toy", steps=steps, modules=modules, code=[code, {"width": width}], restart=restart)
    done: list[int] = []
    with contextlib.suppress(KeyboardInterrupt):
        for step in loop:
            x = torch.randn(8, 3) + torch.randn(3, generator=own) + float(np.random.randn())
            loss = code(model(x))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            average.mul_(0.9).add_(0.1 * x.mean(0))
            loop.record(loss=loss, average=float(average.sum()))
            if step % 4 == 0:
                loop.record(seldom=step)
            done.append(step)
            if step == stop_in:
                raise KeyboardInterrupt
    return loop, model, done


@pytest.mark.parametrize("stops", [[0], [1], [7], [3, 9], [11]])
def test_a_resumed_run_gives_the_same_numbers_bit_for_bit(monkeypatch: Patch, stops: list[int]) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", "a")
    whole, model, done = train()
    after = (float(torch.rand(())), float(np.random.rand()))
    assert done == list(range(STEPS))
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", "b")
    begun = 0
    for stop in stops:
        _, _, part = train(stop_in=stop)
        assert part == list(range(begun, stop + 1))
        begun = stop  # the interrupted step is done again
    resumed, other, rest = train()
    assert rest == list(range(begun, STEPS))
    assert same_weights(model, other)
    assert (resumed.history, resumed.recorded_at) == (whole.history, whole.recorded_at)
    assert whole.recorded_at["seldom"] == [0, 4, 8]
    assert (float(torch.rand(())), float(np.random.rand())) == after


def test_a_finished_run_is_restored_unless_it_is_restarted(capsys: Printed) -> None:
    first, model, _ = train()
    capsys.readouterr()
    again, other, done = train()
    assert done == [] and same_weights(model, other) and again.history == first.history
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"toy: all 12 steps are complete; restored from {FILE}")
    assert train(restart=True)[2] == list(range(STEPS)), "with restart=True it trains again"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": cubed}, "the code of squared; "),
        ({"steps": STEPS + 1}, "the number of steps"),
        ({"lr": 0.2}, "size or settings of 'optimizer'"),
        ({"width": 5}, "size or settings of 'model'"),
    ],
)
def test_a_changed_run_starts_anew_and_says_why(
    capsys: Printed, monkeypatch: Patch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(checkpoints, "behaviour_hash", lambda thing: thing.__name__)
    train(stop_in=5)
    capsys.readouterr()
    assert train(**change)[2] == list(range(change.get("steps", STEPS)))
    out = capsys.readouterr().out
    assert "is not used, because this changed: " in out
    assert said.removesuffix("; ") in out or "the code of cubed" in out


def test_a_changed_source_of_the_same_function_starts_anew() -> None:
    def version(exponent: int) -> Any:
        names: dict[str, Any] = {}
        exec(f"def loss(x):\n    return (x ** {exponent}).mean()\n", names)
        return names["loss"]

    train(code=version(2), stop_in=5)
    assert train(code=version(2), stop_in=6)[2] == [5, 6]
    assert train(code=version(4))[2] == list(range(STEPS))


def test_each_seed_and_each_profile_has_its_own_file() -> None:
    for run in (a_run(seed=1), a_run(seed=2), a_run(profile="full")):
        train(run=run)
    names = sorted(path.name for path in FILE.parent.iterdir())
    assert names == ["vae-toy-full-seed0.pt", "vae-toy-mini-seed1.pt", "vae-toy-mini-seed2.pt"]


def test_grading_writes_nothing_and_shows_no_progress_bar(tmp_path: Path, capsys: Printed) -> None:
    train(run=a_run(profile="grade"))
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_the_progress_bar_is_on_stdout(capsys: Printed) -> None:
    train()
    out, err = capsys.readouterr()
    assert "toy: 100%" in out and "loss=" in out and err == ""


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_file_is_reported_and_ignored(capsys: Printed, damage: bytes | None) -> None:
    train(stop_in=5)
    FILE.write_bytes(FILE.read_bytes()[:-200] if damage is None else damage)
    capsys.readouterr()
    assert train()[2] == list(range(STEPS))
    assert f"the checkpoint {FILE.absolute()} is damaged and is ignored" in capsys.readouterr().out
    assert train()[2] == []


def test_a_checkpoint_cannot_run_code(capsys: Printed) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, ("owned",)

    FILE.parent.mkdir()
    torch.save({"format": 1, "step": Evil()}, FILE)
    train()
    assert "is damaged and is ignored" in capsys.readouterr().out
    assert not Path("owned").exists()


class FileOnFullDisk(io.FileIO):
    """A file whose disk is full after ten bytes."""

    def write(self, data: Any) -> int:
        super().write(bytes(data)[:10])
        disk_full()
        return 0


def test_a_full_disk_leaves_the_old_checkpoint_and_training_continues(monkeypatch: Patch, capsys: Printed) -> None:
    train(stop_in=5)
    before = {path.name: path.read_bytes() for path in FILE.parent.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "open", FileOnFullDisk, raising=False)
        assert train()[2] == list(range(5, STEPS))
    assert "cannot be saved (the disk is full); an older one" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in FILE.parent.iterdir()} == before
    assert train()[2] == list(range(5, STEPS))


def test_training_continues_without_a_folder_for_checkpoints(monkeypatch: Patch, capsys: Printed) -> None:
    Path("file").write_text("in the way")
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", "file/folder")
    assert train()[2] == list(range(STEPS))
    assert "Training continues without it" in capsys.readouterr().out


def test_checkpoints_are_saved_no_more_often_than_the_interval(monkeypatch: Patch) -> None:
    saved: list[int] = []

    def note(checkpoint: checkpoints.Checkpoint, path: Path) -> str:
        saved.append(checkpoint.step)
        return ""

    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", 3600.0)
    monkeypatch.setattr(training, "save", note)
    train()
    assert saved == [STEPS]


def test_iterating_again_continues_in_memory() -> None:
    loop = training.Loop(a_run(profile="grade"), "toy", steps=5, modules={})
    for step in loop:
        loop.record(step=step)
        if step == 2:
            break
    assert loop.completed == 2
    for step in loop:
        loop.record(step=step)
    assert loop.history == {"step": [0.0, 1.0, 2.0, 3.0, 4.0]}
    assert len(loop) == 5
    assert list(loop) == []


def test_record_is_called_inside_the_loop_and_once_per_step() -> None:
    loop = training.Loop(a_run(profile="grade"), "toy", steps=2, modules={})
    with pytest.raises(RuntimeError, match="body of `for step in loop:`"):
        loop.record(loss=1.0)
    for _ in loop:
        loop.record(loss=1.0)
        with pytest.raises(ValueError, match="recorded twice in step"):
            loop.record(loss=2.0)
    with pytest.raises(RuntimeError, match="body of"):
        loop.record(loss=1.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *[({"name": name}, "cannot name a training run") for name in ("", "../x", "a b", ".hidden", "x" * 101)],
        *[({"steps": steps}, "steps must be a whole number") for steps in (0, -1, 1.5, True)],
        ({"modules": {"model": {}}}, r"modules\['model'\] is a dict"),
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said) as caught:
        training.Loop(**{"run": a_run(), "name": "toy", "steps": 1, "modules": {}, **wrong})
    assert caught.type is (TypeError if "modules" in wrong else ValueError)
