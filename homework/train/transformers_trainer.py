"""Adds to transformers' trainer: progress on stdout, the losses as a curve, resuming after a disconnect.

trainer = Seq2SeqTrainer(model=model, args=Seq2SeqTrainingArguments(**settings(run, "fine-tuned", ...)), ...)
curve = fit(trainer, "fine-tuned")
plots.curves({"fine-tuned": curve}, ...)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.trainer_utils import get_last_checkpoint

from homework.profiles import Run
from homework.progress import progress_bar
from homework.train.checkpoints import checkpoint_path, digest_of, fingerprint
from homework.train.precision import has_bf16


def settings(
    run: Run,
    name: str,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int | None = None,
    code: Sequence[Callable[..., Any] | type | object] = (),
) -> dict[str, Any]:
    """Arguments of `TrainingArguments` that the notebooks share; add to them or overwrite them.

    AdamW with a linear warm-up over a tenth of the steps and a linear decay, batches of rows of similar length,
    bfloat16 on GPUs with hardware support, no loggers. In profile `full` a checkpoint is written every 200 steps; other
    code or settings use another folder.

    Args:
        run: what `homework.start` returned.
        name: name of the training, unique in the notebook.
        steps: number of updates.
        batch_size: rows in a batch.
        learning_rate: the peak learning rate.
        seed: of the order of the rows and of dropout; `run.seed` if not given.
        code: functions, classes and plain settings that the result depends on.

    Raises:
        ValueError: the name is not valid in a file name.
    """
    seed = run.seed if seed is None else seed
    about = fingerprint(steps=steps, seed=seed, modules={}, code=[*code, batch_size, learning_rate])
    file = checkpoint_path(run, name, seed)
    older = "group_by_length" in {field.name for field in dataclasses.fields(TrainingArguments)}
    return {
        "output_dir": str(file.with_name(f"{file.stem}-{digest_of(about)[:12]}")),
        "max_steps": steps,
        "per_device_train_batch_size": batch_size,
        "learning_rate": learning_rate,
        "warmup_steps": steps // 10,
        "lr_scheduler_type": "linear",
        **({"group_by_length": True} if older else {"train_sampling_strategy": "group_by_length"}),
        "remove_unused_columns": False,
        "seed": seed,
        "data_seed": seed,
        "bf16": has_bf16(run.device),
        "use_cpu": run.device.type == "cpu",
        "dataloader_pin_memory": run.device.type == "cuda",
        "save_strategy": "steps" if run.profile == "full" else "no",
        "save_steps": 200,
        "save_total_limit": 1,
        "logging_steps": max(1, steps // 50),
        "report_to": "none",
        "disable_tqdm": True,
    }


def fit(trainer: Trainer, name: str) -> tuple[list[int], list[float]]:
    """Trains to the end, from the last checkpoint if there is one, with a progress bar on stdout.

    Args:
        trainer: ready to train; its `args` may come from `settings`.
        name: label of the progress bar.

    Returns:
        Steps, and the mean loss since the step before; both are complete after a resume, too.
    """
    for its_own in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(its_own)
    trainer.add_callback(Progress(name, trainer.args.max_steps))
    folder = Path(trainer.args.output_dir or ".")
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if last:
        print(f"{name}: resumes from {Path(last).name}.")
    trainer.train(resume_from_checkpoint=last)
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    return [int(entry["step"]) for entry in logged], [float(entry["loss"]) for entry in logged]


class Progress(TrainerCallback):
    """One progress bar on stdout with the latest loss; the trainer's own bars write to stderr or as HTML."""

    def __init__(self, name: str, steps: int) -> None:
        self.name, self.steps = name, steps
        self.bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Opens the bar at the first step of this training."""
        self.bar = progress_bar(self.steps, self.name, unit="step", initial=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Advances the bar."""
        self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **more: Any) -> None:
        """Shows the loss."""
        if self.bar is not None and logs and "loss" in logs:
            self.bar.set_postfix({"loss": f"{float(logs['loss']):.4g}"}, refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Closes the bar."""
        self.bar.close()
