"""Nothing in a student's markdown becomes active in nbconvert's pages or in MathJax; formulas, lists and code stay."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from autograder.core.plain_markdown import MOST_FORMULAS, plain_markdown
from autograder.core.tex_names import ENVIRONMENTS, MACROS


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<script>x</script>", "< script>x< /script>"),
        ("<!-- a -->", "< !-- a -->"),
        ("<https://example.org>", "< https: //example.org>"),
        ("see HTTP://example.org or www.example.org", "see HTTP: //example.org or www .example.org"),
        ("write to ada@example.org", "write to ada@ example.org"),
        ("[a](javascript:x)", "[a] (javascript:x)"),
        ("![a](http://example.org/a.png)", "![a] (http: //example.org/a.png)"),
        ("![a](attachment:www.a/b@2x.png)", "![a] (attachment:www%2Ea%2Fb%402x.png)"),
        ("![a", "! [a"),
        ("[a]: javascript:x", "[a] : javascript:x"),
        ("&#92;href &bsol;href", "& #92;href & bsol;href"),
        ("```mermaid\nx\n```", "```text mermaid\nx\n```"),
        (r"$\href{javascript:x}{y}$", r"$\ href{javascript:x}{y}$"),
        (r"\begin{html} \begin {align} \end", r"\ begin{html} \ begin {align} \ end"),
        ("a\rb\0c\u2028d", "a\nb\ufffdc\ufffdd"),
    ],
)
def test_what_would_be_active_is_shown_as_text(written: str, shown: str) -> None:
    assert plain_markdown(written) == shown


ORDINARY = [
    "a < b and x<0, R&D, a & b, f(x): y, @property, 3 @ 4",
    "- one\n- **two** `x[0]`\n  1. three\n- [ ] open",
    "> said\n\n# Title\n\n***\n~~no~~ *yes* \"q\" 'q'",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```python\nx = {1: [2]}\n```\n~~~\ntext\n~~~\n``` \n```\n``a ` b``",
    "```python title=a\nx\n```",
    r"$\frac{a}{b} \leq \hat{x}$ and $$\begin{aligned} a &= b \\ &< \sqrt[3]{\text{c}} \end{aligned}$$",
    r"$\mathbb{E}_{x \sim p}\left[\log p_\theta(x)\right] \xrightarrow[n]{m} \color{red}{x} \, \{1\} \\[2pt] \|x\|$",
    r"\begin{align*} \mathcal{L} &= \sum_{i=1}^n \tfrac12 \mathbf{x}_i \tag{1} \end{align*}",
]


@pytest.mark.parametrize("written", ORDINARY)
def test_ordinary_markdown_stays_unchanged(written: str) -> None:
    assert plain_markdown(written) == written


def test_known_macros_and_environments_stay() -> None:
    formulas = [f"$\\{name} x$" for name in MACROS - {"begin", "end"}]
    formulas += [f"\\begin{{{name}}} x \\end{{{name}}}" for name in ENVIRONMENTS]
    assert len(formulas) > 600 and all(plain_markdown(formula) == formula for formula in formulas)


ACTIVE = """href url class cssId id style data htmlClass htmlData htmlStyle htmlId require mmlToken unicode bbox enclose
    def gdef let newcommand renewcommand providecommand newenvironment renewenvironment DeclareMathOperator csname
    action texttip mathtip toggle includegraphics definecolor colorbox input catcode begingroup Rule Tiny""".split()
"""Macros that MathJax or KaTeX know and that make links, attributes, styles or other macros, or take options."""
WAYS: dict[str, Callable[[str], str]] = {
    "inline": lambda name: f"$\\{name}[href=javascript:x]{{mi}}{{x}}$",
    "block": lambda name: f"$$\n\\{name}{{javascript:x}}{{x}}\n$$",
    "environment": lambda name: f"\\begin{{align}}\\{name}{{x}}{{y}}\\end{{align}}",
    "unknown environment": lambda name: f"\\begin{{x}}\\{name}{{x}}{{y}}\\end{{x}}",
    "text": lambda name: f"$\\text{{\\{name}{{x}}{{y}}}}$",
    "other delimiters": lambda name: f"\\\\(\\{name}{{x}}{{y}}\\\\) \\\\[\\{name}{{x}}{{y}}\\\\]",
    "plain text": lambda name: f"\\\\{name}{{x}} \\\\\\{name}{{x}} \\$\\\\\\\\{name}{{x}}$",
    "dollar as entity": lambda name: f"&#36;\\\\{name}{{x}}{{y}}&#x24; &dollar;\\{name}{{x}}&dollar;",
    "backslash as entity": lambda name: f"$x$ &#36;&#92;{name}{{x}}$ &bsol;{name}{{x}} &#x5c;{name} &#92{name}",
    "letter as entity": lambda name: f"$ \\{name[0]}&#{ord(name[1])};{name[2:]} \\&#{ord(name[0])};{name[1:]}{{x}}",
    "zero bytes": lambda name: f"$\\{name[0]}\0{name[1:]}{{x}}$ $\\\0{name}{{x}}$",
    "line breaks": lambda name: f"$\\\\\\{name}{{x}}$ $\\\r{name}{{x}}\\\n{name}$ \\{name[0]}\r{name[1:]}",
    "after a macro": lambda name: f"$\\frac\\{name}\\alpha\\{name}12\\{name}_x\\{name}*$",
    "table": lambda name: f"| a |\n|---|\n| $\\{name}{{x}}{{y}}$ |",
    "heading and list": lambda name: f"# $\\{name}{{x}}$\n\n- > $\\{name}{{x}}{{y}}$\n[\\{name}] *\\{name}{{x}}*",
}


class _Seen(HTMLParser):
    """What a browser makes of a page: its tags with attributes, and the text in which MathJax looks for macros."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._code = 0
        self.feed(page.replace("\0", ""))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += "\n"  # MathJax finds no formula that goes over a tag
        self._code += tag in ("pre", "code")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("pre", "code")
        self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._code else data

    @property
    def macros(self) -> set[str]:
        """The names of the macros in its formulas."""
        return set(re.findall(r"\\([A-Za-z]+)", self.text))


@pytest.mark.parametrize("way", WAYS)
def test_active_macros_do_not_reach_mathjax(way: str) -> None:
    for name in ACTIVE:
        written = WAYS[way](name)
        assert _Seen(markdown2html_mistune(plain_markdown(written))).macros <= MACROS, written
        assert name in _Seen(markdown2html_mistune(written)).macros, "raw, it does"


FENCES = ("```", "````", "~~~", "~~~~~", "> ```", "- ~~~", "1. ```", "  ```", "- > ~~~", "* ```")
INFOS: tuple[str, ...] = (
    "mermaid",
    " mermaid",
    "\tmermaid x",
    "mermaid\\_",
    "\\mermaid",
    "&#109;ermaid",
    "{mermaid}",
    "MERMAID",
)
INFOS += (
    "math",
    "geojson",
    "\rmermaid",
    "\x0bmermaid",
    "\u00a0mermaid",
    "\u2028mermaid",
    "mermaid-x",
    ".mermaid",
    "=html",
)


@pytest.mark.parametrize(("fence", "info"), [*itertools.product(FENCES, INFOS)])
def test_blocks_of_code_are_no_diagrams(fence: str, info: str) -> None:
    page = markdown2html_mistune(plain_markdown(f"{fence}{info}\ngraph TD\n"))
    assert all("ermaid" not in str(attributes.get("class")) for _, attributes in _Seen(page).tags)
    assert not re.search(r"(`{3,}+|~{3,}+)[^\S\n]*+(?!text)\S", plain_markdown(f"{fence}{info}\n"))


PIECES = [
    *("<", ">", "[", "]", "(", ")", "!", ":", "//", "http", "https://", "www.", "@", "a", "example.org"),
    *("javascript:x", "id"),
    *("&", "#", "&#60;", "&#x5b;", "&lt;", "&colon;", ";", "\\", "\\\\", "$", "$$", "\\href", "{", "}", "href"),
    *("mermaid", "style"),
    *("```", "~~~", "`", "*", "_", "\n", "\n\n", "\r", "\0", " ", "    ", "> ", "- ", "|", "|-|", "# ", '"', "'", "="),
    *("img src=x onerror=y", "script", "a href=x", "\\begin{align}", "\\end{align}", "[r]", "attachment:x", "\u2028"),
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_page_has_links_pictures_or_attributes_of_a_students(written: str) -> None:
    seen = _Seen(markdown2html_mistune(plain_markdown(written)))
    assert seen.macros <= MACROS
    for tag, attributes in seen.tags:
        assert tag not in ("img", "script", "svg", "iframe", "math", "style"), written
        is_anchor = attributes.get("class") == "anchor-link" and (attributes["href"] or "").startswith("#")
        assert tag != "a" or is_anchor, written
        assert not any(name.startswith("on") or name == "src" for name in attributes), written
        assert "ermaid" not in (attributes.get("class") or ""), written


def test_attachments_only_keep_their_pictures() -> None:
    page = _Seen(markdown2html_mistune(plain_markdown("![a](attachment:x.png) [b](attachment:x.png)")))
    assert {tag for tag, _ in page.tags} == {"p"}


REPEATED = [
    *("[", "![", "]", "[a](", "[a][", "![a](attachment:x)", "](attachment:", "[[a]", "_[", "`", "`a``", "``` "),
    *(
        "```x\n",
        "\\begin{align}",
        "\\begin{align}\n",
        "\\begin{x}",
        "\\end{align}",
        "\\begin{align}$",
        "\\\\[",
        "\\\\(",
        "\\\\]",
    ),
    *("$", "$$", "$a", "$$\n", "*", "**a", "*a**", "_a", "__a_", "~", "~~a", "~~~\n", "'", '"', "> ", "\n> "),
    *(
        "\n",
        "\n\n",
        " \n",
        " ",
        "\t",
        "\n- a",
        "- ",
        "\n1. a",
        "|",
        "|a\n",
        "a|b\n-|-\n",
        "# ",
        "\n# a",
        "\\",
        "\\$",
        "\\a",
        "<",
    ),
    *("<a", "&", "&a", "&#", "(", "{", "a", "a@", "www.", "http://", "[a]:", "\n===", "\n---", "!", "^", "    a\n"),
    *("\r", "\0"),
]
NESTED = [("[", "]"), ("![", "](a)"), ("*", "*"), ("**", "**"), ("`", "`"), ("> ", "\n"), ("(", ")"), ("$", "$")]
NESTED += [
    ("{", "}"),
    ("\\begin{align}", "\\end{align}"),
    ("\\\\[", "\\\\]"),
    ("\\\\(", "\\\\)"),
    ("~~", "~~"),
    ("- ", "\n"),
]
NESTED += [('"', '"'), ("'", "'")]
SIZE = 6_000
MOST = 8
"""Maximum ratio of the times for texts of four times the size; it is 4 where time grows with the size."""
FLOOR = 0.02
"""Seconds below which times are not compared."""


@pytest.mark.long
@pytest.mark.parametrize("text", [*((one,) for one in REPEATED), *NESTED], ids=map(repr, [*REPEATED, *NESTED]))
def test_the_time_grows_with_the_size(text: tuple[str, ...]) -> None:
    def of_size(size: int) -> str:
        return "".join(part * (size // len(text) // len(part)) for part in text)

    def seconds(size: int, work: Callable[[str], object]) -> float:
        written, best = of_size(size), float("inf")
        for _ in range(2):
            begun = time.process_time()
            work(written)
            best = min(best, time.process_time() - begun)
        return best

    def page(written: str) -> str:
        return markdown2html_mistune(plain_markdown(written))

    for work, size in ((plain_markdown, 20 * SIZE), (page, SIZE)):
        assert seconds(4 * size, work) < MOST * max(seconds(size, work), FLOOR)


def test_only_some_formulas_of_a_text_are_set() -> None:
    for begin in ("\\begin{align}", "\\\\[", "\\\\("):
        shown = plain_markdown(f"{begin} x " * (MOST_FORMULAS + 5))
        assert shown.count(begin) == MOST_FORMULAS
