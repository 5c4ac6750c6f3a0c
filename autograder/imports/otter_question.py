"""Makes the cells of one otter question: its answers, and its tests with their points."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from pathlib import Path

from autograder.core.errors import SourceError
from autograder.course.markers import HIDDEN, SOLUTION, begin, end, without_markers
from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.python_cells import DEFINITIONS, syntax_tree
from autograder.imports.original import Original, Role, check_markers
from autograder.imports.otter_blocks import Block
from autograder.imports.otter_case import Case, read_case
from autograder.imports.otter_config import Assignment, Question, resolved_points
from autograder.imports.otter_solution import Solution, as_comments, solution, without_ignored

_PLACEHOLDER = "Type your answer here, replacing this text."
_UNMARKED = "it has no `# SOLUTION` comment, so that otter shows it to students; here it is a solution"


def originals(path: Path, question: Question, blocks: Sequence[Block], assignment: Assignment) -> dict[Block, Original]:
    """The cells of a question that are not taken over as they are.

    Raises:
        SourceError: the question cannot be graded as it stands; the message says what to do.
    """
    cells = [block for block in blocks if block.kind == "test"]
    tests = _tests(path, question, cells, assignment) if cells else {}
    has_points = any(test.points for test in tests.values())
    answers = _manual if question.manual else _automatic
    return {**tests, **answers(path, question, blocks, has_points)}


def left_out(block: Block, why: str, look: str = "") -> Original:
    """A cell that has no counterpart in the new source."""
    return Original(block.number, block.node.cell_type, "", "given", "", 0.0, left_out=why, look=look)


# --- answers that tests grade ---


def _automatic(path: Path, question: Question, blocks: Sequence[Block], has_points: bool) -> dict[Block, Original]:
    answers = _code_answers(path, blocks)
    made = {block: left_out(block, "text of a solution, which otter shows to nobody") for block in _texts(blocks)}
    hints: list[str] = []
    for prompt in (block for block in blocks if block.kind == "prompt" and block.node.cell_type == "code" and answers):
        is_repeated = _defines(prompt.node.source)
        hints += [] if is_repeated else as_comments(prompt.node.source.split("\n"))
        why = "students see signature and docstring" if is_repeated else "its lines are comments"
        made[prompt] = left_out(prompt, f"{why} in cell {answers[0][0].number}")
    for number, (block, found) in enumerate(answers):
        looks = [found.look, "" if found.is_marked else _UNMARKED]
        if not number and question.points and not has_points:
            looks.append(
                "the question has points, but no test and no `manual: true`, so that otter gives them to nobody"
            )
        source = "\n".join([*(hints if not number else []), found.source])
        made[block] = _original(path, block, source, "solution", _name(question, number), look=_joined(looks))
    return made


def _defines(source: str) -> bool:
    """Whether a cell defines a function or a class."""
    tree = syntax_tree(source)
    return any(isinstance(node, DEFINITIONS) for node in (tree.body if tree else ()))


def _code_answers(path: Path, blocks: Sequence[Block]) -> list[tuple[Block, Solution]]:
    """The code cells of a solution; without those that otter shows to students as they are, if others have markers."""
    code = [block for block in blocks if block.kind == "solution" and block.node.cell_type == "code"]
    found = [(block, solution(where(path, block), _source(path, block))) for block in code]
    some_marked = any(one.is_marked for _, one in found)
    return [(block, one) for block, one in found if one.is_marked or not some_marked]


def _texts(blocks: Sequence[Block]) -> list[Block]:
    """The text cells of a solution, but for those that otter shows to students (tag `otter_include`)."""
    texts = [block for block in blocks if block.kind == "solution" and block.node.cell_type == "markdown"]
    return [block for block in texts if "otter_include" not in block.node.metadata.get("tags", [])]


# --- answers that a person grades ---


def _manual(path: Path, question: Question, blocks: Sequence[Block], has_points: bool) -> dict[Block, Original]:
    points = 1.0 if question.points is None else question.points
    if isinstance(points, tuple) or question.each is not None:
        raise SourceError(f"{path}, question {question.name!r} is graded by hand: give `points` as one number.")
    made: dict[Block, Original] = {}
    answers: list[tuple[Block, str, str]] = []
    texts = [(block, _source(path, block)) for block in _texts(blocks)]
    code = _code_answers(path, blocks)
    unmarked = {block for block, found in code if not found.is_marked}
    samples = {"markdown": texts, "code": [(block, found.source) for block, found in code]}
    looks = {block: _joined([found.look, "" if found.is_marked else _UNMARKED]) for block, found in code}
    for cell_type, given in samples.items():
        prompts = [block for block in blocks if block.kind == "prompt" and block.node.cell_type == cell_type]
        if not prompts and cell_type == "markdown" and len(given) > 1:  # otter has one answer cell for all texts
            prompts = [given[0][0]]
        for block, sample, used in _paired(prompts, given):
            shown = "" if block in used[:1] else _source(path, block).strip("\n")
            shown = "" if _PLACEHOLDER in shown else shown
            answers.append((block, _answer(shown, sample, cell_type), looks.get(used[0], "") if used else ""))
            made |= {
                one: left_out(one, f"the sample answer of cell {block.number}") for one in used if one is not block
            }
    if not answers:
        raise SourceError(
            f"{path}, question {question.name!r} is graded by hand and has no answer; add a solution cell."
        )
    for number, (block, source, look) in enumerate(sorted(answers, key=lambda answer: blocks.index(answer[0]))):
        said = [look]
        if not number and not has_points:
            said.append("otter gives it no points; it has 1 here" if question.points is None else "")
            said.append(f"the {len(answers)} answers of the question share its points" if len(answers) > 1 else "")
        own = 0.0 if has_points else points / len(answers)
        made[block] = _original(path, block, source, "manual", _name(question, number), own, _joined(said))
    assert unmarked <= made.keys()
    return made


def _paired(prompts: Sequence[Block], samples: Sequence[tuple[Block, str]]) -> list[tuple[Block, str, list[Block]]]:
    """The answer cells of a question: for each its cell, its sample answer, and the cells of that.

    Prompts and sample answers belong together one by one, if there are as many; else all sample answers to the first
    prompt. Without prompts each sample answer is an answer cell.
    """
    if not prompts:
        return [(block, sample, [block]) for block, sample in samples]
    if len(prompts) == len(samples):
        return [(prompt, sample, [block]) for prompt, (block, sample) in zip(prompts, samples, strict=True)]
    all_of_them = "\n\n".join(sample for _, sample in samples)
    first = (prompts[0], all_of_them, [block for block, _ in samples])
    return [first, *((prompt, "", []) for prompt in prompts[1:])]


def _answer(shown: str, sample: str, cell_type: str) -> str:
    """An answer cell: what students see, and the sample answer; marked where they are not the same."""
    if not shown and sample:
        return sample
    if begin(SOLUTION) not in sample:
        nothing = "pass" if cell_type == "code" else "(The original has no sample answer.)"
        sample = _region(without_markers(sample) or nothing, SOLUTION)
    return f"{shown}\n{sample}" if shown else sample


# --- tests ---


def _tests(path: Path, question: Question, blocks: Sequence[Block], assignment: Assignment) -> dict[Block, Original]:
    cases = [read_case(where(path, block), block.node, assignment) for block in blocks]
    points = resolved_points(f"{path}, question {question.name!r}", question, [case.settings.points for case in cases])
    looks = [case.look for case in cases]
    if isinstance(question.points, float) and not math.isclose(sum(points), question.points):
        looks[0] = _joined([looks[0], f"the question has {question.points:g} points, but its tests {sum(points):g}"])
    made: dict[Block, Original] = {}
    for target, members in _groups(question, cases, points).items():
        block, worth = blocks[target], sum(points[one] for one in members)
        others = [one for one in members if one != target]
        why = "all or nothing" if question.all_or_nothing else "no points with otter"
        where_to = f"in the test of cell {block.number}, which needs it to pass: {why}"
        made |= {blocks[one]: left_out(blocks[one], where_to, looks[one]) for one in others}
        source = _test_source([cases[one] for one in members])
        made[block] = _original(path, block, source, "test", f"{question.name} - {target + 1}", worth, looks[target])
    return made


def _groups(question: Question, cases: Sequence[Case], points: Sequence[float]) -> dict[int, list[int]]:
    """Position of a test → those that it consists of.

    A test without points that students see comes first in one with points: the first that they see, or the only one;
    but not if it uses other names, which that one would then depend on.
    """
    numbers = list(range(len(cases)))
    if question.all_or_nothing:
        return {numbers[0]: numbers}
    paid = [one for one in numbers if points[one]]
    free = [one for one in numbers if not points[one] and not cases[one].settings.hidden]
    visible = [one for one in paid if not cases[one].settings.hidden]
    target = next(iter(visible or (paid if len(paid) == 1 else [])), None)
    if target is None:
        return {one: [one] for one in numbers}
    free = [one for one in free if _names(cases[one]) <= _names(cases[target])]
    return {one: [*free, one] if one == target else [one] for one in numbers if one not in free}


def _names(case: Case) -> frozenset[str]:
    """The names of the notebook that a test uses."""
    names = names_of(case.source) or NO_NAMES
    return names.uses - names.binds - frozenset(dir(builtins))


def _test_source(cases: Sequence[Case]) -> str:
    visible = [case.source for case in cases if not case.settings.hidden]
    hidden = [case.source for case in cases if case.settings.hidden]
    return "\n".join([*visible, *([_region("\n".join(hidden), HIDDEN)] if hidden else [])])


# --- all cells ---


def where(path: Path, block: Block) -> str:
    """The place of a cell in words, for messages."""
    return f"{path}, cell {block.number}"


def _source(path: Path, block: Block) -> str:
    return without_ignored(where(path, block), block.node.source)


def _original(
    path: Path, block: Block, source: str, role: Role, name: str, points: float = 0.0, look: str = ""
) -> Original:
    check_markers(where(path, block), source.split("\n"))
    pictures = bool(block.node.get("attachments"))
    return Original(block.number, block.node.cell_type, source, role, name, points, pictures, look=look)


def _region(text: str, kind: str) -> str:
    return f"{begin(kind)}\n{text}\n{end(kind)}"


def _name(question: Question, number: int) -> str:
    return question.name if not number else f"{question.name}_{number + 1}"


def _joined(looks: Sequence[str]) -> str:
    return "; ".join(filter(None, looks))
