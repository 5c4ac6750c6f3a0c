"""Decides whether a test cell written for a notebook's kernel means the same outside the student's process.

There, a test can call the student's functions and read the notebook's variables: values go over and come back as
copies, while names, printed text, open figures, warnings and random states stay where they are. In doubt a test counts
as unsound: a test inside the student's process is weaker, a test that means something else costs students their points.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from autograder.course.name_analysis import names_of
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.reach import (
    Reached,
    arguments,
    called,
    calls,
    changed_in_place,
    places,
    results,
    silent_functions,
)


class Reason(NamedTuple):
    """Why a test cannot run outside the student's process, and what its author can do."""

    why: str
    fix: str
    by_hand: bool = False
    """Whether it cannot run inside it either, so that a person must grade the item."""


_MODULES = {
    "mock": "it mocks",
    "unittest.mock": "it mocks",
    "sys": "it uses `sys`, e.g. for printed text",
    "io": "it reads printed text",
    "contextlib": "it redirects printed text",
    "builtins": "it replaces built-in functions",
    "inspect": "it reads the code of functions",
    "ast": "it reads the code of functions",
    "dis": "it reads the code of functions",
    "warnings": "it looks at warnings",
    "matplotlib": "it looks at plots",
    "pylab": "it looks at plots",
    "plotchecker": "it looks at plots",
    "seaborn": "it looks at plots",
    "IPython": "it uses the notebook's kernel",
    "subprocess": "it starts programs",
    "signal": "it interrupts the process",
    "os": "it uses files or the environment",
    "pathlib": "it uses files",
}
_FUNCTIONS = {
    **dict.fromkeys(("exec", "eval", "compile", "__import__"), "it runs code from texts"),
    **dict.fromkeys(("globals", "locals", "vars", "dir"), "it looks into the notebook's names"),
    **dict.fromkeys(("get_ipython", "display", "In", "Out"), "it uses the notebook's kernel"),
    **dict.fromkeys(("open", "input"), "it reads files or input"),
    **dict.fromkeys(("exit", "quit"), "it ends the process"),
    "id": "it compares identities of objects",
}
_CHANGED_ON_THE_WAY = (
    "AssertionError",
    "StopIteration",
    "StopAsyncIteration",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
)
"""Errors that a test does not get as they were raised in the student's process."""
_SEEDS = ("seed", "manual_seed", "set_seed", "set_state", "set_rng_state")
_NOTED_BY_TORCH = ("grad_fn", "requires_grad", "is_leaf")
_MEMORY = ("shares_memory", "may_share_memory", "getrefcount")
RESERVED = frozenset({"reference", "student", "part"})
"""Names that our tests need, and that no imported cell may use for something else."""
_VALUE = "test a value that a function returns"
_BUILTINS = frozenset(dir(builtins))
_OF_IPYTHON = frozenset({"get_ipython", "display", "In", "Out"})


def unsound(source: str, reached: Reached, known: Collection[str]) -> Reason | None:
    """Why a test cell cannot run outside the student's process; None if it can.

    If one reason is that it cannot run at all (`Reason.by_hand`), it is this one.

    Args:
        source: the test cell.
        reached: what it may reach in the student's process.
        known: functions and variables of given cells that mean the same there, since they use nothing of the
            student's.
    """
    if "AUTOTEST" in source:
        return Reason("it is an AUTOTEST cell", "write its checks as assert statements", by_hand=True)
    if plain_python(source) != source:
        return Reason("it has a magic or a shell line", "write it in plain Python", by_hand=True)
    tree, names = syntax_tree(source), names_of(source)
    if tree is None or names is None:
        return Reason("it is not valid Python", "correct it", by_hand=True)
    foreign = names.uses - names.binds - _BUILTINS - _OF_IPYTHON - reached.names - set(known)
    reasons = [reason for rule in _RULES for reason in rule(tree, reached)] + _foreign_names(foreign)
    reasons += _checks_of_given(tree, reached, set(known))
    changed = sorted({changed_in_place(node) for node in ast.walk(tree)} & set(known))
    reasons += [Reason(f"it changes `{name}` of a given cell", "change a copy") for name in changed]
    return next((one for one in reasons if one.by_hand), next(iter(reasons), None))


def is_importable(module: str) -> bool:
    """Whether Python finds the package of a module here."""
    try:
        importlib.invalidate_caches()
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _foreign_names(names: Collection[str]) -> list[Reason]:
    listed = ", ".join(f"`{name}`" for name in sorted(names))
    fix = "make the values in the test cell itself"
    return [Reason(f"it reads {listed}, which no cell defines that grading runs", fix, by_hand=True)] if names else []


def _imports(tree: ast.Module, _reached: Reached) -> Iterator[Reason]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
            yield Reason(f"`{ast.unparse(node)}` imports names that cannot be told", "name what it imports")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                modules += [f"{node.module}.{alias.name}" for alias in node.names]
            for module in modules:
                found = next((why for name, why in _MODULES.items() if f"{module}.".startswith(f"{name}.")), "")
                if found:
                    yield Reason(f"{found} (`{ast.unparse(node)}`)", _VALUE)
            if not is_importable(modules[0]):
                fix = "use assert, or install the package"
                yield Reason(f"`{modules[0]}` cannot be imported here", fix, by_hand=True)


def _pytest(tree: ast.Module, _reached: Reached) -> Iterator[Reason]:
    """Reasons where pytest ends a test: its exceptions are not of the kind `Exception`, and would end the grading."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        used = names if isinstance(node, ast.ImportFrom) and node.module == "pytest" else []
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "pytest":
            used = [node.attr]
        for name in used:
            if name != "approx":
                yield Reason(f"it uses `pytest.{name}`, which needs pytest's runner", "write try, except and else")


def _functions(tree: ast.Module, _reached: Reached) -> Iterator[Reason]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _FUNCTIONS:
            yield Reason(f"{_FUNCTIONS[node.id]} (`{node.id}`)", _VALUE)


def _rebound(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    """Reasons where the test changes what a name of the notebook means, at its top or in an inner scope."""
    graded = reached.names | RESERVED
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in graded and not isinstance(node.ctx, ast.Load):
            verb = "deletes" if isinstance(node.ctx, ast.Del) else "replaces"
            yield Reason(f"it {verb} `{node.id}`", _VALUE)
        names = [getattr(node, "arg", None), getattr(node, "asname", None), getattr(node, "name", None)]
        if isinstance(node, ast.arg | ast.alias | ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            yield from (Reason(f"it gives `{name}` another meaning", "rename it") for name in names if name in graded)
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield Reason("it declares global names", "make the values in the test cell itself")


def _only_calls(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    called = calls(tree, reached)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in reached.functions and node not in called:
            if isinstance(node.ctx, ast.Load):
                yield Reason(f"it uses `{node.id}` other than by calling it", "call it and check what it returns")


def _by_name(tree: ast.Module, _reached: Reached) -> Iterator[Reason]:
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _SEEDS:
            why = f"it sets a random state (`{ast.unparse(node.func)}`), which the student's process does not share"
            yield Reason(why, "pass a seed or the random numbers to the function")
        if name in _MEMORY:
            yield Reason(f"it compares places in memory (`{ast.unparse(node.func)}`)", "compare values")


def _changed_values(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    """Reasons where the test changes a variable of the notebook, of which it has a copy."""
    for node in ast.walk(tree):
        if (name := changed_in_place(node)) in reached.values:
            yield Reason(f"it changes `{name}`, of which it has a copy", "compare values")


def _changed_results(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    """Reasons where the test changes a result, e.g. to see whether an argument changes too: it has a copy."""
    calls = places(tree, reached)
    results = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(inner in calls for inner in ast.walk(node.value))
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }
    for node in ast.walk(tree):
        if (name := changed_in_place(node)) in results:
            yield Reason(f"it changes the result `{name}`, of which it has a copy", "compare values")


def _gradients_of_arguments(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    """Reasons where a test looks for what torch notes at an argument, which a copy does not get."""
    given = {name for name, _ in arguments(tree, reached)}
    unset = [node.left for node in ast.walk(tree) if isinstance(node, ast.Compare) and _is_none(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in given:
            if node.attr in _NOTED_BY_TORCH or (node.attr == "grad" and node in unset):
                why = f"it reads `{ast.unparse(node)}` of an argument, of which the function gets a copy"
                yield Reason(why, _VALUE)


def _is_none(node: ast.Compare) -> bool:
    return isinstance(node.ops[0], ast.Is | ast.Eq) and ast.unparse(node.comparators[0]) == "None"


def _checks_of_given(tree: ast.Module, reached: Reached, known: Collection[str]) -> Iterator[Reason]:
    """Reasons where a check reads only what given cells made: it asks whether the student's code has changed that."""
    made = results(tree, reached)
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.Assert)):
        names = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
        given = sorted((names - {function.id for function in called(node)}) & set(known))
        if given and not names & (made | reached.names):
            yield Reason(f"it checks `{given[0]}`, which a given cell made", "test what the student's code makes")


def _errors(tree: ast.Module, _reached: Reached) -> Iterator[Reason]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
            for one in map(ast.unparse, caught):
                if one not in _BUILTINS or one in _CHANGED_ON_THE_WAY:
                    yield Reason(f"it catches `{one}`, which arrives as another error", "expect a built-in error")
            if node.name and any(isinstance(one, ast.Name) and one.id == node.name for one in ast.walk(node)):
                yield Reason("it reads the text of an error", "check only the kind of the error")
        if isinstance(node, ast.Call) and any(keyword.arg == "match" for keyword in node.keywords):
            yield Reason("it compares the text of an error", "check only the kind of the error")


def _objects(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield Reason(f"it defines the class `{node.name}`, whose objects cannot be passed on", _VALUE)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield Reason(f"it changes `{ast.unparse(node)}`", "call a function or a method instead")
        elif isinstance(node, ast.Compare) and any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            is_type = isinstance(node.left, ast.Call) and getattr(node.left.func, "id", "") == "type"
            if not is_type and not all(isinstance(one, ast.Constant) for one in node.comparators):
                yield Reason("it compares identities of objects (`is`)", "compare values with ==")
        elif (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.func in calls(tree, reached)
        ):
            names = [one.id for one in node.value.args if isinstance(one, ast.Name)]
            changed = [name for name in names if name not in _BUILTINS | reached.functions]
            if changed:
                yield Reason(f"it looks for a change of `{changed[0]}` in place", "let the function return the result")


def _score(tree: ast.Module, reached: Reached) -> Iterator[Reason]:
    """A reason where the last line has a value: nbgrader takes it as the score."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr) and not (isinstance(last.value, ast.Constant) and isinstance(last.value.value, str)):
        function = ast.unparse(last.value.func) if isinstance(last.value, ast.Call) else ""
        is_silent = function in {"print", "display"} | reached.silent | silent_functions([tree])
        if "assert" not in function and not is_silent:
            why = "its last line is a value, which nbgrader takes as the score"
            yield Reason(why, "write it as an assert", by_hand=True)


_RULES: tuple[Callable[[ast.Module, Reached], Iterator[Reason]], ...] = (
    *(_imports, _pytest, _functions, _rebound, _only_calls, _by_name, _errors, _objects),
    *(_changed_values, _changed_results, _gradients_of_arguments, _score),
)
