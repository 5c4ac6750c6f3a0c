"""Rewrites a test cell so that each statement is watched, and a failing one does not end the cell.

    assert close(student.f(x), want, "hint")   becomes   if __may__(3):
                                                             with __watch__(3):
                                                                 assert close(__saw__(3, "got", student.f(x)), ...

`autograder.inspect.recorder` has the three functions. Statements keep their line numbers. Only the bodies of `for`,
`if` and of the context managers in `_TRANSPARENT` are entered: elsewhere the flow may depend on the error.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType

from autograder.course.name_analysis import NO_NAMES, names_of
from autograder.course.problem import Cell
from autograder.grading.in_process import RUN
from autograder.grading.reference import split_statements

MAY, WATCH, SAW = "__may__", "__watch__", "__saw__"
"""Names of the functions that the rewritten cell calls."""
_TRANSPARENT = ("part", "no_grad", "enable_grad", "fork_rng", "modules_may_change")
"""Context managers that do not expect an error from their block."""
_COMPARE = frozenset({"close", "allclose", "equal", "has_shape", "array_equal"})
"""Functions that compare their first argument with the second one, which is expected."""
_SIMPLE = (ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)


@dataclass(frozen=True)
class Statement:
    """A statement of a test cell that is watched."""

    number: int
    first: int
    """Its first line in the cell, counted from 1."""
    last: int
    head: int
    """The last line of its head, for a definition or a compound statement; else its last line."""
    binds: frozenset[str]
    uses: frozenset[str]
    """Names that must be there for it to run; of a compound statement those of its head."""
    is_check: bool
    """Whether it is an assertion."""
    is_entered: bool
    """Whether the statements inside it are watched, too."""
    is_hidden: bool


@dataclass(frozen=True)
class Rewritten:
    """A rewritten test cell."""

    statements: tuple[Statement, ...]
    """The watched statements by number."""
    visible: CodeType
    hidden: CodeType


def rewrite(test: Cell) -> Rewritten:
    """Rewrites a test cell."""
    filename = f"<{test.grade_id}>"
    rewriter = _Rewriter()
    codes = []
    parts = split_statements(test.source, filename, in_process=test.runs_in_process)
    for is_hidden, body in enumerate(parts):
        rewriter.is_hidden = bool(is_hidden)
        module = ast.Module([new for node in body for new in rewriter.statement(node)], type_ignores=[])
        codes.append(compile(ast.fix_missing_locations(module), filename, "exec", dont_inherit=True))
    return Rewritten(tuple(rewriter.statements), *codes)


class _Rewriter:
    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.is_hidden = False

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        """The statements in place of one at the top level of the cell, or of a body that is entered."""
        if isinstance(node, _SIMPLE):
            yield node
            return
        number = self._note(node)
        if isinstance(node, ast.Assert):
            self._look(node, number)
        elif isinstance(node, ast.With) and all(map(_is_transparent, node.items)):
            node.body = self._all(node.body)
        elif isinstance(node, ast.For | ast.If):
            node.body, node.orelse = self._all(node.body), self._all(node.orelse)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            _Asserts(self).visit(node)
        yield from self._watched(node, number)

    def _all(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        return [new for node in body for new in self.statement(node)]

    def inside(self, node: ast.Assert) -> ast.stmt:
        """In place of an assertion inside a function: watched in any case."""
        number = self._note(node)
        self._look(node, number)
        return _with(node, number)

    def _watched(self, node: ast.stmt, number: int) -> Iterator[ast.stmt]:
        test = _call(MAY, [ast.Constant(number)], node)
        yield ast.copy_location(ast.If(test, [_with(node, number)], []), node)

    def _note(self, node: ast.stmt) -> int:
        number = len(self.statements)
        names = names_of(ast.unparse(node)) or NO_NAMES
        heads = _heads(node)
        uses = (names.uses if heads is None else _uses(heads)) - {RUN}
        self.statements.append(
            Statement(
                number,
                node.lineno,
                node.end_lineno or node.lineno,
                _head_end(node),
                names.binds,
                uses,
                isinstance(node, ast.Assert),
                heads is not None,
                self.is_hidden,
            )
        )
        return number

    def _look(self, node: ast.Assert, number: int) -> None:
        node.test = _look_at(node.test, lambda role, value: _saw(number, role, value))


class _Asserts(ast.NodeTransformer):
    """Rewrites the assertions inside functions."""

    def __init__(self, rewriter: _Rewriter) -> None:
        self._rewriter = rewriter

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """Watches an assertion."""
        return self._rewriter.inside(node)

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        """Leaves it: it may catch the error."""
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        """Leaves it: it has no statements."""
        return node


def _is_transparent(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and _last_name(call.func) in _TRANSPARENT


def _heads(node: ast.stmt) -> list[ast.expr] | None:
    """The expressions in the head of a compound statement whose body is entered; None for other statements."""
    if isinstance(node, ast.With) and all(map(_is_transparent, node.items)):
        return [item.context_expr for item in node.items]
    if isinstance(node, ast.For):
        return [node.iter]
    return [node.test] if isinstance(node, ast.If) else None


def _head_end(node: ast.stmt) -> int:
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and body[0].lineno > node.lineno:
        return int(body[0].lineno) - 1
    return node.end_lineno or node.lineno


def _uses(expressions: Iterable[ast.expr]) -> frozenset[str]:
    return frozenset(name for one in expressions for name in (names_of(ast.unparse(one)) or NO_NAMES).uses)


def _look_at(test: ast.expr, saw: Callable[[str, ast.expr], ast.expr]) -> ast.expr:
    """The condition of an assertion, with its operands seen."""
    if isinstance(test, ast.BoolOp):
        test.values = [_look_at(value, saw) for value in test.values]
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test.operand = _look_at(test.operand, saw)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1:
        is_equal = isinstance(test.ops[0], ast.Eq)
        left, right = ("got", "expected") if is_equal else ("", "")
        if is_equal and _is_ours(test.left) and not _is_ours(test.comparators[0]):
            left, right = right, left
        test.left, test.comparators = saw(left, test.left), [saw(right, test.comparators[0])]
    elif isinstance(test, ast.Call) and not any(isinstance(one, ast.Starred) for one in test.args):
        is_comparison = _last_name(test.func) in _COMPARE and len(test.args) > 1
        roles = ["got", "expected"] if is_comparison else []
        wanted = len(roles) or len(test.args)
        test.args = [
            saw(roles[n] if n < len(roles) else "", one)
            if n < wanted and not isinstance(one, ast.GeneratorExp | ast.Lambda | ast.Constant)
            else one
            for n, one in enumerate(test.args)
        ]
    return test


def _is_ours(node: ast.expr) -> bool:
    """Whether an operand is a value of the test's own: a literal, or the reference's answer."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return not names or ("reference" in names and "student" not in names)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _saw(number: int, role: str, value: ast.expr) -> ast.expr:
    return _call(SAW, [ast.Constant(number), ast.Constant(role), ast.Constant(ast.unparse(value)), value], value)


def _with(node: ast.stmt, number: int) -> ast.stmt:
    item = ast.withitem(_call(WATCH, [ast.Constant(number)], node))
    return ast.copy_location(ast.With([item], [node]), node)


def _call(name: str, args: list[ast.expr], where: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), args, []), where)
