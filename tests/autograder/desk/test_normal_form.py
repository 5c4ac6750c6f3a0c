"""The normal form unites answers that differ in writing, and keeps apart those that differ in meaning."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.desk.normal_form import normal_form

_WORDS = (
    "loss",
    "the",
    "Gradient",
    "KL",
    "ärger",
    "不同",
    "значение",
    "not",
    "12",
    "3.5",
    "don't",
    "self-attention",
    "e.g.,",
)
_FORMULAS = ("x_1", "\\alpha x", "\\frac{a}{b}", "X + Y", "\\Sigma^2", "p(x | z)", "a*b_2", "\\text{if } x < 0")
_CODES = ("a  b", "x*y", "print(_)", "$HOME")
_MARKS = ("", "*", "**", "_", "***")


@st.composite
def _part(draw: st.DrawFn) -> tuple[str, str]:
    """Kind and text of a word, formula or code span."""
    kind = draw(st.sampled_from(("word", "word", "word", "formula", "code")))
    return kind, draw(st.sampled_from({"word": _WORDS, "formula": _FORMULAS, "code": _CODES}[kind]))


PARAGRAPHS = st.lists(st.lists(_part(), min_size=1, max_size=6), min_size=1, max_size=4)
"""Items of a list, of parts each."""


def _plain(items: list[list[tuple[str, str]]]) -> str:
    around = {"word": "{}", "formula": "${}$", "code": "`{}`"}
    return "\n".join("- entry " + " ".join(around[kind].format(text) for kind, text in item) for item in items)


@st.composite
def _rewritten(draw: st.DrawFn, items: list[list[tuple[str, str]]]) -> str:
    """The same answer in other markup, case, spaces and characters."""
    bullet = draw(st.sampled_from("-*+"))
    space = st.sampled_from((" ", "  ", "\n", " \n   ", "\t", "\xa0", "\u200b "))
    lines = []
    for item in items:
        line = (
            bullet
            + draw(st.sampled_from((" ", "   ")))
            + draw(st.sampled_from(("entry", "Entry", "**entry**", "ENTRY")))
        )
        for kind, text in item:
            line += draw(space)
            if kind == "word":
                change = draw(
                    st.sampled_from((str, str.upper, str.title, lambda t: t.replace("'", "’").replace("-", "‐")))
                )
                mark = draw(st.sampled_from(_MARKS if text[0].isalpha() else ("", "**")))  # `a *2* b` may be a product
                line += f"{mark}{change(text) if text != 'e.g.,' else text}{mark}"
            elif kind == "formula":
                begin, end = draw(
                    st.sampled_from((("$", "$"), ("$$", "$$"), ("\\(", "\\)"), ("\\\\[", "\\\\]"), ("$ ", "\\,$")))
                )
                line += (
                    begin
                    + text.replace("\\frac", draw(st.sampled_from(("\\frac", "\\dfrac")))).replace(" +", "\\; +")
                    + end
                )
            else:
                line += f"`` {text} ``"
        lines.append(line)
    return (
        draw(st.sampled_from(("", "\n", "YOUR ANSWER HERE\n")))
        + draw(st.sampled_from(("\n", "\n\n"))).join(lines)
        + "\n"
    )


@given(st.data(), PARAGRAPHS)
def test_other_writing_has_the_same_form(data: st.DataObject, items: list[list[tuple[str, str]]]) -> None:
    assert normal_form(data.draw(_rewritten(items))) == normal_form(_plain(items))


@given(PARAGRAPHS, PARAGRAPHS)
def test_other_words_formulas_or_code_have_other_forms(
    one: list[list[tuple[str, str]]], other: list[list[tuple[str, str]]]
) -> None:
    assert (normal_form(_plain(one)) == normal_form(_plain(other))) == (one == other)


@given(
    st.one_of(
        st.text(max_size=60),
        st.text("ab AI1'\n\t*_`$\\-+#.():~>=![]{}é\u200b\ue000İΣ", max_size=40),
        st.lists(
            st.sampled_from(
                (
                    "- ",
                    "1) ",
                    "\n",
                    "\n\n",
                    "    ",
                    "```",
                    "~~~",
                    "$",
                    "$$",
                    "\\(",
                    "\\\\(",
                    "\\)",
                    "\\[",
                    "\\]",
                    "**",
                    "*",
                    "__",
                )
                + (
                    "\\begin{a}",
                    "\\end{a}",
                    "`",
                    "\\",
                    "\\alpha",
                    "\\,",
                    "# ",
                    "![x](attachment:a.png)",
                    "YOUR ANSWER HERE",
                    "x",
                    "for:",
                )
                + (" ", "2", "{", "}", "^", "log", "not", "\\ ", "\\left", ".", ",", "=")
            ),
            max_size=25,
        ).map("".join),
    )
)
def test_the_form_of_a_form_is_itself(text: str) -> None:
    form = normal_form(text)
    assert normal_form(form) == form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The *loss*  is\nlow", "the **loss** is low"),
        ("# Result\nyes", "result\nYES"),
        ("- one\n- two", "* one\n\n* two"),
        ("1. one\n2. two", "1) one\n2) two"),
        ("$\\left( x\\,y \\right)$", "\\((xy)\\)"),
        ("$$\n\\dfrac{a}{b}\\quad c\n$$", "\\[ \\tfrac{a}{b} c \\]"),
        ("$x~y\\ z\\!$", "$xyz$"),
        ("$\\alpha\\,x$", "$\\alpha x$"),
        ("$x^{2}$", "$x^2$"),
        ("$x \\leq y$", "$x \\le y$"),
        ("“so” – it’s…", '"so" - it\'s...'),
        ("cafe\u0301\u200b", "café"),
        ("x − 1", "x - 1"),
        ("x = 3", "x=3"),
        ("costs $5 and $10", "costs \\$5 and \\$10"),
        ("a \\* b", "a * b"),
        ("```python\nx = 1\n```", "~~~\nx = 1  \n~~~"),
        ("so:\n\n    for x in y:\n        f()", "so:\n```\nfor x in y:\n    f()\n```"),
        ("for x in y:\n    f()\ng()", "```\nfor x in y:\n    f()\ng()\n```"),
        ("![mine](attachment:picture-1a.png)", "![attached picture](attachment:picture-1a.png)"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_equal(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x²", "x2"),
        ("x²", "x^2"),
        ("a*b", "ab"),
        ("a*b*c", "abc"),
        ("2 *3* 4", "2 3 4"),
        ("2**3**4", "234"),
        ("f(a_b_c)", "f(abc)"),
        ("use __init__", "use init"),
        ("it is not smaller", "it is smaller"),
        ("now here", "nowhere"),
        ("3", "4"),
        ("1,5", "1, 5"),
        ("0.5", "05"),
        ("-5", "5"),
        ("- 5", "5"),
        ("- 5", "+ 5"),
        ("- log p", "+ log p"),
        ("-$x$", "$x$"),
        ("- $x$", "+ $x$"),
        ("> 5", "5"),
        ("> 5", "< 5"),
        ("a < b", "a > b"),
        ("a <= b", "a < b"),
        ("$a \\le b$", "$a < b$"),
        ("$X$", "$x$"),
        ("N", "n"),
        ("p(X)", "p(x)"),
        ("$\\Sigma$", "$\\sigma$"),
        ("\\Sigma", "\\sigma"),
        ("Σ", "σ"),
        ("$x-y$", "$x+y$"),
        ("$-x$", "$x$"),
        ("$1 \\quad 2$", "$12$"),
        ("$1.2$", "$12$"),
        ("$x^{23}$", "$x^2 3$"),
        ("$x^{2y}$", "$x^2 y$"),
        ("$\\alpha x$", "$\\alphax$"),
        ("$\\text{not a}$", "$\\text{nota}$"),
        ("$\\left(x\\right)$", "$\\left[x\\right]$"),
        ("`X`", "`x`"),
        ("`a b`", "`ab`"),
        ("`x`", "x"),
        ("```\nif a:\n    b\nc\n```", "```\nif a:\n    b\n    c\n```"),
        ("if a:\n    b\nc", "if a:\n    b\n    c"),
        ("- ```\n  if a:\n      b\n  c\n  ```", "- ```\n  if a:\n      b\n      c\n  ```"),
        ("1. so\n\n       if a:\n           b\n       c", "1. so\n\n       if a:\n           b\n           c"),
        ("    if a:\n        b\n    c", "    if a:\n        b\n        c"),
        ("![](attachment:picture-1a.png)", "![](attachment:picture-1b.png)"),
        ("![](attachment:picture-1a.png)", "![](attachment:picture-1A.png)"),
        ("see ![](attachment:picture-1a.png)", "see"),
        ("1. b", "2. b"),
        ("+ fast\n- needs memory", "- fast\n+ needs memory"),
        ("+ fast\n- needs memory", "+ fast\n+ needs memory"),
        ("in Maßen", "in Massen"),
        ("yes", "yes?"),
        ("~~not~~ so", "not so"),
        ("YOUR ANSWER HERE not", "YOUR ANSWER HERE"),
        ("A \\ B", "A B"),
        ("{a}", "a"),
    ],
)
def test_different(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b", "YOUR ANSWER HERE", "*YOUR ANSWER HERE*", "# your  answer here\n", "$ $"]
)
def test_nothing_is_empty(text: str) -> None:
    assert normal_form(text) == ""


def test_an_answer_below_the_untouched_text_is_not_empty() -> None:
    assert normal_form("YOUR ANSWER HERE\n\nYes.") == normal_form("Yes.") != ""


@pytest.mark.parametrize(
    "text",
    [
        "the quick **brown** fox $x_1$ `a` \n" * 30_000,
        "- " * 500_000 + "x",
        "\n".join("  " * min(level, 500) + "- a" for level in range(2000)),
        "> " * 500_000 + "x",
        "*a **b " * 150_000,
        "_*" * 500_000,
        "$" * 999_999,
        "\\" * 999_999,
        "![[" * 300_000,
        "[" * 10_000 + "]" * 10_000,
        "`" * 999_999 + "a",
        " ".join("`" * length for length in range(1, 1400)),
        "$" + "{" * 500_000 + "$",
        "```\na\n" * 160_000,
        "\\begin{a}" * 100_000,
        "a:\n  b\n\n" * 100_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_a_long_answer_takes_no_quadratic_time(text: str) -> None:
    start = time.process_time()
    normal_form(text[:300_000])  # 0.3 s
    assert time.process_time() - start < 3
