"""The report finds disguised copies and leaves independent work alone."""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.cli.sample_class import make_class
from autograder.core.results import Outcome, Status
from autograder.course.problem import Problem, load_problem, problem_ids
from autograder.course.variants import variants
from autograder.report.code_fingerprint import shape_of_code, shape_of_text
from autograder.report.duplicates import known_of, same_files, work_of
from autograder.report.load import Entry
from autograder.report.notebooks import Answers, read_answers
from autograder.report.similarity import Group, Known, Work, similar_groups, threshold
from tests.autograder.graded_folder import log_of, with_item

KEEP = frozenset({"f"})

ORIGINAL = '''
def f(m, v, noise=None):
    """What it does."""
    if noise is None:
        noise = torch.randn_like(m)
    deviation = torch.sqrt(v)
    total: torch.Tensor = deviation * noise
    count = 0
    for row in range(3):
        count += row
    return m + total, count
'''
DISGUISED = """
import torch as t

def f(mean, variance, eps=None):
    # all mine
    n = 0
    for i in range(3): n = i + n
    std = t.sqrt(variance)
    if eps is None:
        print("drawing", eps)
        eps = t.randn_like(mean)
    noise_part = eps * std
    return (
        noise_part
        + mean, n
    )
"""


def shape(source: str) -> object:
    """The form of a cell that defines `f`."""
    found = shape_of_code(source, KEEP)
    assert found is not None
    return found.form


def test_names_layout_comments_and_order_make_no_difference() -> None:
    assert shape(ORIGINAL) == shape(DISGUISED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.sqrt(v)", "torch.exp(v)"),
        ("torch.sqrt(v)", "torch.sqrt(m)"),
        ("range(3)", "range(4)"),
        ("is None", "is not None"),
        ("m + total", "m - total"),
        ("        count += row", "        pass\n    count += row"),
    ],
)
def test_other_behaviour_makes_a_difference(old: str, new: str) -> None:
    assert old in ORIGINAL
    assert shape(ORIGINAL) != shape(ORIGINAL.replace(old, new))


def test_names_of_own_attributes_and_helpers_make_no_difference() -> None:
    one = "class f:\n def __init__(self, n):\n  self.items = [n]\n def add(self, x):\n  self.items += [x]\n"
    assert shape(one) == shape(one.replace("items", "buffer").replace("(self, x)", "(self, y)").replace("[x]", "[y]"))
    assert shape(one) != shape(one.replace("+=", "-="))
    two = "def helper(a):\n    return a + 1\ndef f(x):\n    return helper(x)\n"
    assert shape(two) == shape(two.replace("helper", "do_it"))
    assert shape(two) != shape(two.replace("return helper(x)", "return abs(x)"))


@pytest.mark.parametrize(
    "source",
    [
        *("def f(:", "x = '\udcff'", "x = 1\0", "#" * 40_000, "", "!ls\n%%time\n?"),
        "x = " + "(" * 5_000 + ")" * 5_000,
        "x = " + "-" * 20_000 + "1",
        "x = 1" + " + 1" * 7_000,
        "x = " + "9" * 9_000,
        "x" + ".a" * 9_000,
    ],
)
def test_invalid_or_huge_code_is_handled_in_seconds(source: str) -> None:
    before = time.process_time()
    found = shape_of_code(source)
    assert found is None or found.passages
    assert time.process_time() - before < 5


def test_text_is_compared_word_by_word() -> None:
    one = shape_of_text("The *KL* term pulls q towards the prior.")
    assert one == shape_of_text("the kl term,  pulls q - towards the prior!")
    assert one != shape_of_text("A KL term pulls q to p.")
    assert shape_of_text("Four words are few") is None and shape_of_text("word " * 10_000) is None


def test_invisible_text_makes_no_difference() -> None:
    seen = "A KL term pulls q towards the prior and makes codes overlap."
    for hidden in (
        seen.replace("term", "_term_").replace("prior", "**prior**"),
        seen.replace("pulls", "pul\u00adls").replace("codes", "co\u200bdes"),
        seen.replace(" ", " <!-- 7 --> "),
        seen + " " * 100_000,
    ):
        assert shape_of_text(hidden) == shape_of_text(seen)
    code = "def f(x):\n    return x * 2 + 1\n"
    assert shape(code) == shape("# words\n" * 10_000 + code + "\n" * 40_000)
    assert shape_of_code("x = 1\n" * 30_000) is None is shape_of_code("# nothing but words\n")


def _right_answers(problem: Problem) -> dict[str, list[str]]:
    """Item → right alternatives, which are written independently of one another."""
    found: dict[str, list[str]] = {}
    for variant in variants(problem, "right"):
        found.setdefault(variant.item, []).append(variant.source)
    return found


def _usual(problem: Problem) -> dict[str, str]:
    """The solution's code by item."""
    return {item.id: item.cell.source for item in problem.items if item.kind == "code"}


def _written(problem: Problem) -> list[str]:
    """The ids of the written items."""
    return [item.id for item in problem.items if item.kind == "written"]


def _known_without_alternatives(problem: Problem) -> dict[str, Known]:
    """What the report knows of a problem, as if there were no right alternatives."""
    right = _right_answers(problem)
    known = known_of(problem)
    for item, about in known.items():
        own = [shape_of_code(source, frozenset([item])) for source in right.get(item, [])]
        known[item] = replace(about, ours=tuple(shape for shape in about.ours if shape not in own))
    return known


def _groups(
    problem: Problem, answers: Sequence[Mapping[str, str]], known: Mapping[str, Known] | None = None
) -> list[Group]:
    """The groups of similar work in a class of s0000, s0001, ... with these answers."""
    works = [work_of(problem, f"s{number:04}", Answers(each, {})) for number, each in enumerate(answers)]
    return similar_groups(works, known_of(problem) if known is None else known)


@pytest.mark.parametrize("problem_id", problem_ids())
def test_independent_right_answers_are_no_copies_even_if_unknown(problem_id: str) -> None:
    problem = load_problem(problem_id)
    right = _right_answers(problem)
    unknown = {item: replace(known, ours=()) for item, known in known_of(problem).items()}
    most = max(map(len, right.values()))
    answers = [{item: each[number] for item, each in right.items() if number < len(each)} for number in range(most)]
    assert most >= 2 and _groups(problem, answers, unknown) == []


@pytest.mark.parametrize("size", [10, 60, 1000])
@pytest.mark.parametrize("problem_id", ["vae", "summarization"])
def test_common_answers_are_no_copies(problem_id: str, size: int) -> None:
    problem = load_problem(problem_id)
    right = _right_answers(problem)
    draw = random.Random(size)
    answers = [{item: draw.choice(each) for item, each in right.items()} for _ in range(size)]
    assert _groups(problem, answers) == []


def test_the_sample_class_has_no_copies(tmp_path: Path) -> None:
    for problem_id in ("vae", "policy_gradient", "rlhf"):
        problem = load_problem(problem_id)
        class_ = make_class([problem_id], tmp_path)
        read = [(one.name, read_answers(tmp_path, one.name, problem)) for one in class_]
        works = [work_of(problem, name, answers) for name, answers in read if answers]
        assert len(works) >= 6 and similar_groups(works, known_of(problem)) == []


class _Renamed(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(f"my_{node.id}", node.ctx) if node.id in self.own else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(f"my_{node.arg}") if node.arg in self.own else node

    def __init__(self, tree: ast.AST) -> None:
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        self.own = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}


def copied(source: str) -> str:
    """The same code with other names and another layout."""
    tree = ast.parse(source)
    return ast.unparse(_Renamed(tree).visit(tree))


@pytest.mark.parametrize("size", [4, 40, 400])
@pytest.mark.parametrize("problem_id", problem_ids())
def test_a_copy_with_other_names_is_found(problem_id: str, size: int) -> None:
    """One unusual pair in a class whose others write as our solution does; our right alternatives are unknown here."""
    problem = load_problem(problem_id)
    unusual = {item: each[-1] for item, each in _right_answers(problem).items()}
    if sum(map(len, unusual.values())) < 1500:
        pytest.skip("the answers are so short that two students may write the same")
    renamed = {item: copied(source) for item, source in unusual.items()}
    answers = [*[_usual(problem)] * (size - 2), unusual, renamed]
    (group,) = _groups(problem, answers, _known_without_alternatives(problem))
    assert group.students == (f"s{size - 2:04}", f"s{size - 1:04}") == group.pair
    assert group.digits >= threshold(size) and all(item.same for item in group.items)


def _essay(seed: int, words: int = 60) -> str:
    draw = random.Random(seed)
    return " ".join(f"word{int(draw.expovariate(0.01))}" for _ in range(words))


def _class_of_essays(texts: Sequence[str]) -> list[Group]:
    return _groups(load_problem("vae"), [{"written_terms": text} for text in texts])


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize(("size", "ring"), [(12, 4), (39, 4), (45, 5), (60, 6), (150, 5), (200, 6)])
def test_a_ring_is_found_even_if_each_member_changed_a_little(size: int, ring: int, changed: bool) -> None:
    """The others write as our solution does, and texts of their own; each of the ring adds a line or changes words."""
    problem = load_problem("vae")
    written, usual = _written(problem), _usual(problem)
    source = {item: each[-1] for item, each in _right_answers(problem).items()}

    def member(number: int) -> dict[str, str]:
        words = [_essay(10_000 + place, 80).split() for place, _ in enumerate(written)]
        for text in words if changed else []:
            text[7 * number + 3] = text[7 * number + 40] = f"other{number}"
        own = f"\nunused_{number} = {number} * {number + 1} - {number + 2}\n" if changed else ""
        code = {item: copied(each) + own for item, each in source.items()}
        return {**code, **dict(zip(written, map(" ".join, words), strict=True))}

    honest = [
        {**usual, **{item: _essay(number * 10 + place, 80) for place, item in enumerate(written)}}
        for number in range(size - ring)
    ]
    (group,) = _groups(problem, [*honest, *map(member, range(ring))], _known_without_alternatives(problem))
    assert group.students == tuple(f"s{number:04}" for number in range(size - ring, size))


def test_a_copied_text_with_small_changes_is_found() -> None:
    texts = [_essay(seed) for seed in range(200)]
    assert _class_of_essays(texts) == []
    words = texts[7].split()
    words[10], words[30], words[50] = "other", "words", "here"
    (group,) = _class_of_essays([*texts, " ".join(words).upper() + "!"])
    assert group.students == ("s0007", "s0200") and not group.items[0].same and group.items[0].share > 0.5
    assert _class_of_essays([*texts, " ".join([*words[:12], *_essay(999).split()])]) == []
    (padded,) = _class_of_essays([*texts, " ".join([*words, *_essay(999, 300).split()])])
    assert padded.students == ("s0007", "s0200")


def test_a_ring_is_one_group_and_does_not_make_its_own_work_common() -> None:
    texts = [_essay(seed) for seed in range(200)]
    (group,) = _class_of_essays([*texts, *[texts[3]] * 15, texts[3] + " and a few more words"])
    assert group.students == ("s0003", *(f"s{number:04}" for number in range(200, 216)))
    (same,) = _class_of_essays([*texts, *[texts[3]] * 15])
    assert same.students == ("s0003", *(f"s{number:04}" for number in range(200, 215))) and same.items[0].same


@pytest.mark.long
@pytest.mark.parametrize("size", [10, 100, 1000])
def test_the_same_excuse_for_all_written_items_is_no_copy(size: int) -> None:
    problem = load_problem("diffusion")
    written = _written(problem)
    excuse = "I did not have enough time to answer this question, sorry about that."
    others = [{item: _essay(seed * 10 + place) for place, item in enumerate(written)} for seed in range(size - 3)]
    late = [dict.fromkeys(items, excuse) for items in (written, written, written[1:])]
    assert len(written) >= 3 and _groups(problem, [*others, *late]) == []


@pytest.mark.long
@pytest.mark.parametrize("size", [10, 100, 1000])
@pytest.mark.parametrize("problem_id", problem_ids())
def test_two_answers_equal_to_our_solution_are_no_copies(problem_id: str, size: int) -> None:
    """However few do: it is how one writes it, and the notebook's hints lead there."""
    problem = load_problem(problem_id)
    usual = _usual(problem)
    others = [{item: f"def {item}():\n    return {number}\n" for item in usual} for number in range(size - 2)]
    assert _groups(problem, [*others, usual, dict(usual)]) == []


def test_text_quoted_from_the_release_is_no_copy() -> None:
    problem = load_problem("vae")
    given = max((cell.source for cell in problem.cells if cell.cell_type == "markdown"), key=len)
    assert _class_of_essays([*(_essay(seed) for seed in range(50)), given, given + " Indeed."]) == []


def test_equal_short_answers_are_no_copies_however_rare_and_many() -> None:
    """One function, or eight of one line each with the same unusual line in all: taste, or an idea."""
    vae, diffusion = load_problem("vae"), load_problem("diffusion")
    one = {"sample_gaussian": "def sample_gaussian(m, v, noise=None):\n    return torch.special.erfcx(m) @ v\n"}
    eight = {item: f"def {item}(*a):\n    return torch.special.erfcx(a)\n" for item in _usual(diffusion)}
    for problem, short in ((vae, one), (diffusion, eight)):
        assert _groups(problem, [_usual(problem)] * 60 + [short] * 2) == []


def test_one_shared_part_of_two_long_answers_is_no_copy() -> None:
    def answer(seed: int) -> str:
        lines = [f"    y = torch.roll(x, {n}) - x.std() ** {n}" for n in range(100, 140)]
        lines += [f"    y = torch.flip(x, {n}) / x.var({n}) ** 2" for n in range(seed * 1000, seed * 1000 + 90)]
        return "\n".join(["def kl_standard_normal(m, v):", *lines])

    problem = load_problem("vae")
    answers = [_usual(problem)] * 100 + [{"kl_standard_normal": answer(seed)} for seed in (1, 2)]
    assert _groups(problem, answers) == []
    assert len(_groups(problem, answers, {i: replace(about, share=0.1) for i, about in known_of(problem).items()})) == 1


def test_two_groups_are_separate_and_the_stronger_comes_first() -> None:
    texts = [_essay(seed) for seed in range(100)]
    groups = _class_of_essays([*texts, texts[1][: len(texts[1]) * 3 // 4], texts[2]])
    assert [group.students for group in groups] == [("s0002", "s0101"), ("s0001", "s0100")]
    assert groups[0].digits > groups[1].digits


def test_equal_files_are_named_unless_nothing_was_answered() -> None:
    logs = [log_of(name, notebook_sha256=digest) for name, digest in zip("abcde", "12133", strict=True)]
    for number in (3, 4):
        for item in logs[number].items:
            logs[number] = with_item(logs[number], item.id, status=Status.MISSING)
    logs += [log_of(name, notebook_sha256=None, outcome=Outcome.MISSING) for name in "fg"]
    assert same_files([Entry(log) for log in logs]) == (("a", "c"),)


def test_a_class_of_a_thousand_takes_seconds() -> None:
    """All texts are different, the worst case for the index; two students work together."""
    texts = [_essay(seed, 150) for seed in range(999)]
    words = texts[500].split()
    before = time.process_time()
    (group,) = _class_of_essays([*texts, " ".join([*words[75:], *words[:75]])])
    assert group.students == ("s0500", "s0999")
    assert time.process_time() - before < 20


@pytest.mark.parametrize("students", [0, 1, 2, 1000])
def test_the_threshold_grows_with_the_number_of_pairs(students: int) -> None:
    assert threshold(students) >= 3 and threshold(students + 1) >= threshold(students)
    assert similar_groups([Work(str(number), {}) for number in range(students)], {}) == []
