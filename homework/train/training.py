"""A training loop that shows its progress and resumes after a disconnect.

    loop = Loop(run, "vae", steps=STEPS, modules={"model": vae, "optimizer": optimizer}, code=[negative_elbo_bound])
    for step in loop:
        loss = ...
        loop.record(nelbo=float(loss))
    plots.curves({"negative ELBO": loop.history["nelbo"]}, title="Training", xlabel="step", ylabel="nats")

Build model, optimizer and loop in one cell: running that cell again, also after a restart, resumes the training.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from homework.profiles import Run
from homework.progress import progress_bar
from homework.scalars import as_number, is_whole
from homework.seeds import generator_states, set_generator_states
from homework.train.checkpoints import Checkpoint, checkpoint_path, fingerprint, load, restore, save, state_of

SAVE_EVERY_SECONDS = 30.0
REST_AFTER_SAVING = 10.0  # times the duration of the last save: a slow disk saves less often


class Loop:
    """The remaining steps of one training run, starting from a checkpoint if there is one.

    A checkpoint holds the states of all modules, of the global random generators, the history and the step; it is
    written every 30 seconds and at the end (never in profile `grade`). On a CPU a resumed run gives the same
    numbers as an uninterrupted one, bit for bit, if all randomness comes from the global generators or from generators
    among the modules. A checkpoint is not used if the number of steps, the seed, the code, or size and settings of a
    module have changed.

    Attributes:
        history: name → recorded values, oldest first; complete after a resume as well.
        recorded_at: name → the steps at which they were recorded.
        completed: number of completed steps.
    """

    def __init__(
        self,
        run: Run,
        name: str,
        *,
        steps: int,
        modules: Mapping[str, Any],
        code: Sequence[Callable[..., Any] | type | object] = (),
        seed: int | None = None,
        restart: bool = False,
    ) -> None:
        """Restores the states of a matching checkpoint, and prints one line about it.

        Args:
            run: what `homework.start` returned.
            name: names the run among those of the notebook: letters, digits, `_`, `-`, `.`.
            steps: total number of steps.
            modules: name → what training changes: objects with `state_dict` and `load_state_dict` (modules,
                optimizers, schedulers), `torch.Generator`s, tensors.
            code: functions, classes and plain settings that the result depends on; if one changes, training starts
                again.
            seed: the seed of this run, if it is not `run.seed`.
            restart: start again and ignore a checkpoint.

        Raises:
            ValueError: the name or the number of steps is invalid.
            TypeError: a module has no state.
        """
        if not is_whole(steps) or steps < 1:
            raise ValueError(f"{name}: steps must be a whole number above 0, not {steps!r}.")
        self.run, self.name, self.steps = run, name, steps
        self.modules = dict(modules)
        self.history: dict[str, list[float]] = {}
        self.recorded_at: dict[str, list[int]] = {}
        self.completed = 0
        self._step: int | None = None
        self._generators: dict[str, Any] | None = None
        self._may_save = run.profile != "grade"
        seed = run.seed if seed is None else seed
        self._path = checkpoint_path(run, name, seed)
        self._fingerprint = fingerprint(steps=steps, seed=seed, modules=self.modules, code=code)
        if self._may_save and not restart:
            self._resume()

    def __len__(self) -> int:
        """Total number of steps."""
        return self.steps

    def __iter__(self) -> Iterator[int]:
        """The remaining steps; the first step of a run is 0."""
        self._forget_unfinished()
        if self._generators is not None:
            set_generator_states(self._generators)
            self._generators = None
        if self.completed >= self.steps:
            return
        saved_at, pause = time.monotonic(), SAVE_EVERY_SECONDS
        with self._bar() as bar:
            shown_at = 0.0
            for step in range(self.completed, self.steps):
                self._step = step
                yield step
                self._step = None
                self.completed = step + 1
                now = time.monotonic()
                if now - shown_at > 0.5 or self.completed == self.steps:
                    bar.set_postfix({key: f"{values[-1]:.4g}" for key, values in self.history.items()}, refresh=False)
                    shown_at = now
                bar.update(1)
                if now - saved_at >= pause and self.completed < self.steps:
                    self._save()
                    saved_at = time.monotonic()
                    pause = max(SAVE_EVERY_SECONDS, REST_AFTER_SAVING * (saved_at - now))
        self._save()

    def record(self, **values: float | torch.Tensor) -> None:
        """Records one value per name for the current step.

        Args:
            **values: numbers, or tensors with one element.

        Raises:
            RuntimeError: called outside the loop's body.
            ValueError: a name was recorded in this step already.
        """
        if self._step is None:
            raise RuntimeError(f"{self.name}: call record() in the body of `for step in loop:`.")
        for name, value in values.items():
            at = self.recorded_at.setdefault(name, [])
            if at and at[-1] == self._step:
                raise ValueError(f"{self.name}: {name!r} was recorded twice in step {self._step}; record it once.")
            self.history.setdefault(name, []).append(as_number(value))
            at.append(self._step)

    def _bar(self) -> Any:
        return progress_bar(
            self.steps, self.name, unit="step", initial=self.completed, disable=self.run.profile == "grade"
        )

    def _forget_unfinished(self) -> None:
        """Drops the records of an unfinished step."""
        self._step = None
        for name, at in self.recorded_at.items():
            while at and at[-1] >= self.completed:
                at.pop()
                self.history[name].pop()

    def _resume(self) -> None:
        checkpoint, problem = load(self._path, self._fingerprint)
        if problem:
            print(f"{self.name}: {problem} Training starts again.")
        if checkpoint is None:
            return
        restore(self.modules, checkpoint, self._path)
        self.history, self.recorded_at = checkpoint.history, checkpoint.recorded_at
        self.completed, self._generators = checkpoint.step, checkpoint.generators
        if self.completed >= self.steps:
            print(
                f"{self.name}: all {self.steps:,} steps are complete; restored from {_shown(self._path)} "
                "(Loop(..., restart=True) trains again)."
            )
        else:
            print(f"{self.name}: resumes at step {self.completed:,} of {self.steps:,}, from {_shown(self._path)}.")

    def _save(self) -> None:
        if not self._may_save:
            return
        checkpoint = Checkpoint(
            fingerprint=self._fingerprint,
            step=self.completed,
            modules={name: state_of(module) for name, module in self.modules.items()},
            history=self.history,
            recorded_at=self.recorded_at,
            generators=generator_states(),
        )
        problem = save(checkpoint, self._path)
        if problem:
            print(f"{self.name}: {problem} Training continues without it.")


def _shown(path: Path) -> str:
    """The path relative to the working directory if it is below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
