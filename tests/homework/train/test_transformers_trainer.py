"""A notebook adds to transformers' trainer: a curve, progress on stdout, and resuming after an interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

import homework
from homework.train.transformers_trainer import fit, settings
from tests.homework.conftest import Patch, Printed, a_run

STEPS = 210


class Line(torch.nn.Module):
    """Fits y = w · x."""

    def __init__(self) -> None:
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """The squared error."""
        return {"loss": (self.w * input_ids.float().sum(dim=1) - labels.float()).square().mean()}


class Interrupt(TrainerCallback):
    """Interrupts the training in the middle of a step."""

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Right after the checkpoint."""
        if state.global_step == 205:
            raise KeyboardInterrupt


ROWS = [{"input_ids": [n % 5] * (1 + n % 3), "labels": 3.0 * (n % 5) * (1 + n % 3)} for n in range(40)]


def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(row["input_ids"]) for row in rows)
    padded = [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows]
    return {"input_ids": torch.tensor(padded), "labels": torch.tensor([row["labels"] for row in rows])}


def trainer(profile: Any = "full", rate: float = 0.05, callbacks: Any = None) -> tuple[Trainer, Line]:
    homework.seed_everything(0)
    run, model = a_run("toy", profile), Line()
    args = TrainingArguments(**settings(run, "line", steps=STEPS, batch_size=4, learning_rate=rate, code=[collate]))
    return Trainer(model, args, collate, ROWS, callbacks=callbacks), model


@pytest.fixture(autouse=True)
def _own_checkpoints(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path))


def test_it_trains_and_returns_the_curve(capsys: Printed, tmp_path: Path) -> None:
    made, model = trainer(profile="mini")
    steps, losses = fit(made, "a line")
    said = capsys.readouterr()
    assert "a line: 100%" in said.out and "loss=" in said.out
    assert "{'loss'" not in said.out and "%|" not in said.err
    assert steps == sorted(steps) and steps[-1] >= STEPS - 4 and len(steps) == len(losses)
    assert losses[-1] < 0.1 * losses[0]
    assert float(model.w.detach()) == pytest.approx(3.0, abs=0.1)
    assert not list(tmp_path.glob("**/checkpoint-*")), "only in full"


@pytest.mark.long
def test_an_interrupted_run_resumes_with_the_same_numbers(capsys: Printed, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "whole"))
    made, whole = trainer()
    curve = fit(made, "line")
    monkeypatch.setenv("HOMEWORK_CHECKPOINTS", str(tmp_path / "interrupted"))
    made, _ = trainer(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        fit(made, "line")
    capsys.readouterr()
    made, resumed = trainer()
    assert fit(made, "line") == curve
    assert "resumes from checkpoint-200" in capsys.readouterr().out
    assert torch.equal(resumed.w, whole.w)


@pytest.mark.long
def test_a_run_with_other_settings_does_not_resume(capsys: Printed) -> None:
    fit(trainer()[0], "line")
    capsys.readouterr()
    fit(trainer(rate=0.06)[0], "line")
    assert "resumes" not in capsys.readouterr().out
