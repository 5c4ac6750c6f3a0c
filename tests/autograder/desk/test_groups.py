"""Groups hold answers that deserve one score; differences are marked word by word."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.desk.features import TextFeatures
from autograder.desk.groups import equal_groups, marked_differences, near_groups
from autograder.desk.normal_form import normal_form
from autograder.desk.shown_text import shown_formulas


def test_equal_answers_are_one_group_and_so_are_empty_ones() -> None:
    texts = ["The *loss*.", "", "no", "the loss.", "YOUR ANSWER HERE", "!", "The loss?"]
    assert equal_groups(texts) == [[0, 3], [1, 4], [2], [5], [6]]
    assert equal_groups([]) == []


def _near(texts: list[str]) -> list[list[int]]:
    forms = list(map(normal_form, texts))
    return near_groups(forms, TextFeatures.of(forms).characters, [group[0] for group in equal_groups(texts)])


def test_answers_that_differ_in_ordinary_words_are_near() -> None:
    texts = [
        "A stack is a data type that stores elements in a particular order.",
        "Queues serve their elements first in, first out.",
        "A stack is a data type that stores all elements in a particular order!",
        "a stack is a data type that stores elements in a particular order.",
    ]
    assert _near(texts) == [[0, 2], [1]]
    assert _near([]) == [] and _near(["one"]) == [[0]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("this stays smaller for a network of depth", "this does not stay smaller for a network of depth"),
        ("the learning rate of this network is 0.1 in all", "the learning rate of this network is 0.01 in all"),
        ("the order is log n, then n^2, then n^3, then n!", "the order is n^3, then n^2, then log n, then n!"),
        ("the gradient of this loss with respect to w", "the gradient of this loss with respect to W"),
        ("the test loss < the training loss of networks", "the test loss > the training loss of networks"),
        ("we can learn it with a deeper network here", "we can't learn it with a deeper network here"),
        ("as shown here ![](attachment:a.png) in the figure", "as shown here ![](attachment:b.png) in the figure"),
    ],
)
def test_answers_with_other_numbers_symbols_or_negations_are_never_near(one: str, other: str) -> None:
    forms = [normal_form(one), normal_form(other)]
    assert near_groups(forms, np.ones((2, 2)), [0, 1], 0.5) == [[0], [1]]


def test_each_pair_of_a_near_group_is_near() -> None:
    similarity = np.array([[1, 0.9, 0.6], [0.9, 1, 0.9], [0.6, 0.9, 1]])
    assert near_groups(["a b", "a c", "a d"], similarity, [0, 1, 2], 0.8) != [[0, 1, 2]]
    assert near_groups(["red", "green", "blue"], similarity, [0, 1, 2], 0.8) in ([[0, 1], [2]], [[0], [1, 2]])
    assert near_groups(["red", "green", "blue"], similarity, [0, 2], 0.8) == [[0], [2]]


def test_changed_words_are_marked() -> None:
    expected = [("The loss is ", False), ("very", True), (" low.", False)]
    assert marked_differences("The loss is very low.", "the loss is low.") == expected
    expected = [("It ", False), ("can grow", True), (" here", False)]
    assert marked_differences("It can grow here", "It does shrink here") == expected


def test_a_formula_is_one_word() -> None:
    found = marked_differences("so $\\frac{a}{b}$ costs $5 or $6", "so $\\frac{a}{c}$ costs $5 or $6")
    assert found == [("so ", False), ("$\\frac{a}{b}$", True), (" costs $5 or $6", False)]
    assert shown_formulas("$5 or $6 <b>") == "$5 or $6 &lt;b&gt;"
    assert shown_formulas("so $a<b$.") == 'so <span class="tex">a&lt;b</span>.'


def test_missing_words_are_an_empty_piece() -> None:
    assert marked_differences("It is small.", "It is not small.") == [("It is ", False), ("", True), ("small.", False)]
    assert marked_differences("It is so.", "It is one unit, and so no unit is left.")[-2:] == [("", True), (".", False)]
    assert ("", True) in marked_differences("One thing here.", "One is a pure number here."), "more words stand there"
    assert marked_differences("a", "a b") == [("a", False), ("", True)]
    assert marked_differences("", "a") == [("", True)] and marked_differences("", "") == []


@given(st.text("ab .\n", max_size=30), st.text("ab .\n", max_size=30))
def test_pieces_add_up_to_the_text(text: str, reference: str) -> None:
    pieces = marked_differences(text, reference)
    assert "".join(piece for piece, _ in pieces) == text
    assert marked_differences(text, text) == ([(text, False)] if text else [])
    assert any(different for _, different in pieces) == (text.split() != reference.split()) or " " in text + reference


def test_differences_of_long_texts_take_bounded_time() -> None:
    draw = random.Random(0)
    start = time.process_time()
    for words in (400, 100_000):
        one, other = (" ".join(draw.choices("ab", k=words)) for _ in range(2))
        assert "".join(piece for piece, _ in marked_differences(one, other)) == one
    marked = marked_differences("a " * 5000 + "x " + "a " * 5000, "a " * 5000 + "y " + "a " * 5000)
    assert [piece for piece, different in marked if different] == ["x"]
    assert time.process_time() - start < 5
