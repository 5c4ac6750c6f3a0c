"""Decides what becomes of each cell of an nbgrader notebook: which are code items, and which a person must grade.

A test cell belongs to the solution cell whose names it uses. An item whose tests can all run outside the student's
process is graded by them; any other is graded by hand, with the same points.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.core.errors import SourceError
from autograder.course.markers import HIDDEN, RUBRIC, region, replaced, without_markers
from autograder.course.name_analysis import NO_NAMES, Names, names_of, needed
from autograder.course.python_cells import syntax_tree
from autograder.imports.answers import CodeAnswer, code_answer
from autograder.imports.original import Original
from autograder.imports.rewrite import SoundTest
from autograder.imports.soundness import RESERVED, Reason, unsound


@dataclass
class Answer:
    """A solution cell, or a cell that is graded by hand, with the test cells that belong to it."""

    cell: Original
    binds: frozenset[str]
    """The names that the solution defines."""
    tests: list[Original] = field(default_factory=list)
    code: CodeAnswer | None = None
    """What a code item's cell becomes; None if a person grades the item."""
    reasons: dict[int, Reason] = field(default_factory=dict)
    """Number of a cell → why a person must grade the item because of it."""
    item: str = ""
    """Id of the item; empty if it has no points."""

    @property
    def points(self) -> float:
        """Points of the item."""
        return self.cell.points + sum(test.points for test in self.tests)

    @property
    def is_code(self) -> bool:
        """Whether tests grade it."""
        return self.points > 0 and self.code is not None and not self.reasons


class Plan:
    """What becomes of the cells of one notebook."""

    def __init__(self, cells: Sequence[Original]) -> None:
        self.cells = cells
        for cell in cells:
            taken = _names(cell).binds & RESERVED
            if taken and cell.role != "test":
                raise SourceError(f"{cell.place} defines `{min(taken)}`, a name that notebooks need here; rename it.")
        self.answers = [
            Answer(cell, _names(cell).binds - dict(_imports(iter([cell]))).keys())
            for cell in cells
            if cell.role in ("solution", "manual", "task")
        ]
        self.imports = dict(_imports(cell for cell in cells if cell.role == "given"))
        self._other_imports = dict(_imports(cell for cell in cells if cell.role in ("test", "solution")))
        self._assign_tests()
        for answer in self.answers:
            self._decide(answer)
        self.helpers = self._helpers()
        for answer in self.answers:
            self._judge_tests(answer)
        while self._spread():
            pass
        self._name_items()

    @property
    def graded(self) -> frozenset[str]:
        """The names of the functions and classes of code items."""
        return frozenset(answer.code.name for answer in self.answers if answer.is_code and answer.code)

    def answer_of(self, cell: Original) -> Answer:
        """The answer that a cell is, or that a test cell belongs to."""
        return next(answer for answer in self.answers if cell is answer.cell or cell in answer.tests)

    def tests_of(self, answer: Answer) -> list[SoundTest]:
        """The tests of a code item that have points."""
        others = {name: text for name, text in self._other_imports.items() if name not in self.imports}
        return [
            SoundTest(test.grade_id, test.points, test.source, self._needed_imports(test.source, others))
            for test in answer.tests
            if test.points > 0
        ]

    def _assign_tests(self) -> None:
        for test in (cell for cell in self.cells if cell.role == "test"):
            uses = _names(test).uses
            used = [answer for answer in self.answers if answer.binds & uses and answer.cell.cell_type == "code"]
            above = [answer for answer in self.answers if answer.cell.number < test.number]
            if len(used) == 1:
                used[0].tests.append(test)
                continue
            nearest = [answer for answer in used if answer in above] or used or above
            if not nearest:
                nearest = [Answer(test, frozenset())]
                self.answers.append(nearest[0])
            owner = nearest[-1]
            names = " and ".join(f"`{min(answer.binds & uses)}`" for answer in used)
            why = f"it uses {names}, of several solution cells" if used else "it uses no name of a solution cell"
            if test.points > 0:
                owner.reasons[test.number] = Reason(why, "let each test cell test the function of one solution cell")
            if owner.cell is not test:
                owner.tests.append(test)

    def _decide(self, answer: Answer) -> None:
        if answer.cell.role != "solution" or not answer.tests:
            return
        made = code_answer(answer.cell.source)
        others = [one.code.name for one in self.answers if one.code]
        if isinstance(made, CodeAnswer) and made.name in others:
            made = Reason(f"`{made.name}` is defined by a solution cell above", "give it another name")
        if isinstance(made, Reason):
            answer.reasons[answer.cell.number] = made
        else:
            answer.code = made

    def _helpers(self) -> frozenset[str]:
        """Functions of given cells that use imports, each other and nothing else of the notebook."""
        found: dict[str, str] = {}
        for cell in (cell for cell in self.cells if cell.role == "given" and cell.cell_type == "code"):
            tree = syntax_tree(cell.source)
            found |= (
                {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
                if tree
                else {}
            )
        known = set(found).difference(*(answer.binds for answer in self.answers))
        while foreign := {name for name in known if unsound(self._with_imports(found[name]), (), known)}:
            known -= foreign
        return frozenset(known)

    def _judge_tests(self, answer: Answer) -> None:
        if answer.code is None:
            return
        for test in (test for test in answer.tests if test.points > 0):
            for source in (test.source, replaced(test.source, HIDDEN, None)):
                if reason := unsound(self._with_imports(source), {answer.code.name}, self.helpers):
                    answer.reasons.setdefault(test.number, reason)
        if changed := _changed_argument(without_markers(answer.cell.source), answer.code.name):
            why = f"the solution changes its argument `{changed}` in place, and tests get copies"
            answer.reasons[answer.cell.number] = Reason(why, "let the function return its result")

    def _with_imports(self, source: str) -> str:
        """Code with the imports of the notebook that it needs."""
        return "\n".join([*self._needed_imports(source, self._other_imports | self.imports), source])

    def _needed_imports(self, source: str, imports: Mapping[str, str]) -> tuple[str, ...]:
        names = names_of(source) or NO_NAMES
        wanted = sorted(names.uses - names.binds)
        return tuple(dict.fromkeys(imports[name] for name in wanted if name in imports))

    def _spread(self) -> bool:
        """Finds a code item that needs a name of a cell that grading does not run; returns whether there is one."""
        runs = [
            cell for cell in self.cells if cell.cell_type == "code" and cell.role in ("given", "solution", "manual")
        ]
        by_hand = {a.cell.number for a in self.answers if not a.is_code}
        for answer in (answer for answer in self.answers if answer.is_code):
            uses = [_names(cell).uses for cell in (answer.cell, *answer.tests)]
            chosen = needed([without_markers(cell.source) for cell in runs], frozenset().union(*uses))
            for position in sorted(chosen):
                cell = runs[position]
                if cell.number in by_hand and cell is not answer.cell:
                    name = min(_names(cell).binds, default="*")
                    why = f"it needs `{name}` of {cell.place}, which is graded by hand and so does not run"
                    fix = "make the cell above a code item first, then this one"
                    answer.reasons[answer.cell.number] = Reason(why, fix)
                    return True
        return False

    def _name_items(self) -> None:
        taken = set(self.graded)
        for answer in (answer for answer in self.answers if answer.points > 0):
            if answer.is_code and answer.code:
                answer.item = answer.code.name
                continue
            is_figure = answer.cell.cell_type == "code" and answer.cell.role in ("solution", "manual")
            label = re.sub(r"\W+", "_", answer.cell.grade_id, flags=re.ASCII).strip("_") or f"cell_{answer.cell.number}"
            name = base = f"{'figure' if is_figure else 'written'}_{label}"
            number = 2
            while name in taken:
                name, number = f"{base}_{number}", number + 1
            taken.add(name)
            answer.item = name


def _names(cell: Original) -> Names:
    """The names of a code cell, of its solution too."""
    if cell.cell_type != "code":
        return NO_NAMES
    source = replaced(cell.source, RUBRIC, None) if region(cell.source, RUBRIC) else cell.source
    return names_of(source) or NO_NAMES


def _imports(cells: Iterator[Original]) -> Iterator[tuple[str, str]]:
    """Name → the statement that imports it, of the statements at the top level of code cells."""
    for cell in cells:
        tree = syntax_tree(cell.source) if cell.cell_type == "code" else None
        for node in tree.body if tree else ():
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    yield (alias.asname or alias.name).split(".")[0], ast.unparse(node)


_CHANGE = ("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "add", "discard")


def _changed_argument(source: str, name: str) -> str:
    """The parameter that a function changes in place; empty if none is seen."""
    tree = syntax_tree(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name] if tree else []
    for function in functions:
        own = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        own -= {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(function):
            target: ast.AST | None = None
            if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
                target = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGE:
                target = node.func.value
            if isinstance(target, ast.Name) and target.id in own:
                return target.id
    return ""
