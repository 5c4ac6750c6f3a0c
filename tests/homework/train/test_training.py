"""A run that was disconnected and resumed equals one that was not; a checkpoint that does not fit is not used."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from homework import atomic
from homework.profiles import Profile, Run
from homework.seeds import seed_everything
from homework.train import checkpoints, training

STEPS = 12


class Disconnected(Exception):  # noqa: N818  (reads as what happened)
    """The session ended."""


def squared(x: torch.Tensor) -> torch.Tensor:
    return (x**2).mean()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(training, "REST_AFTER_SAVING", 0.0)


def a_run(profile: Profile = "mini", seed: int = 0) -> Run:
    return Run("vae", profile, torch.device("cpu"), seed)


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
    """A small training run that draws from all generators; `stop_in`: the step in whose middle the session ends."""
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
    try:
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
                raise Disconnected
    except Disconnected:
        pass
    return loop, model, done


def same(left: torch.nn.Module, right: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left.state_dict().values(), right.state_dict().values(), strict=True))


@pytest.mark.parametrize("stops", [[0], [1], [7], [3, 9], [11]])
def test_resuming_gives_the_same_numbers_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stops: list[int]
) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "a"))
    whole, model, done = train()
    after = (float(torch.rand(())), float(np.random.rand()))
    assert done == list(range(STEPS))
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "b"))
    begun = 0
    for stop in stops:
        _, _, part = train(stop_in=stop)
        assert part == list(range(begun, stop + 1))
        begun = stop  # the step in whose middle the session ended is done again
    resumed, other, rest = train()
    assert rest == list(range(begun, STEPS))
    assert same(model, other)
    assert resumed.history == whole.history
    assert resumed.recorded_at == whole.recorded_at
    assert whole.recorded_at["seldom"] == [0, 4, 8]
    assert (float(torch.rand(())), float(np.random.rand())) == after


def test_a_finished_run_is_restored_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    first, model, _ = train()
    capsys.readouterr()
    again, other, done = train()
    assert done == []
    assert same(model, other)
    assert again.history == first.history
    said = capsys.readouterr().out
    assert said.startswith("toy: all 12 steps are complete; restored from checkpoints/vae-toy-mini-seed0.pt")
    assert said.count("\n") == 1


def test_restart_trains_again() -> None:
    train()
    _, _, done = train(restart=True)
    assert done == list(range(STEPS))


def cubed(x: torch.Tensor) -> torch.Tensor:
    return (x.abs() ** 3).mean()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": cubed}, "the code of squared; "),
        ({"steps": STEPS + 1}, "the number of steps"),
        ({"lr": 0.2}, "size or settings of 'optimizer'"),
        ({"width": 5}, "size or settings of 'model'"),
    ],
)
def test_a_change_means_a_new_start_and_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(checkpoints, "behaviour_hash", lambda thing: thing.__name__)
    train(stop_in=5)
    capsys.readouterr()
    _, _, done = train(**change)
    assert done == list(range(change.get("steps", STEPS)))
    out = capsys.readouterr().out
    assert "is not used, because this changed: " in out
    assert said.removesuffix("; ") in out or "the code of cubed" in out


def test_changed_source_of_the_same_function_means_a_new_start() -> None:
    def version(exponent: int) -> Callable[[torch.Tensor], torch.Tensor]:
        names: dict[str, Any] = {}
        exec(f"def loss(x):\n    return (x ** {exponent}).mean()\n", names)
        made: Callable[[torch.Tensor], torch.Tensor] = names["loss"]
        return made

    train(code=version(2), stop_in=5)
    assert train(code=version(2), stop_in=6)[2] == [5, 6]
    assert train(code=version(4))[2] == list(range(STEPS))


def test_seeds_and_profiles_have_files_of_their_own(tmp_path: Path) -> None:
    train(run=a_run(seed=1))
    train(run=a_run(seed=2))
    train(run=a_run("full"))
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["vae-toy-full-seed0.pt", "vae-toy-mini-seed1.pt", "vae-toy-mini-seed2.pt"]


def test_grading_writes_nothing_and_shows_no_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(run=a_run("grade"))
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_the_bar_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    train()
    out, err = capsys.readouterr()
    assert "toy: 100%" in out
    assert "loss=" in out
    assert err == ""


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_damaged_file_is_reported_and_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes | None
) -> None:
    train(stop_in=5)
    path = tmp_path / "checkpoints" / "vae-toy-mini-seed0.pt"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    capsys.readouterr()
    _, _, done = train()
    assert done == list(range(STEPS))
    assert f"the checkpoint {path} is damaged and is ignored" in capsys.readouterr().out
    assert train()[2] == []


def test_a_file_that_would_run_code_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "owned"),)

    path = tmp_path / "checkpoints" / "vae-toy-mini-seed0.pt"
    path.parent.mkdir()
    torch.save({"format": 1, "step": Evil()}, path)
    train()
    assert "is damaged and is ignored" in capsys.readouterr().out
    assert not (tmp_path / "owned").exists()


class FullDisk:
    """A file handle whose disk is full after some bytes."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *error: object) -> None:
        self.handle.close()

    def write(self, data: bytes) -> int:
        self.handle.write(bytes(data)[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None: ...


def test_a_full_disk_leaves_the_old_checkpoint_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train(stop_in=5)
    folder = tmp_path / "checkpoints"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "open", lambda path, mode: FullDisk(open(path, mode)), raising=False)
        _, _, done = train()
    assert done == list(range(5, STEPS))
    assert "cannot be saved (the disk is full); an older one" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert train()[2] == list(range(5, STEPS))


def test_a_folder_that_cannot_be_made_does_not_stop_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "file" / "folder"))
    assert train()[2] == list(range(STEPS))
    assert "Training continues without it" in capsys.readouterr().out


def test_checkpoints_come_no_more_often_than_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []

    def note(checkpoint: checkpoints.Checkpoint, path: Path) -> str:
        saved.append(checkpoint.step)
        return ""

    monkeypatch.setattr(training, "SAVE_EVERY_SECONDS", 3600.0)
    monkeypatch.setattr(training, "save", note)
    train()
    assert saved == [STEPS]


def test_iterating_again_goes_on_in_memory() -> None:
    loop = training.Loop(a_run("grade"), "toy", steps=5, modules={})
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


def test_record_belongs_into_the_loop_and_once_per_step() -> None:
    loop = training.Loop(a_run("grade"), "toy", steps=2, modules={})
    with pytest.raises(RuntimeError, match="body of `for step in loop:`"):
        loop.record(loss=1.0)
    for _ in loop:
        loop.record(loss=1.0)
        with pytest.raises(ValueError, match="recorded twice in step"):
            loop.record(loss=2.0)
    with pytest.raises(RuntimeError, match="body of"):
        loop.record(loss=1.0)


@pytest.mark.parametrize("name", ["", "../x", "a b", ".hidden", "x" * 101])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a training run"):
        training.Loop(a_run(), name, steps=1, modules={})


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_steps_are_checked(steps: Any) -> None:
    with pytest.raises(ValueError, match="steps must be a whole number"):
        training.Loop(a_run(), "toy", steps=steps, modules={})


def test_modules_without_state_are_refused() -> None:
    with pytest.raises(TypeError, match=r"modules\['model'\] is a dict"):
        training.Loop(a_run(), "toy", steps=1, modules={"model": {}})
