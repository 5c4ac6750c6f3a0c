"""Turns a test cell of otter into plain checks: its last value is compared with the output that the notebook stores.

Otter compares printed text. Where the text is that of a plain value (a number, a string, a list of such), the value is
compared instead; any other text is compared as text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.core.errors import SourceError
from autograder.course.python_cells import plain_python, syntax_tree
from autograder.imports.code_edits import edited, inner_lines
from autograder.imports.otter_config import Assignment, CaseSettings, case_settings, read_case_settings
from autograder.imports.otter_function import body_of, calls, decorated

_BEGIN_SETTINGS = re.compile(r'(?:\w+\s*=\s*)?""?"?\s*#\s*BEGIN\s*TEST\s*CONFIG', re.IGNORECASE)
_END_SETTINGS = re.compile(r'""?"?\s*;?\s*#\s*END\s*TEST\s*CONFIG', re.IGNORECASE)
_TITLE = re.compile(r"##\s*(?:hidden\s*)?test\s*##\s*|#\s*(?:hidden\s*)?test\s*", re.IGNORECASE)
_HIDDEN = re.compile(r"\s*#.*\bhidden\b", re.IGNORECASE)
_NUMPY = re.compile(r"np\.(?:u?int\d+|float\d+|str_)\((?P<value>.*)\)|np\.(?P<truth>True|False)_")
"""How numpy 2 shows a number, a string or a truth value."""
_TRUTHS = (
    *("all", "any", "isinstance", "issubclass", "callable", "hasattr", "bool", "isclose", "allclose", "array_equal"),
    *("startswith", "endswith", "issubset", "issuperset", "isdisjoint", "isdigit", "isalpha", "equals"),
)
"""Functions and methods that give truth values."""
_ATOMS = ast.Call | ast.Name | ast.Attribute | ast.Subscript | ast.Constant | ast.List | ast.Dict | ast.Set | ast.BinOp
_NO_VALUE = ast.Expr(ast.Name("value", ast.Load()))


@dataclass(frozen=True)
class Case:
    """One test of a question."""

    source: str
    settings: CaseSettings
    look: str = ""
    """What to look at; empty if nothing."""


def read_case(where: str, node: NotebookNode, assignment: Assignment) -> Case:
    """The test in a cell.

    Args:
        where: the cell, for messages.
        node: the cell.
        assignment: says whether tests are functions.
    """
    settings, code = _settings(where, node.source.split("\n"))
    tree = ast.Module([], []) if plain_python(code) != code else syntax_tree(code)
    if tree is None:
        raise SourceError(f"{where}: the test is no valid Python; correct it.")
    looks = []
    if assignment.has_functions:
        if not tree.body or not isinstance(tree.body[0], ast.FunctionDef) or len(tree.body) > 2:
            raise SourceError(f"{where}: the test must be one function, and at most a call of it; correct it.")
        settings = case_settings(where, {**vars(settings), **decorated(tree.body[0])})
        code = body_of(code, tree.body[0])
    else:
        if any(output.output_type == "error" for output in node.get("outputs", [])):
            looks.append("the notebook stores an error below it, which otter does not compare; run it again")
        code, more = _checked(where, code, tree, _Output.of(node))
        looks += [more] if more else []
    if settings.failure_message:
        code, is_said = _with_message(code, settings.failure_message)
        looks += [] if is_said else [f"its message after a failure is left out: {settings.failure_message!r}"]
    return Case(code, settings, "; ".join(looks))


def is_titled(source: str) -> bool:
    """Whether a cell begins as the tests of the older format do."""
    return bool(_TITLE.match(source) or _BEGIN_SETTINGS.match(source))


def _settings(where: str, lines: list[str]) -> tuple[CaseSettings, str]:
    """The settings of a test, and its code."""
    if not _BEGIN_SETTINGS.match(lines[0]):
        is_hidden = bool(_HIDDEN.match(lines[0]))
        code = lines[1:] if is_hidden or _TITLE.fullmatch(lines[0]) else lines
        return CaseSettings(hidden=is_hidden), "\n".join(code).strip("\n")
    last = next((n for n, line in enumerate(lines) if n and _END_SETTINGS.match(line)), 0)
    if not last:
        raise SourceError(f'{where}: # BEGIN TEST CONFIG is never closed; add \'""" # END TEST CONFIG\'.')
    return read_case_settings(where, "\n".join(lines[1:last])), "\n".join(lines[last + 1 :]).strip("\n")


@dataclass(frozen=True)
class _Output:
    """What the notebook stores below a cell."""

    printed: str
    value: str
    """The text of the last value; empty if there is none."""
    was_run: bool

    @classmethod
    def of(cls, node: NotebookNode) -> _Output:
        printed, value = "", ""
        for output in node.get("outputs", []):
            if output.output_type == "stream" and output.name == "stdout":
                printed += output.text
            elif output.output_type == "execute_result":
                value = str(output.data.get("text/plain", "")).rstrip("\n")
        return cls(printed, value, node.get("execution_count") is not None or bool(printed or value))


def _checked(where: str, code: str, tree: ast.Module, output: _Output) -> tuple[str, str]:
    """The code of a test, which checks its stored output, and what to look at."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or _is_text(last.value):
        is_unused = [type(node) for node in tree.body] == [ast.FunctionDef]
        look = "it defines a function and does not call it, so that every answer passes, as with otter"
        return (_printing(code, output.printed) if output.printed else code), look if is_unused else ""
    first, text = tree.body[0], ast.get_source_segment(code, last) or ""
    function = _function(last.value)
    if (
        not output.was_run
        and "assert" not in function
        and not (isinstance(first, ast.FunctionDef) and function == first.name)
    ):
        raise SourceError(
            f"{where}: the test ends with a value or a print, and the notebook stores no output below it; run the "
            "notebook and save it, then import it again."
        )
    if not output.printed and not output.value:
        if len(tree.body) == 2 and isinstance(first, ast.FunctionDef) and calls(last.value, first):
            return body_of(code, first), ""
        if "assert" in function or code.rstrip().endswith(";"):
            return (code if "assert" in function else edited(code, [(last, f"_ = {text}")])), ""
        return edited(code, [(last, f"assert {_operand(last, text)} is None")]), ""
    if not output.value:
        printed = _printed_text(last.value, text)
        is_alone = output.printed.count("\n") == 1 and code.count("print") == 1
        if function == "print" and printed and is_alone:
            return edited(code, [(last, f"assert {printed} == {output.printed.rstrip(chr(10))!r}")]), ""
        return _printing(code, output.printed), ""
    if not output.printed:
        check, look = _comparison(last, text, output.value)
        return edited(code, [(last, check)]), look
    check, look = _comparison(_NO_VALUE, "value", output.value)
    return f"{_printing(edited(code, [(last, f'value = {text}')]), output.printed)}\n{check}", look


def _comparison(node: ast.Expr, text: str, shown: str) -> tuple[str, str]:
    """The check that an expression has the value which the notebook shows, and what to look at."""
    numpy = _NUMPY.fullmatch(shown)
    plain = (numpy["value"] or numpy["truth"]) if numpy else shown
    try:
        value = ast.literal_eval(plain)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        look = "it compares the text of an object; a comparison of values says more to students"
        return f"assert repr({text}) == {shown!r}", look
    if isinstance(value, bool) and _is_truth(node.value):
        return (f"assert {text}" if value else f"assert not {_operand(node, text)}"), ""
    return f"assert {_operand(node, text)} == {repr(value) if chr(10) in plain else plain}", ""


def _operand(node: ast.Expr, text: str) -> str:
    """The text of an expression beside `==`."""
    is_enclosed = text.startswith("(") and syntax_tree(text[1:-1]) is not None
    return text if is_enclosed or isinstance(node.value, _ATOMS) else f"({text})"


def _printing(code: str, printed: str) -> str:
    """The code with a check of all that it prints."""
    inside = inner_lines(ast.parse(plain_python(code)))
    lines = [line if n in inside else f"    {line}".rstrip() for n, line in enumerate(code.split("\n"), start=1)]
    opening = "import contextlib\nimport io\n\nwith contextlib.redirect_stdout(io.StringIO()) as printed:"
    return "\n".join([opening, *lines, f"assert printed.getvalue() == {printed!r}"])


def _printed_text(node: ast.expr, text: str) -> str:
    """An expression for the text that a `print` prints; empty if that cannot be told."""
    if not isinstance(node, ast.Call) or node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
        return ""
    call = ast.parse(text, mode="eval").body  # has the positions in the text
    values = [ast.get_source_segment(text, one) or "" for one in call.args] if isinstance(call, ast.Call) else []
    if len(values) < 2:
        return f"str({values[0]})" if values else ""
    return f'" ".join(map(str, ({", ".join(values)})))'


def _with_message(code: str, message: str) -> tuple[str, bool]:
    """The code with a message at its last assert, and whether it could get one."""
    tree = syntax_tree(code)
    bare = [node for node in _statements(tree) if isinstance(node, ast.Assert) and node.msg is None] if tree else []
    if not bare:
        return code, False
    last = max(bare, key=lambda node: node.lineno)
    text = ast.get_source_segment(code, last) or ""
    return edited(code, [(last, f"{text}, {json.dumps(message, ensure_ascii=False)}")]), True


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.stmt))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_truth(node: ast.expr) -> bool:
    """Whether an expression is a truth value by its form."""
    if isinstance(node, ast.BoolOp):
        return all(map(_is_truth, node.values))
    is_not = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    return isinstance(node, ast.Compare) or is_not or _function(node).rpartition(".")[2] in _TRUTHS


def _function(node: ast.expr) -> str:
    """The function that an expression calls; empty if it is no call."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""
