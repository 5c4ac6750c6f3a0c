"""Two ids are one student's if they differ in case, Unicode form or blanks only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.student_key import loose_key, same_student, spellings, student_key


@pytest.mark.parametrize(
    ("student", "other"),
    [
        ("ADA", "ada"),
        ("Jos\u00e9", "Jose\u0301"),
        ("JOS\u00c9", "jose\u0301"),
        (" Ada  Lovelace\t", "ada lovelace"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u0130", "i\u0307"),
    ],
)
def test_spellings_of_one_id_are_the_same_student(student: str, other: str) -> None:
    assert same_student(student, other) and same_student(other, student)


@pytest.mark.parametrize(("student", "other"), [("ada", "adam"), ("007", "7"), ("Jose", "Jos\u00e9"), ("a b", "ab")])
def test_other_ids_are_other_students(student: str, other: str) -> None:
    assert not same_student(student, other)


@given(st.text())
def test_the_key_of_an_id_is_that_of_its_upper_case_with_blanks(student: str) -> None:
    assert student_key(f" {student} ") == student_key(student)
    assert same_student(student.casefold(), student)


@given(st.text())
def test_the_loose_key_is_coarser_and_stable(student: str) -> None:
    key = loose_key(student)
    assert loose_key(key) == loose_key(student_key(student)) == loose_key(f"\u200b {student}\ufe0f. ") == key


@pytest.mark.parametrize(
    "other", ["ada.", "a\u00adda", "ad\u200da", "\uff21\uff24\uff21", "ada\u3164", "\x00ada", "\u1d43da"]
)
def test_names_that_look_alike_have_one_loose_key(other: str) -> None:
    assert loose_key(other) == loose_key("ada") and not same_student(other, "ada")


def test_spellings_keep_the_given_order() -> None:
    assert spellings(["ada", "bob", "ADA", "ada"]) == {"ada": ["ada", "ADA"], "bob": ["bob"]}
