"""The linter's rules about names: test cells use only what grading defines, and training cells are marked as such."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Sequence

from autograder.course.cell_selection import NOT_RUN
from autograder.course.name_analysis import Names, names_of
from autograder.course.percent import TextCell
from autograder.course.python_cells import plain_python
from autograder.course.toml_table import did_you_mean
from autograder.release.lint_rules import PROXY_NAMES, Found

_ALWAYS = frozenset(dir(builtins)) | {"get_ipython"}


def name_findings(cells: Sequence[TextCell]) -> Found:
    """The findings about names in the cells, in order; a cell that cannot be parsed is left to other rules."""
    code = [(cell, names) for cell in cells if cell.cell_type == "code" and (names := names_of(cell.text))]
    not_run = frozenset[str]().union(*(names.binds for cell, names in code if _is_not_run(cell)))
    needed = _needed_by_tests(code)
    defined, training, has_star = set[str](), set[str](), False
    for cell, names in code:
        tree = _parsed(cell)
        if cell.is_test or "answers" in cell.tags:
            unknown = names.uses - names.binds - defined - _ALWAYS - {"part"}
            if not has_star:  # else it may have any name
                yield from _undefined(tree, unknown, defined | names.binds, not_run)
            yield from _unknown_attributes(tree, defined)
        elif not _is_not_run(cell):
            call = None if cell.is_answer else training_call(tree, training)
            if call is not None and not names.binds & needed:  # else grading must run it
                text = ast.unparse(call.func)
                message = f'`{text}(...)` trains, and grading would run this cell; give it the tag: # %% tags=["train"]'
                yield call.lineno, "train", message
            defined |= names.binds
            has_star |= names.star


def _needed_by_tests(code: Sequence[tuple[TextCell, Names]]) -> frozenset[str]:
    """The names that test cells, and cells that grading runs for them, do not make themselves."""
    wanted = frozenset[str]()
    for cell, names in reversed(code):
        if cell.is_test or (names.binds & wanted and not _is_not_run(cell)):
            wanted |= names.uses - names.binds
            wanted |= frozenset(names.attributes) if cell.is_test else frozenset()
    return wanted


def _is_not_run(cell: TextCell) -> bool:
    """Whether grading never runs this cell."""
    return cell.is_manual or bool(NOT_RUN & set(cell.tags))


def _parsed(cell: TextCell) -> ast.Module:
    """The cell's syntax tree with the file's line numbers."""
    return ast.increment_lineno(ast.parse(plain_python(cell.text)), cell.lines[0].number - 1 if cell.lines else 0)


def _undefined(tree: ast.Module, unknown: Collection[str], known: Collection[str], not_run: Collection[str]) -> Found:
    first: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in unknown:
            first[node.id] = min(node.lineno, first.get(node.id, node.lineno))
    for name, line in first.items():
        if name in not_run:
            message = (
                f"{name!r} gets its value only in a cell that grading does not run (it trains, draws or writes the "
                "log); make it in the test cell, or in a given cell above"
            )
        else:
            message = f"{name!r} is not defined in a cell above{did_you_mean(name, known)}; correct the name"
        yield line, "undefined", message


def _unknown_attributes(tree: ast.Module, defined: Collection[str]) -> Found:
    """Findings about `student.f` and `reference.f` where no given or solution cell above defines `f`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in PROXY_NAMES:
            side, name = node.value.id, node.attr
            if name not in defined:
                hint = did_you_mean(name, defined)
                message = f"`{side}.{name}`: no given or solution cell above defines {name!r}{hint}; correct the name"
                yield node.lineno, "undefined", message


def training_call(tree: ast.Module, training: set[str]) -> ast.Call | None:
    """The call with which a given cell trains, as it runs; None if it does not.

    Args:
        tree: the cell.
        training: functions that train; those of the cell are added.
    """
    for node in tree.body:
        call = next(_training_calls(node, training), None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if call is not None and isinstance(node, ast.FunctionDef):
                training.add(node.name)
        elif call is not None:
            return call
    return None


def _training_calls(tree: ast.AST, training: Collection[str]) -> Iterator[ast.Call]:
    """Calls of training loops, of steps of optimizers, and of functions that train."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_step = isinstance(node.func, ast.Attribute) and name == "step" and not node.args
            if is_step or name == "Loop" or name in training:
                yield node
