"""Rewrites an answer mechanically: with another meaning (mutants), or with the same one in another form (rewritings).

A mutant differs from the answer in one place of its syntax tree: a sign, a bound, an axis, a mean for a sum, a missing
`detach`, swapped arguments. If hidden tests give it full marks, they do not check that place, or the place does not
matter. A rewriting means the same as the answer, so it must get full marks.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "amax": "amin",
    "exp": "log",
    "softmax": "sigmoid",
    "log_softmax": "softmax",
    "logsigmoid": "sigmoid",
    "cumprod": "cumsum",
    "cumsum": "cumprod",
    "rand": "randn",
    "randn": "rand",
    "randn_like": "rand_like",
    "ones_like": "zeros_like",
    "zeros_like": "ones_like",
    "zeros": "ones",
    "ones": "zeros",
}
"""Methods and functions → what they are mistaken for."""
_DROPPED = ("detach", "sqrt", "abs", "clone", "flip", "clamp", "squeeze", "zero_grad", "softmax", "sort")
"""Methods that people forget: `x.detach()` becomes `x`."""


@dataclass(frozen=True)
class Rewritten:
    """A mutant or a rewriting of an answer."""

    change: str
    """What was changed and where, e.g. `line 3: 1 - v -> 1 + v`."""
    source: str
    """The whole cell."""


def mutants(source: str) -> list[Rewritten]:
    """All answers that differ from this one in one place; those whose text is the same are listed once."""
    tree = ast.parse(source)
    found: dict[str, Rewritten] = {}
    for number, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            mutated = copy.deepcopy(tree)
            twin = next(each for at, each in enumerate(ast.walk(mutated)) if at == number)
            before = _text(node)
            change(twin)
            text = ast.unparse(ast.fix_missing_locations(mutated))
            line = getattr(node, "lineno", 0)
            found.setdefault(text, Rewritten(f"line {line}: {before} -> {_text(twin)}", text + "\n"))
    found.pop(ast.unparse(tree), None)
    return list(found.values())


def rewritings(source: str) -> list[Rewritten]:
    """The answer in other forms with the same meaning; empty for what is not a single function."""
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.FunctionDef) or last.decorator_list:
        return []
    forms: dict[str, Callable[[ast.Module, ast.FunctionDef], None]] = {
        "the work is done in a helper": _in_a_helper,
        "the result has a name before it is returned": _named_result,
        "a tuple is returned as a list": _list_for_tuple,
        "local variables have other names": _renamed_locals,
        "numbers are written as floating-point tensors": _tensor_constants,
    }
    found = []
    for name, rewrite in forms.items():
        copied = copy.deepcopy(tree)
        function = copied.body[-1]
        assert isinstance(function, ast.FunctionDef)
        rewrite(copied, function)
        text = ast.unparse(ast.fix_missing_locations(copied))
        if text != ast.unparse(tree):
            found.append(Rewritten(name, text + "\n"))
    return found


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """The mutations of one node; each changes the node in place."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in _OPPOSITES:
        yield lambda twin: setattr(twin, "op", _OPPOSITES[type(node.op)]())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
        yield _swap_operands
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPPOSITES:
        yield lambda twin: twin.ops.__setitem__(0, _OPPOSITES[type(node.ops[0])]())  # type: ignore[attr-defined]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and type(node.value) is not bool:
        number = node.value
        yield lambda twin: setattr(twin, "value", number + 1)
        if number:
            yield lambda twin: setattr(twin, "value", number - 1)
    if isinstance(node, ast.Call):
        yield from _call_changes(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield _only_operand
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) or isinstance(node, ast.AugAssign):
        yield _left_out


def _call_changes(node: ast.Call) -> Iterator[Callable[[ast.AST], None]]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _CALLS:
        field = "attr" if isinstance(function, ast.Attribute) else "id"
        yield lambda twin: setattr(twin.func, field, _CALLS[name])  # type: ignore[attr-defined]
    if isinstance(function, ast.Attribute) and name in _DROPPED and ast.unparse(function.value) not in ("torch", "F"):
        yield _without_method
    if len(node.args) >= 2 and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
        yield _swap_arguments


def _left_out(twin: ast.AST) -> None:
    """Replaces a statement by one that does nothing."""
    twin.__class__ = ast.Pass
    twin.__dict__ = {name: value for name, value in twin.__dict__.items() if name.endswith(("lineno", "col_offset"))}


def _swap_operands(twin: ast.AST) -> None:
    assert isinstance(twin, ast.BinOp)
    twin.left, twin.right = twin.right, twin.left


def _swap_arguments(twin: ast.AST) -> None:
    assert isinstance(twin, ast.Call)
    twin.args[0], twin.args[1] = twin.args[1], twin.args[0]


def _only_operand(twin: ast.AST) -> None:
    assert isinstance(twin, ast.UnaryOp)
    if isinstance(twin.op, ast.USub):
        twin.op = ast.UAdd()
    else:  # twice, which is as if it were not there
        twin.operand = ast.UnaryOp(copy.copy(twin.op), twin.operand)


def _without_method(twin: ast.AST) -> None:
    assert isinstance(twin, ast.Call) and isinstance(twin.func, ast.Attribute)
    inner = twin.func.value
    twin.func, twin.args, twin.keywords = ast.parse("lambda _: _", mode="eval").body, [inner], []


def _in_a_helper(tree: ast.Module, function: ast.FunctionDef) -> None:
    outer = copy.deepcopy(function)
    function.name = f"_work_of_{function.name}"
    arguments = [each.arg for each in (*outer.args.posonlyargs, *outer.args.args)]
    call = ast.Call(ast.Name(function.name, ast.Load()), [], [])
    call.keywords = [ast.keyword(name, ast.Name(name, ast.Load())) for name in arguments]
    outer.body = [ast.Return(call)]
    tree.body.append(outer)


def _named_result(_tree: ast.Module, function: ast.FunctionDef) -> None:
    last = function.body[-1]
    if isinstance(last, ast.Return) and last.value is not None:
        name = "result_"
        function.body[-1:] = [
            ast.Assign([ast.Name(name, ast.Store())], last.value, lineno=0),
            ast.Return(ast.Name(name, ast.Load())),
        ]


def _list_for_tuple(_tree: ast.Module, function: ast.FunctionDef) -> None:
    for statement in function.body:
        if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
            statement.value = ast.List(statement.value.elts, ast.Load())


def _renamed_locals(_tree: ast.Module, function: ast.FunctionDef) -> None:
    inner = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.comprehension, ast.Global, ast.Nonlocal)
    if any(isinstance(node, inner) for statement in function.body for node in ast.walk(statement)):
        return
    stored = {
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } - {each.arg for each in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in stored:
            node.id += "_"


def _tensor_constants(_tree: ast.Module, function: ast.FunctionDef) -> None:
    """`0.5 * x` becomes `torch.tensor(0.5) * x`, which is float32 without dimensions and so changes no data type."""
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left = node.left
            if (
                isinstance(left, ast.Constant)
                and type(left.value) is float
                and not isinstance(node.right, ast.Constant)
            ):
                tensor = ast.Attribute(ast.Name("torch", ast.Load()), "tensor", ast.Load())
                node.left = ast.Call(tensor, [left], [])


def _text(node: ast.AST) -> str:
    """The node's code in one line, shortened."""
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= 70 else f"{text[:67]}..."
