"""The linter's rules about Python code in stubs, given cells and test cells, and about points in headings.

The rules replace regions by blank lines instead of removing them, so that line numbers are those of the file.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from autograder.course.markers import HIDDEN, SOLUTION
from autograder.course.name_analysis import NO_NAMES, definitions, names_of
from autograder.course.percent import TextCell, code_without, markers, numbers_inside
from autograder.course.problem import imports_homework

Found = Iterator[tuple[int, str, str]]
"""Findings as (line, rule, message)."""

STUB = "raise NotImplementedError"
PROXY_NAMES = ("student", "reference")
_ASSIGNMENTS = ast.Assign | ast.AnnAssign | ast.AugAssign
_OWN_NAMES = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def findings(cells: list[TextCell]) -> Found:
    """The findings of all rules about code."""
    graded = {cell.grade_id for cell in cells if cell.is_answer and not cell.is_graded and cell.grade_id}
    tests = {cell.grade_id.removeprefix("test_"): cell for cell in cells if cell.is_test}
    graded |= {name for cell in cells if cell.grade_id in graded for name in _values(cell)}
    is_ours = any(imports_homework(cell.text) for cell in cells if cell.cell_type == "code" and not cell.grade_id)
    given, values = set[str](), set[str]()
    for cell in cells:
        if cell.cell_type != "code":
            continue
        tree, line, error = _parse(cell, cell.text)
        if tree is None:
            yield line, "syntax", error
        elif cell.is_answer:
            yield from _stub(cell, tree, tests.get(cell.grade_id), may_hide_all=not is_ours)
        elif not cell.is_test:
            yield from _given(tree)
            given |= _defined(tree)
            values |= (names_of(cell.text) or NO_NAMES).binds
        elif cell.runs_in_process:
            yield from _parts(tree, numbers_inside(cell, HIDDEN), values)
        else:
            yield from _test(cell, tree, graded, values)
            yield from _taken(tree, given)


def _parse(cell: TextCell, text: str) -> tuple[ast.Module | None, int, str]:
    """The syntax tree with the file's line numbers, or None and the line and message of the syntax error."""
    offset = cell.lines[0].number - 1 if cell.lines else cell.number
    try:
        return ast.increment_lineno(ast.parse(text), offset), 0, ""
    except (SyntaxError, ValueError) as error:
        what = getattr(error, "msg", str(error))
        message = f"not valid Python: {what}; fix it (write a magic as a comment: '# %matplotlib inline')"
        return None, offset + (getattr(error, "lineno", None) or 1), message


def _stub(cell: TextCell, tree: ast.Module, test: TextCell | None, *, may_hide_all: bool) -> Found:
    """Findings about the stub: it must parse, and keep signature and docstring if it defines one function or class.

    Args:
        cell: the solution cell.
        tree: its syntax tree.
        test: its test.
        may_hide_all: whether the stub may hide the signature too, and variables beside it, as in imported notebooks.
    """
    inside = numbers_inside(cell, SOLUTION)
    if not inside and not any(marker.kind == SOLUTION for _, marker in markers(cell)):
        return  # the rule `solution-markers` reports it
    for begin, marker in markers(cell):
        below = (line for line in cell.lines if line.number in inside and line.number > begin.number)
        first = next((line for line in below if line.text.strip()), None)
        is_begin = marker.kind == SOLUTION and marker.verb == "BEGIN"
        if is_begin and first and _indent(begin.text) != _indent(first.text):
            message = "indent BEGIN SOLUTION like the line below it; the stub's raise gets its indentation"
            yield begin.number, "stub", message
    stub, line, error = _parse(cell, code_without(cell, SOLUTION, STUB))
    if stub is None:
        yield line, "stub", f"with the solution replaced by a raise the cell is {error}; move the markers"
    if stub is None or cell.is_graded:
        return  # a figure cell has no signature
    name = cell.grade_id
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if len(defined) != 1:
        yield from _names_of_item(cell, test)
        return
    beside = {number for node in tree.body if isinstance(node, _ASSIGNMENTS) for number in _lines_of(node)}
    has_variables = may_hide_all and bool(inside & beside)  # as a part of the answer
    if [node.name for node in defined] != [name] or has_variables:
        yield from _names_of_item(cell, test)
        return
    kept = [node for node in stub.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    if may_hide_all and not kept:
        return
    if [node.name for node in kept] != [name]:
        message = f"the signature of {name!r} is inside the solution region; move BEGIN SOLUTION below it"
        yield cell.number, "stub", message
        return
    if not (ast.get_docstring(kept[0]) or "").strip():
        message = f"{name!r} has no docstring outside its solution region; add one with shapes, formula and source"
        yield kept[0].lineno, "stub", message
    outside = [number for number in sorted(inside) if not kept[0].lineno < number <= (defined[0].end_lineno or 0)]
    if outside:
        yield outside[0], "stub", f"this solution line is outside the body of {name!r}; move it inside"
    original = {(node.lineno, ast.dump(node)) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
    raises = {(node.lineno, ast.dump(node)) for node in ast.walk(kept[0]) if isinstance(node, ast.Raise)}
    if raises <= original:
        yield cell.number, "stub", f"the solution region is not inside the body of {name!r}; move the markers"


def _names_of_item(cell: TextCell, test: TextCell | None) -> Found:
    """Findings about the id of an item that is not one function or class: its test must ask for what it defines."""
    names = names_of(cell.text) or NO_NAMES
    asked = (names_of(test.text) or NO_NAMES).attributes if test else frozenset[str]()
    is_inside = test is not None and test.runs_in_process
    if cell.grade_id not in names.binds and not asked & names.binds and not is_inside:
        has = ", ".join(sorted(names.binds)) or "nothing"
        message = f"the cell defines {has}, but its grade_id is {cell.grade_id!r}; define exactly that name"
        yield cell.number, "grade-id-name", message


def _values(cell: TextCell) -> frozenset[str]:
    """The variables of a solution cell whose answer is what they hold."""
    defined = definitions(cell.text)
    return frozenset() if cell.grade_id in defined else (names_of(cell.text) or NO_NAMES).binds - defined


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _given(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "reference":
            message = "`reference` in a given cell does not work for students; use it only in hidden tests"
            yield node.lineno, "reference-visible", message


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _test(cell: TextCell, tree: ast.Module, graded: set[str], given: set[str]) -> Found:
    hidden = numbers_inside(cell, HIDDEN)
    visible, line, error = _parse(cell, code_without(cell, HIDDEN))
    if visible is None:
        yield line, "syntax", f"with the hidden region removed the cell is {error}"
    for part, where in ((tree, ""), (visible, " (hidden region removed)")):
        expression = _last_expression(part) if part else None
        if expression:
            message = (
                f"the test cell ends with a bare expression{where}: {_short(expression)}; nbgrader would read its "
                "value as a score: end with an `assert` or print(...)"
            )
            yield expression.lineno, "bare-expression", message
    if visible is not None:
        yield from _one_print(cell, visible)
    yield from _parts(tree, hidden, given)
    for node in ast.walk(tree):
        yield from _names(node, graded, hidden)
        if isinstance(node, ast.Assert) and node.lineno in hidden and _shows_values(node):
            message = "the message of a hidden assert shows values; name the likely mistake in plain words"
            yield node.lineno, "hidden-message", message
    late = [node for node in tree.body if _runs_with_hidden_checks(node, hidden)]
    for node in (inner for outer in late for inner in ast.walk(outer)):
        if isinstance(node, ast.Assert) and node.lineno not in hidden:
            message = (
                "this visible check stands below or beside hidden ones and runs with them, so that its message shows "
                "students no values; move the hidden region to the end"
            )
            yield node.lineno, "visible-late", message


def _one_print(cell: TextCell, visible: ast.Module) -> Found:
    """Findings where the visible part does not end in its only `print`, which tells students that all checks passed."""
    prints = [node for node in ast.walk(visible) if isinstance(node, ast.Expr) and _is_print(node)]
    last = visible.body[-1] if visible.body else None
    if last is None or prints != [last]:
        where = last.lineno if last else cell.number
        item = cell.grade_id.removeprefix("test_")
        message = f'the visible part must end in its only print: print("{item}: all visible checks passed")'
        yield where, "visible-print", message


def _is_print(node: ast.Expr) -> bool:
    call = node.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"


def _runs_with_hidden_checks(statement: ast.stmt, hidden: frozenset[int]) -> bool:
    """Whether a statement of a test cell runs in the second step of a test (`grading.item_test`)."""
    return bool(hidden) and (statement.end_lineno or 0) >= min(hidden)


def _parts(tree: ast.Module, hidden: frozenset[int], given: set[str]) -> Found:
    """Findings about parts: the code below one must not need it to succeed, and no hidden check may be in none.

    Args:
        tree: the test.
        hidden: the lines of its hidden checks.
        given: names that have a value before the test.
    """
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.With) and _is_part(node)]
    known = [names_of(ast.unparse(part)) or NO_NAMES for part in parts]
    rest = names_of(ast.unparse(_WithoutParts().visit(copy.deepcopy(tree)))) or NO_NAMES
    bound = frozenset[str]().union(*(names.binds for names in known)) - rest.binds - given
    for part, names in zip(parts, known, strict=True):
        for name in sorted((names.uses - names.binds) & bound):
            message = f"this part needs {name!r} of another part, which may fail; give it a value in both, or above all"
            yield part.lineno, "part", message
    below = [part.lineno for part in parts if part.lineno in hidden]
    for node in tree.body:
        if isinstance(node, ast.Assert) and below and node.lineno in hidden and node.lineno > below[0]:
            message = "this hidden check is below the parts and in none: it would cost the whole item; put it into one"
            yield node.lineno, "part", message
    for name in sorted(rest.uses & bound):
        yield parts[0].lineno, "part", f"{name!r} gets its value in a part, which may fail, and is needed outside it"


def _is_part(node: ast.With) -> bool:
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    return any(isinstance(call.func, ast.Name) and call.func.id == "part" for call in calls)


class _WithoutParts(ast.NodeTransformer):
    """Replaces parts by `pass`."""

    def visit_With(self, node: ast.With) -> ast.stmt:
        """Replaces a part."""
        if _is_part(node):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)  # type: ignore[return-value]


def _defined(tree: ast.Module) -> set[str]:
    """Names of the functions, classes and modules that a given cell defines or imports."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def _taken(tree: ast.Module, given: set[str]) -> Found:
    """Findings about names of given cells that a test cell overwrites for the cells below it."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        scope = isinstance(node, ast.FunctionDef | ast.ClassDef)
        name = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else getattr(node, "id", "")
        if name in given and (scope or isinstance(getattr(node, "ctx", None), ast.Store)):
            message = f"the test cell gives {name!r} another value, which cells below still need; choose another name"
            yield getattr(node, "lineno", 0), "rebound", message
        if not scope and not isinstance(node, _OWN_NAMES):
            waiting += ast.iter_child_nodes(node)


def _names(node: ast.AST, graded: set[str], hidden: frozenset[int]) -> Found:
    if isinstance(node, ast.Name) and node.id in graded:
        message = f"{node.id!r} is graded; call it as student.{node.id} (in the hidden region also reference.{node.id})"
        yield node.lineno, "unprefixed", message
    if isinstance(node, ast.Name) and node.id == "reference" and node.lineno not in hidden:
        message = "`reference` in the visible part, which students see and run; move it into the hidden region"
        yield node.lineno, "reference-visible", message
    if isinstance(node, ast.Name) and node.id in PROXY_NAMES and not isinstance(node.ctx, ast.Load):
        yield node.lineno, "rebound", f"the test cell gives {node.id!r} another value; choose another name"
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            if (alias.asname or alias.name) in PROXY_NAMES:
                message = f"{alias.name!r} is imported already; import it only in the set-up cell"
                yield node.lineno, "rebound", message


def _last_expression(tree: ast.Module) -> ast.Expr | None:
    """The bare expression that ends the code, also inside a trailing block; None if there is none."""
    body: list[ast.stmt] = tree.body
    while body:
        last = body[-1]
        if isinstance(last, ast.Expr):
            return None if _is_print(last) else last
        body = list(last.body) if isinstance(last, ast.With | ast.For | ast.While | ast.If) else []
    return None


def _shows_values(node: ast.Assert) -> bool:
    messages: list[ast.expr] = [node.msg] if node.msg else []
    if isinstance(node.test, ast.Call):
        messages += [*node.test.args[2:3], *(key.value for key in node.test.keywords if key.arg == "hint")]
    return any(
        isinstance(inner, ast.FormattedValue) or (isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mod))
        for message in messages
        for inner in ast.walk(message)
    )


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return repr(text if len(text) <= 50 else text[:47] + "...")


_HEADING = re.compile(r"#?\s*#{1,6}\s.*")
_ANNOUNCED = re.compile(r".*\((\d+(?:\.\d+)?) points?\)\s*")


def announced_points(cells: Sequence[TextCell]) -> Found:
    """Findings about headings whose points differ from those of the next task's cell."""
    points = {cell.grade_id.removeprefix("test_"): cell.nbgrader.get("points") for cell in cells if cell.is_graded}
    announced: tuple[int, float] | None = None
    for cell in cells:
        if cell.is_answer and announced is not None:
            line, says = announced
            has = points.get(cell.grade_id)
            if isinstance(has, int | float) and has != says:
                message = f"the heading says {says:g} points, but {cell.grade_id!r} has {has:g}; correct one of them"
                yield line, "points", message
            announced = None
        elif cell.cell_type == "markdown":
            for text in cell.lines:
                if _HEADING.fullmatch(text.text):
                    found = _ANNOUNCED.fullmatch(text.text)
                    announced = (text.number, float(found[1])) if found else None


_TABLE_HEAD = re.compile(r"#?\s*\|\s*graded\s*\|\s*points\s*\|\s*")
_TABLE_ROW = re.compile(r"#?\s*\|\s*(?P<what>.+?)\s*\|\s*(?P<points>\d+(?:\.\d+)?)\s*\|\s*")


def points_table(cells: Sequence[TextCell]) -> Found:
    """Findings about the table `| graded | points |`: a row for each code item, and others for what people grade."""
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.lines]
    head = next((n for n, line in enumerate(lines) if _TABLE_HEAD.fullmatch(line.text)), None)
    if head is None:
        return
    code = _points_of(cell for cell in cells if cell.is_test)
    by_hand = sum(_points_of(cell for cell in cells if cell.is_manual).values())
    where = lines[head].number
    others, named = 0.0, set[str]()
    for line in itertools.takewhile(lambda line: "|" in line.text, lines[head + 1 :]):
        row = _TABLE_ROW.fullmatch(line.text)
        if row is None:  # the line below the head
            continue
        item, says = row["what"].strip("`"), float(row["points"])
        named.add(item)
        if not row["what"].startswith("`"):
            others += says
        elif item not in code:
            yield line.number, "points", f"the table names {item!r}, which is no code item here; correct the name"
        elif code[item] != says:
            message = f"the table says {says:g} points, but {item!r} has {code[item]:g}; correct one of them"
            yield line.number, "points", message
    for item in sorted(code.keys() - named):
        yield where, "points", f"the table of points has no row for {item!r}; add: | `{item}` | {code[item]:g} |"
    if others != by_hand:
        message = f"the table says {others:g} points for written answers and figures, but they have {by_hand:g}"
        yield where, "points", f"{message}; correct one of them"


def _points_of(cells: Iterable[TextCell]) -> dict[str, float]:
    """Item → points, where they are a number."""
    points = {cell.grade_id.removeprefix("test_"): cell.nbgrader.get("points") for cell in cells}
    return {item: float(value) for item, value in points.items() if isinstance(value, int | float)}
