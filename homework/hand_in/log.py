"""`submission_log.json`: what a student submits beside the notebook.

log = SubmissionLog(run)
log.bands({"vae/test_nelbo": {"mini": (95, 108)}})
log.answers(personal_answers)
with log.measurements():
    log.metric("vae/test_nelbo", values=losses)
log.process(sources="lecture 4", people="", hours=3)
log.write()
"""

from __future__ import annotations

import contextlib
import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from homework.atomic import whole_file
from homework.colab import offer_download, on_colab
from homework.errors import LogError
from homework.hand_in.expected_ranges import Bands, numbers_table, wrong_with
from homework.hand_in.identity import student_id
from homework.hand_in.personal import Draws, Json, draws_for, plain_json
from homework.hand_in.source_hash import cell_source_of, source_hash
from homework.lazy_torch import is_imported, torch
from homework.notebook_names import NotebookNames
from homework.profiles import Run, device_name
from homework.scalars import as_number, is_whole
from homework.seeds import generator_states, seed_everything, set_generator_states

FILE_NAME = "submission_log.json"
MOST_BYTES = 1 << 20
LONGEST_ERROR = 500
WITHOUT_TORCH = "none"
"""In place of torch's version in the environment of a log."""
_NOTEBOOK = NotebookNames("student")
"""The notebook's names, for answers. Only tests check that a function leaves its arguments unchanged."""

Ask: TypeAlias = Callable[[], Any]
PersonalAnswers: TypeAlias = Callable[[Any, Callable[[str], Draws]], Mapping[str, Ask]]


class SubmissionLog:
    """Collects the answers, metrics and process question of one run, and writes them to a file."""

    def __init__(self, run: Run, student: str | None = None) -> None:
        """Starts an empty log.

        Args:
            run: what `homework.start` returned.
            student: student id; if not given, `$HOMEWORK_STUDENT`, else the answer to a question, else `anonymous`.

        Raises:
            ValueError: the id is empty, longer than 100 characters or holds control characters.
        """
        self.run = run
        self.student = student_id(student, may_ask=run.profile != "grade")
        self._answers: dict[str, Json] = {}
        self._metrics: dict[str, dict[str, Json]] = {}
        self._process: dict[str, Json] = {}
        self._code: dict[str, str] = {}
        self._bands: Bands = {}

    def bands(self, bands: Bands) -> None:
        """Sets the expected ranges, beside which `write` shows the metrics.

        They change neither the log nor the score. Staff read the same ranges from the problem's source.

        Args:
            bands: metric id → profile → (lowest, highest), None for no bound. In a metric id `*` matches any text; the
                first entry that matches a metric counts. A profile without an entry has no range.

        Raises:
            ValueError: an unknown profile, or a range whose lowest number is not below its highest.
        """
        wrong = wrong_with(bands)
        if wrong:
            raise ValueError(f"{wrong}.")
        self._bands = dict(bands)

    def answers(self, personal_answers: PersonalAnswers) -> None:
        """Records the answers of the notebook's code on the per-student inputs.

        If an item raises, `{"error": "NotImplementedError: ..."}` is recorded as its answer, and the other items still
        run. The global generators are seeded before each item and restored afterwards.

        Args:
            personal_answers: function of (`student`, `draws`) that returns item id → function without arguments.
        """
        before = generator_states()
        try:
            for item, ask in personal_answers(_NOTEBOOK, draws_for(self.student, self.run.problem)).items():
                seed_everything(0)
                self._answers[item] = _answer(ask)
                self._note_code(item)
        finally:
            set_generator_states(before)

    def metric(
        self,
        name: str,
        value: float | torch.Tensor | None = None,
        *,
        values: Sequence[float | torch.Tensor] | None = None,
        stderr: float | torch.Tensor | None = None,
        runs: int | None = None,
        evidence: Any = None,
    ) -> None:
        """Records one measured number, as the mean over runs with its standard error.

        Args:
            name: metric id, e.g. `vae/test_nelbo`.
            value: the number itself; or give `values`.
            values: one number per run: their mean is recorded, with standard error std(ddof=1)/√n (none for one run).
            stderr: standard error of `value`, if known.
            runs: how many runs `value` is the mean of, at least 1.
            evidence: small plain data that support the number, e.g. the losses of the last steps.

        Raises:
            ValueError: both or neither of value and values given, no values, or fewer than 1 run.
        """
        if (value is None) == (values is None):
            raise ValueError(f"metric {name!r}: give either value=... or values=[...].")
        record: dict[str, Json] = {}
        if values is not None:
            if stderr is not None or runs is not None:
                raise ValueError(f"metric {name!r}: stderr and runs follow from values; leave them out.")
            numbers = np.array([as_number(number) for number in values], dtype=np.float64)
            if not numbers.size:
                raise ValueError(f"metric {name!r}: values is empty; give one number per run.")
            value = float(numbers.mean())
            stderr = float(numbers.std(ddof=1) / math.sqrt(numbers.size)) if numbers.size > 1 else None
            runs = int(numbers.size)
            record["values"] = [_finite_or_none(number) for number in numbers.tolist()]
        if runs is not None and (not is_whole(runs) or runs < 1):
            raise ValueError(f"metric {name!r}: runs must be a whole number of at least 1, not {runs!r}.")
        assert value is not None
        number = _finite_or_none(as_number(value))
        if number is None:
            print(f"metric {name!r} is {as_number(value)}: recorded as missing (null). Check the run that produced it.")
        record = {
            "value": number,
            "stderr": None if stderr is None else _finite_or_none(as_number(stderr)),
            "runs": runs or 1,
            **record,
        }
        if evidence is not None:
            record["evidence"] = plain_json(evidence)
        self._metrics[name] = record

    @contextlib.contextmanager
    def measurements(self) -> Iterator[None]:
        """Metrics recorded in this block may be missing: then a line says so, and the log continues.

        A metric is missing if the notebook does not define its name, because the cell was not run or failed.
        """
        try:
            yield
        except NameError as error:
            print(
                f"{error}: the cell that measures it has not run, so this number and those after it are missing from "
                "the log. Run it and then this cell again, or submit the log as it is."
            )

    def process(self, sources: str = "", people: str = "", hours: float | None = None) -> None:
        """Records the process question, which is not graded.

        Args:
            sources: lectures, papers, sites, language models.
            people: collaborators.
            hours: hours spent.
        """
        self._process = {"sources": plain_json(sources), "people": plain_json(people), "hours": plain_json(hours)}

    def as_json(self) -> dict[str, Json]:
        """The log as plain JSON values, as `write` writes it."""
        record: dict[str, Json] = {
            "schema_version": 1,
            "problem": self.run.problem,
            "student": self.student,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "profile": self.run.profile,
            "seed": self.run.seed,
            "environment": dict(_environment(self.run)),
            "answers": dict(self._answers),
            "metrics": dict(self._metrics),
            "code": dict(self._code),
            "notebook_sha256": None,
        }
        if self._process:
            record["process"] = dict(self._process)
        return record

    def write(self, path: str | Path | None = None) -> Path:
        """Writes the log atomically, prints the metrics beside their expected ranges and the path, which it returns.

        If the file holds the log of another problem, a line says that it is replaced and what to do.

        Args:
            path: the file; `submission_log.json` in the working directory if not given.

        Raises:
            LogError: it is larger than 1 MiB, is not valid by the schema or cannot be written; an earlier log is
                unchanged.
        """
        target = Path(path or FILE_NAME).absolute()
        record = self.as_json()
        text = as_text(record)
        data = text.encode("utf-8")
        if len(data) > MOST_BYTES:
            raise LogError(_too_large(record, len(data)))
        validate(record)
        other = _other_problem(target, self.run.problem)
        try:
            with whole_file(target) as handle:
                handle.write(data)
        except OSError as error:
            raise LogError(
                f"{target} cannot be written: {error.strerror or error}. Free some space or choose another place with "
                "log.write(path=...). An earlier log is unchanged."
            ) from error
        if other:
            print(
                f"Warning: {target} was the log of the problem {other!r}. This log of {self.run.problem!r} replaces "
                f"it. To submit {other!r}, move its notebook into a folder of its own and run it there again. "
                "Keep each problem in a separate folder."
            )
        table = numbers_table(self._metrics, self._bands, self.run.profile)
        if table:
            print(f"Your numbers, profile {self.run.profile}:\n{table}\n")
        failed = [
            item for item, answer in self._answers.items() if isinstance(answer, dict) and set(answer) == {"error"}
        ]
        note = f"; no answer yet for: {', '.join(failed)}" if failed else ""
        print(f"wrote {target} ({len(data):,} bytes, student {self.student}, {len(self._answers)} answers{note})")
        if self.run.profile != "grade":
            offer_download(target)
        return target

    def _note_code(self, item: str) -> None:
        thing = getattr(_NOTEBOOK, item, None)
        source = cell_source_of(thing) if callable(thing) else None
        if source is not None:
            self._code[item] = source_hash(source)


def schema() -> dict[str, Any]:
    """The JSON schema of a log."""
    text = resources.files("homework").joinpath("submission_log.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validate(record: Mapping[str, Any]) -> None:
    """Validates a log.

    Raises:
        LogError: it is not valid; says where and why.
    """
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped,unused-ignore]

    error = next(iter(Draft202012Validator(schema()).iter_errors(record)), None)
    if error is not None:
        where = "/".join(str(step) for step in error.absolute_path) or "the log"
        raise LogError(f"the log is not valid at {where}: {error.message[:LONGEST_ERROR]}")


def as_text(record: Mapping[str, Any]) -> str:
    """JSON with one line per entry, two levels deep, easy to read and to compare.

    Raises:
        ValueError: it holds NaN or infinite numbers.
    """
    lines = []
    for key, value in record.items():
        if isinstance(value, dict) and value:
            inner = ",\n".join(f"  {_compact(name)}: {_compact(entry)}" for name, entry in value.items())
            lines.append(f" {_compact(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {_compact(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _answer(ask: Ask) -> Json:
    try:
        return plain_json(ask())
    except Exception as error:  # the log records every error of the student's code
        return {"error": str(plain_json(f"{type(error).__name__}: {error}"[:LONGEST_ERROR]))}


def _other_problem(file: Path, problem: str) -> str:
    """The problem of the log in this file if it is another one; else, or if it cannot be read, nothing."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return ""
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    before = found.get("problem") if isinstance(found, dict) else None
    return before if isinstance(before, str) and before != problem else ""


def _environment(run: Run) -> dict[str, str]:
    from homework import __version__

    return {
        "python": platform.python_version(),
        "torch": torch.__version__ if is_imported() else WITHOUT_TORCH,
        "device": device_name(run.device),
        "numpy": np.__version__,
        "homework": __version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "colab": "yes" if on_colab() else "no",
    }


def _too_large(record: Mapping[str, Any], size: int) -> str:
    entries = [
        (len(_compact(entry).encode("utf-8")), f"{key}/{name}")
        for key in ("answers", "metrics", "process")
        for name, entry in record.get(key, {}).items()
    ]
    largest = ", ".join(f"{name} ({count:,} bytes)" for count, name in sorted(entries, reverse=True)[:3])
    return (
        f"the log would be {size:,} bytes; at most {MOST_BYTES:,} (1 MiB) can be submitted. Largest entries: "
        f"{largest}. Record less there (e.g. a few numbers instead of all), then write again. Nothing was written."
    )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _finite_or_none(number: float) -> float | None:
    return number if math.isfinite(number) else None
