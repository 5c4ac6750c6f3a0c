"""Makes the answer cells of an otter question: those that tests grade, and those that a person grades."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.core.errors import SourceError
from autograder.course.markers import SOLUTION, begin, end, without_markers
from autograder.course.python_cells import DEFINITIONS, syntax_tree
from autograder.imports.original import Original
from autograder.imports.otter_blocks import Block
from autograder.imports.otter_config import Question
from autograder.imports.otter_solution import Solution, as_comments, is_marked, solution

_PLACEHOLDER = "Type your answer here, replacing this text."
_UNMARKED = "it has no `# SOLUTION` comment, so that otter shows it to students; here it is a solution"


def question_answers(question: Question, blocks: Sequence[Block], has_points: bool) -> dict[Block, Original]:
    """The cells of a question's prompts and solutions that are not taken over as they are.

    Args:
        question: its settings.
        blocks: its cells.
        has_points: whether its tests have points.

    Raises:
        SourceError: it cannot be graded as it stands; the message says what to do.
    """
    for prompt in (block for block in blocks if block.kind == "prompt" and block.is_code and is_marked(block.source)):
        raise SourceError(
            f"{prompt.place} has a solution, but is a prompt, which students see; move it to the solution block."
        )
    return (_manual if question.manual else _automatic)(question, blocks, has_points)


def _automatic(question: Question, blocks: Sequence[Block], has_points: bool) -> dict[Block, Original]:
    answers = _code_answers(blocks)
    made = {block: block.left_out("text of a solution, which otter does not show") for block in _texts(blocks)}
    hints: list[str] = []
    for prompt in (block for block in blocks if block.kind == "prompt" and block.is_code and answers):
        is_repeated = _defines(prompt.node.source)
        hints += [] if is_repeated else as_comments(prompt.source.split("\n"))
        why = "students see signature and docstring" if is_repeated else "its lines are comments"
        made[prompt] = prompt.left_out(f"{why} in cell {answers[0][0].number}")
    for number, (block, found) in enumerate(answers):
        looks = [found.look, "" if found.is_marked else _UNMARKED]
        if not number and question.points and not has_points:
            looks.append("the question has points, but no test and no `manual: true`, so otter does not award them")
        source = "\n".join([*(hints if not number else []), found.source])
        made[block] = block.original(source, "solution", _name(question, number), look=_joined(looks))
    return made


def _defines(source: str) -> bool:
    """Whether a cell defines a function or a class."""
    tree = syntax_tree(source)
    return any(isinstance(node, DEFINITIONS) for node in (tree.body if tree else ()))


def _code_answers(blocks: Sequence[Block]) -> list[tuple[Block, Solution]]:
    """The code cells of a solution; without those that otter shows to students as they are, if others have markers."""
    code = [block for block in blocks if block.kind == "solution" and block.is_code]
    found = [(block, solution(block.place, block.source)) for block in code]
    some_marked = any(one.is_marked for _, one in found)
    return [(block, one) for block, one in found if one.is_marked or not some_marked]


def _texts(blocks: Sequence[Block]) -> list[Block]:
    """The text cells of a solution, but for those that otter shows to students (tag `otter_include`)."""
    texts = [block for block in blocks if block.kind == "solution" and block.node.cell_type == "markdown"]
    return [block for block in texts if "otter_include" not in block.node.metadata.get("tags", [])]


def _manual(question: Question, blocks: Sequence[Block], has_points: bool) -> dict[Block, Original]:
    points = 1.0 if question.points is None else question.points
    if isinstance(points, tuple) or question.each is not None:
        raise SourceError(
            f"{blocks[0].path}, question {question.name!r} is graded by hand: give `points` as one number."
        )
    made: dict[Block, Original] = {}
    answers: list[tuple[Block, str, str]] = []
    texts = [(block, block.source) for block in _texts(blocks)]
    code = _code_answers(blocks)
    samples = {"markdown": texts, "code": [(block, found.source) for block, found in code]}
    looks = {block: _joined([found.look, "" if found.is_marked else _UNMARKED]) for block, found in code}
    for cell_type, given in samples.items():
        prompts = [block for block in blocks if block.kind == "prompt" and block.node.cell_type == cell_type]
        if not prompts and cell_type == "markdown" and len(given) > 1:  # otter has one answer cell for all texts
            prompts = [given[0][0]]
        for block, sample, used in _paired(prompts, given):
            shown = "" if block in used[:1] else block.source.strip("\n")
            shown = "" if _PLACEHOLDER in shown else shown
            answers.append((block, _answer(shown, sample, cell_type), looks.get(used[0], "") if used else ""))
            made |= {one: one.left_out(f"the sample answer of cell {block.number}") for one in used if one is not block}
    if not answers:
        raise SourceError(
            f"{blocks[0].path}, question {question.name!r} is graded by hand and has no answer; add a solution cell."
        )
    for number, (block, source, look) in enumerate(sorted(answers, key=lambda answer: blocks.index(answer[0]))):
        said = [look]
        if not number and not has_points:
            said.append("otter gives it no points; it has 1 here" if question.points is None else "")
            said.append(f"the {len(answers)} answers of the question share its points" if len(answers) > 1 else "")
        own = 0.0 if has_points else points / len(answers)
        made[block] = block.original(source, "manual", _name(question, number), own, _joined(said))
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
        sample = f"{begin(SOLUTION)}\n{without_markers(sample) or nothing}\n{end(SOLUTION)}"
    return f"{shown}\n{sample}" if shown else sample


def _name(question: Question, number: int) -> str:
    return question.name if not number else f"{question.name}_{number + 1}"


def _joined(looks: Sequence[str]) -> str:
    return "; ".join(filter(None, looks))
