"""Every log is valid, complete, small, strict JSON; students are asked for their id only where they can answer."""

from __future__ import annotations

import builtins
import errno
import io
import json
import math
import os
import sys
from collections.abc import Callable
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homework.errors import LogError
from homework.hand_in import identity
from homework.hand_in.log import FILE_NAME, MOST_BYTES, SubmissionLog, schema, validate
from homework.hand_in.personal import draws_for
from homework.hand_in.source_hash import source_hash
from tests.homework.conftest import Patch, Printed, a_run, disk_full, run_cell

RUN = a_run()


def new_log() -> SubmissionLog:
    return SubmissionLog(RUN, student="ada")


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return loaded


def raise_error(error: Any, *_: object) -> None:
    raise error


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(identity, "_answered", None)


def test_a_log_holds_all_that_was_recorded(monkeypatch: Patch, capsys: Printed) -> None:
    source = "def double_for_test(x):\n    # twice\n    return 2 * x\n"
    stub = "def stub_for_test(x):\n    raise NotImplementedError('stub_for_test: to do')\n"
    for name, cell in (("double_for_test", source), ("stub_for_test", stub)):
        made = run_cell(f"<cell {name} of a log test>", cell)[name]
        monkeypatch.setattr(sys.modules["__main__"], name, made, raising=False)

    def personal_answers(student: Any, draws: Callable[[str], Any]) -> dict[str, Callable[[], Any]]:
        return {
            "double_for_test": lambda: student.double_for_test(draws("double_for_test").normal(2)),
            "stub_for_test": lambda: student.stub_for_test(1),
            "nowhere_for_test": lambda: student.nowhere_for_test(1),
        }

    log = SubmissionLog(RUN, student=" ada ")
    log.answers(personal_answers)
    nelbos: list[Any] = [98.0, 99.0, torch.tensor(100.0, requires_grad=True)]
    log.metric("vae/test_nelbo", values=nelbos, evidence={"last": torch.ones(2)})
    log.metric("vae/test_kl", 25.5)
    log.metric("vae/test_rec", value=1.0, stderr=0.5, runs=4)
    log.process(sources="lecture 4", people="", hours=3)
    path = log.write()
    record = read(path)
    assert path == Path.cwd() / "submission_log.json"
    assert str(path) in capsys.readouterr().out
    validate(record)
    expected = [round(float(f"{2 * x:.7g}"), 7) for x in draws_for("ada", "vae")("double_for_test").normal(2).tolist()]
    assert record["answers"]["double_for_test"] == pytest.approx(expected, rel=1e-6)
    assert record["answers"]["stub_for_test"] == {"error": "NotImplementedError: stub_for_test: to do"}
    assert record["answers"]["nowhere_for_test"]["error"].startswith("AttributeError: student.nowhere_for_test")
    assert record["code"] == {"double_for_test": source_hash(source), "stub_for_test": source_hash(stub)}
    nelbo = {"value": 99.0, "stderr": pytest.approx(1 / math.sqrt(3)), "runs": 3, "values": [98.0, 99.0, 100.0]}
    nelbo["evidence"] = {"last": [1.0, 1.0]}
    kl, rec = {"value": 25.5, "stderr": None, "runs": 1}, {"value": 1.0, "stderr": 0.5, "runs": 4}
    assert record["metrics"] == {"vae/test_nelbo": nelbo, "vae/test_kl": kl, "vae/test_rec": rec}
    assert record["process"] == {"sources": "lecture 4", "people": "", "hours": 3}
    assert (record["student"], record["problem"], record["profile"]) == ("ada", "vae", "mini")
    assert record["created_at"].endswith("Z")
    assert datetime.fromisoformat(record["created_at"]).utcoffset() == timedelta(0)
    assert {"python", "torch", "device"} <= set(record["environment"])


def test_a_metric_that_was_not_measured_is_missing_and_the_log_is_written(capsys: Printed) -> None:
    log = new_log()
    with log.measurements():
        log.metric("toy/one", 1.0)
        log.metric("toy/two", losses_of_a_training_that_failed)  # type: ignore[name-defined]  # noqa: F821
    metrics = log.as_json()["metrics"]
    assert isinstance(metrics, dict) and set(metrics) == {"toy/one"}
    assert "losses_of_a_training_that_failed" in capsys.readouterr().out
    with pytest.raises(ValueError, match="either"), log.measurements():
        log.metric("toy/three")


def test_answers_neither_depend_on_the_global_generators_nor_change_them() -> None:
    log = new_log()
    torch.manual_seed(1)
    log.answers(lambda student, draws: {"a": lambda: torch.rand(2), "b": lambda: torch.rand(2)})
    first, after = log.as_json()["answers"], torch.rand(2)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(2), after)
    log.answers(lambda student, draws: {"a": lambda: torch.rand(2), "b": lambda: torch.rand(2)})
    assert log.as_json()["answers"] == first


def test_nan_metrics_become_null_with_a_warning(capsys: Printed) -> None:
    log = new_log()
    log.metric("vae/test_nelbo", values=[1.0, math.nan])
    log.metric("vae/test_kl", math.inf)
    metrics = read(log.write())["metrics"]
    assert metrics["vae/test_nelbo"] == {"value": None, "stderr": None, "runs": 2, "values": [1.0, None]}
    assert metrics["vae/test_kl"]["value"] is None
    out = capsys.readouterr().out
    assert "'vae/test_nelbo' is nan: recorded as missing" in out
    assert "'vae/test_kl' is inf" in out


@pytest.mark.parametrize(
    "arguments",
    [{}, {"value": 1.0, "values": [1.0]}, {"values": []}, {"values": [1.0], "runs": 1}, {"value": 1.0, "runs": 0}],
)
def test_metrics_are_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="metric 'x/y'"):
        new_log().metric("x/y", **arguments)


answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner),
    max_leaves=15,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), answers, max_size=4), st.floats())
def test_any_answer_makes_a_valid_log(tmp_path: Path, made: dict[str, Any], metric: float) -> None:
    log = new_log()
    log.answers(lambda student, draws: {item: partial(copy, value) for item, value in made.items()})
    log.metric("vae/x", metric)
    record = read(log.write(tmp_path / "log.json"))
    validate(record)
    assert set(record["answers"]) == {str(item) for item in made}


@pytest.mark.parametrize(
    ("huge", "said"),
    [
        (True, r"at most 1,048,576 .*answers/huge \(900,002 bytes\)"),
        (False, "cannot be written: No space left on device"),
    ],
    ids=["more than a mebibyte", "full disk"],
)
def test_a_log_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: Patch, huge: bool, said: str
) -> None:
    log = new_log()
    log.metric("vae/small", 1.0)
    path = log.write()
    before = path.read_bytes()
    if huge:
        log.answers(lambda student, draws: {"huge": lambda: "x" * 900_000, "large": lambda: "x" * 150_000})
    else:
        log.metric("vae/x", 1.0)
        monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(LogError, match=said):
        log.write()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_line_says_that_the_log_of_another_problem_was_replaced(capsys: Printed) -> None:
    path = SubmissionLog(a_run("rlhf"), student="ada").write()
    assert "Warning" not in capsys.readouterr().out
    new_log().write()
    said = capsys.readouterr().out
    assert f"Warning: {path} was the log of the problem 'rlhf'. This log of 'vae' replaces it." in said
    assert "a folder of its own" in said and read(path)["problem"] == "vae"
    new_log().write()
    assert "Warning" not in capsys.readouterr().out, "its own log may be replaced"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[1]", b'{"problem": 3}', b"[" * 100_000, b"0" * (MOST_BYTES + 1)],
    ids=["empty", "no text", "a list", "a number as problem", "nested too deeply", "too large"],
)
def test_a_file_that_is_no_log_is_replaced_without_a_warning(tmp_path: Path, capsys: Printed, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read(new_log().write())["problem"] == "vae"
    assert "Warning" not in capsys.readouterr().out


def test_a_log_is_written_where_the_file_system_does_not_support_fsync(monkeypatch: Patch) -> None:
    monkeypatch.setattr(os, "fsync", partial(raise_error, OSError(errno.EINVAL, "Invalid argument")))
    assert read(new_log().write())["student"] == "ada"


def test_the_schema_is_valid_and_invalid_logs_are_refused() -> None:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped,unused-ignore]

    Draft202012Validator.check_schema(schema())
    record = new_log().as_json()
    validate(record)
    record["profile"] = "tiny"
    with pytest.raises(LogError, match="not valid at profile"):
        validate(record)


def test_accented_names_are_written_as_they_are() -> None:
    path = SubmissionLog(RUN, student="Béla Bartók").write()
    assert "Béla Bartók" in path.read_text(encoding="utf-8")


def test_the_environment_names_the_student(monkeypatch: Patch) -> None:
    monkeypatch.setenv("HOMEWORK_STUDENT", " chen ")
    monkeypatch.setattr(identity, "_can_answer", pytest.fail)
    assert SubmissionLog(RUN).student == "chen"


def test_a_student_is_asked_once(monkeypatch: Patch) -> None:
    answers = [" dora "]
    monkeypatch.setattr(identity, "_can_answer", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda prompt: answers.pop())
    assert SubmissionLog(RUN).student == SubmissionLog(RUN).student == "dora"


@pytest.mark.parametrize("error", [EOFError, OSError, NotImplementedError, None])
def test_a_student_who_does_not_answer_is_anonymous(monkeypatch: Patch, capsys: Printed, error: Any) -> None:
    monkeypatch.setattr(identity, "_can_answer", lambda: True)
    monkeypatch.setattr(builtins, "input", partial(raise_error, error) if error else lambda prompt: "   ")
    assert SubmissionLog(RUN).student == "anonymous"
    assert "HOMEWORK_STUDENT" in capsys.readouterr().out


def test_students_are_not_asked_when_grading_or_without_a_terminal(monkeypatch: Patch) -> None:
    monkeypatch.setattr(builtins, "input", pytest.fail)
    monkeypatch.setattr(sys, "stdin", io.StringIO("eva\n"))
    assert SubmissionLog(RUN).student == "anonymous"
    monkeypatch.setattr(identity, "_can_answer", lambda: True)
    assert SubmissionLog(a_run(profile="grade")).student == "anonymous"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\nb"])
def test_student_ids_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="not a student id"):
        SubmissionLog(RUN, student=name)
