"""Decides what becomes of each cell of a notebook: which are code items, how they are tested, which a person grades.

A test cell belongs to the solution cell whose names it uses, to the last one if it uses several. A test that means the
same outside the student's process runs there, any other one inside it; what can run in neither way is graded by hand,
with the same points.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.core.errors import SourceError
from autograder.course.markers import HIDDEN, RUBRIC, SOLUTION, begin, end, region, replaced, without_markers
from autograder.course.name_analysis import NO_NAMES, Names, definitions, names_of, needed
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.answers import CodeAnswer, code_answer
from autograder.imports.code_edits import with_decorators
from autograder.imports.original import Original
from autograder.imports.own_names import with_own_names
from autograder.imports.reach import Reached, changed_in_place, silent_functions
from autograder.imports.rewrite import ItemPart
from autograder.imports.soundness import RESERVED, Reason, unsound
from autograder.imports.star_imports import public_names
from autograder.release.lint_names import training_call


@dataclass(eq=False)
class Answer:
    """A solution cell, or a cell that is graded by hand, with the test cells that belong to it."""

    cells: list[Original]
    """The cell; before it, solution cells without tests that it needs."""
    binds: frozenset[str]
    """The names that the solution defines."""
    tests: list[Original] = field(default_factory=list)
    code: CodeAnswer | None = None
    """What a code item's cell becomes; None if a person grades the item."""
    by_hand: dict[int, Reason] = field(default_factory=dict)
    """Number of a cell → why a person must grade the item because of it."""
    inside: dict[int, Reason] = field(default_factory=dict)
    """Number of a cell → why the item's test must run inside the student's process because of it."""
    item: str = ""
    """Id of the item; empty if it has no points."""

    @property
    def cell(self) -> Original:
        """The cell with the answer; of several, the last one."""
        return self.cells[-1]

    @property
    def source(self) -> str:
        """The text of its cells, as one."""
        return self.cell.source if len(self.cells) == 1 else "\n\n".join(_marked(cell.source) for cell in self.cells)

    @property
    def points(self) -> float:
        """Points of the item."""
        return self.cell.points + sum(test.points for test in self.tests)

    @property
    def is_code(self) -> bool:
        """Whether tests grade it."""
        return self.points > 0 and self.code is not None and not self.by_hand

    @property
    def is_in_process(self) -> bool:
        """Whether its test runs inside the student's process."""
        return self.is_code and bool(self.inside)


class Plan:
    """What becomes of the cells of one notebook.

    Args:
        cells: the cells.
        known: number of a test cell, or of a solution cell → what was found when its test was tried.
    """

    def __init__(self, cells: Sequence[Original], known: Mapping[int, Reason] | None = None) -> None:
        self.cells = cells = with_own_names(cells)
        for cell in cells:
            taken = _names(cell).binds & RESERVED
            if taken and cell.role != "test":
                raise SourceError(f"{cell.place} defines `{min(taken)}`, a name that notebooks need here; rename it.")
        self.answers = [
            Answer([cell], _names(cell).binds - dict(_imports(iter([cell]))).keys())
            for cell in cells
            if cell.role in ("solution", "manual", "task")
        ]
        answered = frozenset().union(*(answer.binds for answer in self.answers))
        self.imports, self._other_imports = (
            {
                name: statement
                for name, statement in _imports(cell for cell in cells if cell.role in roles)
                if name not in answered
            }
            for roles in (["given"], ["test", "solution"])
        )
        self._assign_tests()
        self._join()
        for answer in self.answers:
            self._decide(answer, known or {})
        self.given_values = self._given_values()
        self.helpers = self._helpers()
        while any([self._judge(answer) for answer in self.answers] + [self._spread()]):
            pass
        self._name_items()

    def reached_by(self, answer: Answer) -> Reached | None:
        """What the tests of a code item reach in the student's process; None if they run inside it."""
        return None if answer.is_in_process else self._reached()

    def answer_of(self, cell: Original) -> Answer:
        """The answer that a cell is part of, or that a test cell belongs to."""
        return next(answer for answer in self.answers if cell in answer.cells or cell in answer.tests)

    def tests_of(self, answer: Answer) -> list[ItemPart]:
        """The tests of a code item that have points."""
        others = {name: text for name, text in self._other_imports.items() if name not in self.imports}
        return [
            ItemPart(test.grade_id, test.points, test.source, self._needed_above(test, others))
            for test in answer.tests
            if test.points > 0
        ]

    def only_trains(self, cell: Original) -> bool:
        """Whether a given cell trains as it runs, and no test or tested answer needs what it makes."""
        training = set[str]()
        trees = {one.number: tree for one in self._given() if (tree := syntax_tree(plain_python(one.source)))}
        calls = {number: training_call(tree, training) for number, tree in trees.items()}
        if calls.get(cell.number) is None:
            return False
        answers = [answer for answer in self.answers if answer.is_code]
        runs = sorted([*self._given(), *(answer.cell for answer in answers)], key=lambda one: one.number)
        wanted = frozenset().union(*map(self._uses, answers))
        return runs.index(cell) not in needed([without_markers(one.source) for one in runs], wanted)

    def _assign_tests(self) -> None:
        given = frozenset().union(*(_names(cell).binds for cell in self._given())) - self.imports.keys()
        for test in (cell for cell in self.cells if cell.role == "test"):
            names = names_of("\n".join([*self._needed_above(test, {}), test.source])) or _names(test)
            uses = names.uses | names.binds
            above = [answer for answer in self.answers if answer.cell.number < test.number]
            used = [answer for answer in self.answers if answer.binds & uses and answer.cell.cell_type == "code"]
            nearest = [answer for answer in used if answer in above] or used or above
            if not nearest:
                nearest = [Answer([test], frozenset())]
                self.answers.append(nearest[0])
            owner = nearest[-1]
            if not uses & given and not used and test.points > 0:
                why = "it uses no name of the notebook"
                owner.inside[test.number] = Reason(why, "let it test a function or a variable of the notebook")
            if owner.cell is not test:
                owner.tests.append(test)

    def _join(self) -> None:
        """Joins a solution cell without tests to the one below it that needs it, if only text is between them."""
        for answer in [*self.answers]:
            below = next((one for one in self.answers if one.cell.number > answer.cell.number), None)
            if below is None or answer.tests or not below.tests:
                continue
            between = self.cells[answer.cell.number : below.cells[0].number - 1]
            is_near = all(cell.cell_type != "code" for cell in between)
            if is_near and answer.cell.role == below.cell.role == "solution" and answer.binds & self._uses(below):
                below.cells[:0] = answer.cells
                below.binds |= answer.binds
                self.answers.remove(answer)

    def _uses(self, answer: Answer) -> frozenset[str]:
        return frozenset().union(*(_names(cell).uses for cell in (*answer.cells, *answer.tests)))

    def _decide(self, answer: Answer, known: Mapping[int, Reason]) -> None:
        if answer.cell.role != "solution" or not answer.tests:
            return
        made = code_answer(answer.source)
        if isinstance(made, Reason):
            answer.by_hand[answer.cell.number] = made
            return
        answer.code = made
        for cell in (*answer.cells, *answer.tests):
            if reason := known.get(cell.number):
                (answer.by_hand if reason.by_hand else answer.inside)[cell.number] = reason
        if changed := _changed_argument(without_markers(answer.source), made.name):
            why = f"the solution changes its argument `{changed}` in place, and tests outside get copies"
            answer.inside.setdefault(answer.cell.number, Reason(why, "let the function return its result"))

    def _given_values(self) -> frozenset[str]:
        """The variables of given cells that depend on no answer: tests take them from our side, as they were given."""
        answered = frozenset().union(*(answer.binds for answer in self.answers))
        given, functions = frozenset[str](), frozenset[str]()
        for cell in self._given():
            names = _names(cell)
            if names.uses & answered:
                answered |= names.binds
            given, functions = given | names.binds, functions | definitions(cell.source)
        return given - functions - answered - self.imports.keys()

    def _helpers(self) -> frozenset[str]:
        """Functions of given cells that use imports, given values, each other and nothing else of the notebook."""
        found: dict[str, str] = {}
        for cell in self._given():
            tree = syntax_tree(cell.source)
            functions = [node for node in (tree.body if tree else ()) if isinstance(node, ast.FunctionDef)]
            found |= {node.name: ast.unparse(node) for node in functions}
        known = set(found).difference(*(answer.binds for answer in self.answers))
        while foreign := {
            name for name in known if unsound(self._with_imports(found[name]), Reached(), known | self.given_values)
        }:
            known -= foreign
        return frozenset(known)

    def _given(self) -> Iterator[Original]:
        return (cell for cell in self.cells if cell.role == "given" and cell.cell_type == "code")

    def _running(self) -> list[tuple[Original, str]]:
        """The cells that grading runs, in order, with their text."""
        runs = [(cell, cell.source) for cell in self._given()]
        runs += [(answer.cell, without_markers(answer.source)) for answer in self.answers if answer.is_code]
        return sorted(runs, key=lambda run: run[0].number)

    def _reached(self) -> Reached:
        sources = [source for _, source in self._running()]
        bound = frozenset().union(*((names_of(source) or NO_NAMES).binds for source in sources))
        functions = frozenset().union(*map(definitions, sources))
        own = self.helpers | self.given_values | (self._other_imports | self.imports).keys()
        trees = [tree for cell in self.cells if cell.role in ("given", "test") and (tree := syntax_tree(cell.source))]
        return Reached(functions - own, bound - functions - own, silent_functions(trees))

    def _judge(self, answer: Answer) -> bool:
        """Notes why the tests of a code item cannot run outside, or not at all; returns whether the latter is new."""
        if not answer.is_code:
            return False
        for test in (test for test in answer.tests if test.points > 0):
            above = self._needed_above(test, self._other_imports | self.imports)
            for source in (test.source, replaced(test.source, HIDDEN, None)):
                whole = "\n".join([*above, source])
                if reason := unsound(whole, self._reached(), self.helpers | self.given_values):
                    (answer.by_hand if reason.by_hand else answer.inside).setdefault(test.number, reason)
        return not answer.is_code

    def _with_imports(self, source: str) -> str:
        """Code with the imports of the notebook that it needs."""
        return "\n".join([*self._needed_imports(source, self._other_imports | self.imports), source])

    def _needed_imports(self, source: str, imports: Mapping[str, str]) -> tuple[str, ...]:
        names = names_of(source) or NO_NAMES
        wanted = sorted(names.uses - names.binds)
        return tuple(dict.fromkeys(imports[name] for name in wanted if name in imports))

    def _needed_above(self, test: Original, imports: Mapping[str, str]) -> tuple[str, ...]:
        """The statements that a test cell needs above it: imports, and what visible code of earlier test cells made."""
        made = frozenset().union(*(_names(cell).binds for cell in self.cells if cell.role != "test"))
        statements = _statements(cell for cell in self.cells if cell.role == "test" and cell.number < test.number)
        above, source = list[str](), test.source
        for statement, binds in reversed(list(statements)):
            names = names_of(source) or NO_NAMES
            if binds & (names.uses - names.binds - made - imports.keys()):
                above.insert(0, statement)
                source = f"{statement}\n{source}"
        return (*self._needed_imports(source, imports), *above)

    def _spread(self) -> bool:
        """Finds a code item that needs a name of a cell that grading does not run; returns whether there is one."""
        own = {answer.cell.number: without_markers(answer.source) for answer in self.answers}
        runs = [
            cell for cell in self.cells if cell.cell_type == "code" and cell.role in ("given", "solution", "manual")
        ]
        sources = [own.get(cell.number, without_markers(cell.source)) for cell in runs]
        is_run = {cell.number for cell, _ in self._running()} | {
            cell.number for answer in self.answers if answer.is_code for cell in answer.cells
        }
        for answer in (answer for answer in self.answers if answer.is_code):
            for position in sorted(needed(sources, self._uses(answer))):
                cell = runs[position]
                if cell.number not in is_run:
                    name = min(_names(cell).binds, default="*")
                    why = f"it needs `{name}` of {cell.place}, which no test grades and so does not run"
                    fix = "make the cell above a code item first, then this one"
                    answer.by_hand[answer.cell.number] = Reason(why, fix, by_hand=True)
                    return True
        return False

    def _name_items(self) -> None:
        taken = {name for cell in self.cells for name in _names(cell).binds | _names(cell).uses}
        for answer in (answer for answer in self.answers if answer.points > 0):
            name = self._own_name(answer)
            if not name.isascii() or not name:  # ids have ASCII letters only
                label = re.sub(r"\W+", "_", answer.cell.grade_id, flags=re.ASCII).strip("_")
                label = label or f"cell_{answer.cell.number}"
                name = base = label if answer.is_code else f"{'figure' if _is_figure(answer) else 'written'}_{label}"
                number = 2
                while name in taken:
                    name, number = f"{base}_{number}", number + 1
            taken.add(name)
            answer.item = name

    def _own_name(self, answer: Answer) -> str:
        """The name by which a code item is known: of what its tests use and no other cell defines; empty if none."""
        if not answer.is_code or answer.code is None:
            return ""
        others = [
            cell for cell in self.cells if cell.cell_type == "code" and cell not in (*answer.cells, *answer.tests)
        ]
        foreign = frozenset().union(*(_names(cell).binds for cell in others if cell.role != "test"))
        asked = frozenset().union(*(_names(test).uses for test in answer.tests))
        own = (answer.binds - foreign) & asked or answer.binds - foreign
        source = without_markers(answer.source)
        defined = [name for name in _in_order(source) if name in own]
        return answer.code.name if answer.code.name in own else next(iter(defined), "")


def _is_figure(answer: Answer) -> bool:
    return answer.cell.cell_type == "code" and answer.cell.role in ("solution", "manual")


def _in_order(source: str) -> Iterable[str]:
    """The names in a text, in order."""
    return dict.fromkeys(re.findall(r"[^\W\d]\w*", source))


def _marked(source: str) -> str:
    """A solution cell with markers: around all of it, if it has none."""
    return source if region(source, SOLUTION) else f"{begin(SOLUTION)}\n{source}\n{end(SOLUTION)}"


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
                    if alias.name == "*":
                        module = node.module if isinstance(node, ast.ImportFrom) and not node.level else None
                        yield from ((name, f"from {module} import {name}") for name in public_names(module or ""))
                    else:
                        yield (alias.asname or alias.name).split(".")[0], ast.unparse(node)


def _statements(tests: Iterable[Original]) -> Iterator[tuple[str, frozenset[str]]]:
    """The assignments and functions at the top of what students see of test cells, and the names that each binds."""
    for test in tests:
        source = replaced(test.source, HIDDEN, None)
        tree = syntax_tree(source)
        for node in tree.body if tree else ():
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.FunctionDef):
                text = with_decorators(source, node)
                yield text, (names_of(text) or NO_NAMES).binds


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
            if (changed := changed_in_place(node)) in own:
                return changed
    return ""
