"""A promise of a docstring that its test never looks at is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.problem import load_problem, problem_ids
from autograder.release.promises import unchecked_promises
from tests.autograder.toy import course_copy
from tests.conftest import ROOT


@pytest.mark.parametrize("problem", problem_ids(ROOT))
def test_the_problems_of_the_course_check_what_they_promise(problem: str) -> None:
    assert list(unchecked_promises(load_problem(problem, ROOT))) == []


@pytest.mark.parametrize(
    ("sentence", "promise"),
    [
        ("Returns:\n        A tensor with the data type of x.", "the result's data type"),
        ("All randomness: a `torch.Generator` from which all randomness comes.", "randomness from the given generator"),
        ("Raises:\n        OverflowError: never.", "a OverflowError"),
        ("Returns:\n        A LongTensor.", "whole numbers"),
        ("logits: any size.", "numbers of any size"),
    ],
)
def test_a_promise_without_a_check_is_named(sentence: str, promise: str, tmp_path: Path) -> None:
    root = course_copy(tmp_path / "course")
    source = root / "solutions" / "toy.py"
    text = source.read_text(encoding="utf-8")
    begin = text.index('"""', text.index("def standardize(")) + 3
    end = text.index('"""', begin)
    source.write_text(f"{text[:begin]}Standardizes.\n\n    {sentence}\n    {text[end:]}", encoding="utf-8")
    assert ("standardize", promise) in list(unchecked_promises(load_problem("toy", root)))
