"""A rewritten test cell does what the cell does, and goes on after a failure where that has a meaning."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autograder.inspect.instrument import Rewritten, rewrite
from autograder.inspect.recorder import Check, Recorder, makers
from homework.checks import close, part, recording
from tests.autograder.toy import toy


def rewritten(source: str) -> Rewritten:
    """A test cell, rewritten."""
    cell = toy().items[0].test
    assert cell is not None
    return rewrite(replace(cell, source=textwrap.dedent(source)))


def run(source: str, *, strict: bool = False, **names: Any) -> list[Check]:
    """Runs a test cell, rewritten; returns its statements."""
    test = rewritten(source)
    recorder = Recorder(test, strict=strict)
    space: dict[str, Any] = {"close": close, "part": part, "torch": torch, **names}
    recorder.put_into(space)
    with recording():
        for code in (test.visible, test.hidden):
            exec(code, space)
    return recorder.checks


def fates(checks: list[Check]) -> dict[int, str]:
    """Line → what became of the assertion there."""
    return {check.statement.first: check.fate for check in checks if check.statement.is_check}


def test_each_assertion_is_run_and_what_needs_a_failed_line_is_skipped() -> None:
    checks = run(
        """\
        assert 1 == 2, "first"
        x = nothing()
        assert x == 1
        y = x + 1
        assert y == 2
        x = 3
        assert x == 3
        assert 1 < 2"""
    )
    assert fates(checks) == {1: "failed", 3: "skipped", 5: "skipped", 7: "passed", 8: "passed"}
    failed = [check for check in checks if check.is_bad]
    assert [check.hint for check in failed][0] == "first"
    assert "NameError" in failed[1].hint and failed[1].statement.first == 2
    assert next(check for check in checks if check.statement.first == 5).lacks == ("y",)


def test_loops_parts_and_conditions_are_entered() -> None:
    checks = run(
        """\
        for n in range(4):
            assert n % 2 == 0, "odd"
            if n > 2:
                assert n == 0
        with part("a", 2):
            assert close(1.0, 2.0, "far")
            assert close(1.0, 1.0, "near")
        with part("b", 3):
            assert False"""
    )
    assert fates(checks) == {2: "failed", 4: "failed", 6: "failed", 7: "passed", 9: "failed"}
    odd = next(check for check in checks if check.statement.first == 2)
    assert (odd.runs, odd.failures, [value.text for value in odd.values][0]) == (4, 2, "1")
    assert [(check.part, check.weight) for check in checks if check.statement.is_check][-1] == ("b", 3)


def test_strict_runs_stop_where_grading_stops() -> None:
    source = 'with part("a"):\n    assert 1 == 2\n    assert 1 == 3\nwith part("b"):\n    assert 2 == 3'
    assert fates(run(source, strict=True)) == {2: "failed", 3: "not reached", 5: "failed"}
    with pytest.raises(AssertionError):
        run("assert 1 == 2\nassert 1 == 3", strict=True)


def test_code_that_expects_an_error_is_left_as_it_is() -> None:
    checks = run(
        """\
        try:
            assert 1 == 2
        except AssertionError:
            caught = True
        assert caught
        n = 0
        while n < 3:
            n += 1
        import contextlib
        with contextlib.suppress(ValueError):
            raise ValueError
        def helper(value):
            assert value > 0, "positive"
            return value
        assert helper(-1) == -1
        assert n == 3"""
    )
    assert fates(checks) == {5: "passed", 13: "failed", 15: "passed", 16: "passed"}


def test_operands_are_evaluated_once_and_told_apart() -> None:
    asked: list[int] = []

    def f(x: int) -> int:
        asked.append(x)
        return x

    student = SimpleNamespace(f=f)
    reference = SimpleNamespace(f=lambda x: x + 1)
    checks = run("assert reference.f(1) == student.f(1)", student=student, reference=reference)
    assert asked == [1]
    assert [(value.role, value.text) for value in checks[0].values] == [("expected", "2"), ("got", "1")]
    assert (
        "got 1, expected 2" in checks[0].detail.replace("got      1", "got 1,").replace(", (", " (") or checks[0].detail
    )


def test_an_assertion_without_operands_shows_the_names_that_it_uses() -> None:
    checks = run("rows = [1, -2]\nassert all(row > 0 for row in rows)")
    assert [(value.name, value.text) for value in checks[-1].values] == [("rows", "[1, -2]")]


def test_only_the_lines_that_made_the_inputs_are_listed() -> None:
    source = """\
        a = 1
        unused = 2
        a = 3
        def helper(x):
            return x + a
        with part("other"):
            b = 5
        with part("own"):
            b = helper(a)
            assert b == 0"""
    statements = rewritten(source).statements
    (check,) = (one for one in statements if one.is_check)
    assert [one.first for one in makers(statements, check)] == [3, 4, 8, 9]
