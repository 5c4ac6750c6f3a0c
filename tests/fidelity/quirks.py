"""Ways in which people write notebooks; each changes a solved notebook but not what its answers compute.

A quirk gets the notebook and the place of an answer's code cell, `at`; it may insert cells, but no cell above `at - 1`
moves. Every name that a quirk introduces starts with `own`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

Quirk = Callable[[NotebookNode, int], None]
QUIRKS: dict[str, Quirk] = {}
"""All quirks by name."""


def quirk(function: Quirk) -> Quirk:
    """Registers a quirk under its function's name."""
    QUIRKS[function.__name__] = function
    return function


def _above(*sources: str) -> Quirk:
    """Inserts code cells directly above the answer."""

    def change(notebook: NotebookNode, at: int) -> None:
        notebook.cells[at:at] = map(new_code_cell, sources)

    return change


def _prefix(text: str) -> Quirk:
    def change(notebook: NotebookNode, at: int) -> None:
        notebook.cells[at].source = text + notebook.cells[at].source

    return change


def _suffix(text: str) -> Quirk:
    def change(notebook: NotebookNode, at: int) -> None:
        notebook.cells[at].source += text

    return change


QUIRKS |= {
    # magics and shell lines
    "timed cell": _prefix("%%time\n"),
    "timed cell with blank lines": _prefix("\n\n%%time\n\n"),
    "captured cell": _prefix("%%capture own_output\n"),
    "profiled cell": _prefix("%%prun -q\n"),
    "timed line": _above("%time own_value = 3"),
    "timed line with a result": _suffix("\n%time own_result = sum(range(10))\n"),
    "inline figures": _above("%matplotlib inline"),
    "settings by magic": _above("%config InlineBackend.figure_formats = ['png']\n%precision 3"),
    "shell line": _above("!echo hello"),
    "shell line that fails": _above("!own_command_that_is_not_there"),
    "shell output": _above("own_files = !echo a\nassert list(own_files) == ['a'], own_files"),
    "shell with a variable": _above("own_word = 'b'\nown_out = !echo {own_word}\nassert own_out[0] == 'b'"),
    "help": _above("sum?"),
    "list of magics": _above("%who"),
    "unknown magic": _above("%own_magic 3"),
    "unknown cell magic": _above("%%own_magic\nown_never = 3"),
    "written file": _above("%%writefile own_module.py\nOWN = 7", "from own_module import OWN\nassert OWN == 7"),
    "folder made by the shell": _above("import os\n!mkdir -p own_folder\nassert os.path.isdir('own_folder')"),
    # what a shell keeps
    "last result": _above("5\nassert True"),
    "underscore": _above("20 + 22", "assert _ == 42\nown_42 = _"),
    "shell object": _above("own_shell = get_ipython()\nassert own_shell is not None"),
    "display": _suffix("\ndisplay('drawn')\n"),
    "markdown shown": _above("from IPython.display import Markdown, display\ndisplay(Markdown('*hi*'))"),
    "future": _above("from __future__ import annotations\n\n\ndef own_typed(x: NotThere) -> None: ..."),
    "await": _above("import asyncio\n\nawait asyncio.sleep(0)\nown_awaited = await asyncio.sleep(0, 5)"),
    "async function": _above(
        "import asyncio\n\n\nasync def own_later():\n    return 3\n\n\nown_three = await own_later()"
    ),
    "running loop": _above("import asyncio\n\nasyncio.get_running_loop()"),
    # statements that fail
    "fails at the end": _suffix("\n\nassert False, 'left over'\n"),
    "undefined at the end": _suffix("\n\nown_not_defined\n"),
    "input at the end": _suffix("\n\ninput('name? ')\n"),
    "failed scratch cell": _above("own_scratch = 1 / 0"),
    "syntax error in a scratch cell": _above("def own_broken(:"),
    "tried import": _above("try:\n    import own_missing\nexcept ImportError:\n    own_missing = None"),
    "raised and caught": _suffix("\ntry:\n    raise ValueError('own')\nexcept ValueError as own_error:\n    pass\n"),
    # structure
    "comment above": _prefix("# my answer\n\n"),
    "windows line ends": lambda notebook, at: notebook.cells[at].update(
        source=notebook.cells[at].source.replace("\n", "\r\n")
    ),
    "markdown in between": lambda notebook, at: notebook.cells.insert(at, new_markdown_cell("note to myself")),
    "raw cell in between": lambda notebook, at: notebook.cells.insert(at, new_raw_cell("note")),
    "empty cells": _above(""),
    "long comment": _prefix("# " + "x" * 5_000 + "\n"),
    # what the analysis of names cannot see
    "list filled elsewhere": _above("own_list = []", "own_list.append(1)"),
    "exec": _above("exec('own_by_exec = 3')"),
    "globals": _above("globals()['own_global'] = 3"),
    "patched class": _above("import torch\n\ntorch.Tensor.own_double = lambda self: 2 * self"),
    "shadowed built-in": _above("from torch import sum as own_sum, max, min\n\ndel max, min"),
}


def needing(name: str, cells: list[str]) -> Quirk:
    """A quirk whose cells define `name`, which the answer then needs each time it is called."""

    def change(notebook: NotebookNode, at: int) -> None:
        source = notebook.cells[at].source
        match = re.match(r"(?P<head>def \w+\(.*?\n)(?P<body>    .*)", source, flags=re.S)
        if match is None or '"""' not in source:  # a class or something else: the cells alone
            body = None
        else:
            head, _, rest = source.partition('"""')
            doc, _, rest = rest.partition('"""')
            body = f'{head}"""{doc}"""\n    assert {name}{rest}'
        if body is not None:
            notebook.cells[at].source = body
        _above(*cells)(notebook, at)

    return change


QUIRKS |= {
    f"needs {what}": needing(name, cells)
    for what, name, cells in (
        ("a filled list", "own_needed[0] == 1", ["own_needed = []", "own_needed.append(1)"]),
        ("a name by exec", "own_executed == 3", ["exec('own_executed = 3')"]),
        (
            "a global of a function",
            "own_set == 3",
            ["def own_setter():\n    global own_set\n    own_set = 3", "own_setter()"],
        ),
        (
            "a star import",
            "own_here(3) == 9",
            ["%%writefile own_star.py\ndef own_here(x):\n    return x * x", "from own_star import *"],
        ),
        ("a timed value", "own_timed == 3", ["%time own_timed = 3"]),
        ("a captured value", "own_captured == 3", ["%%capture\nown_captured = 3"]),
        ("an awaited value", "own_waited == 3", ["import asyncio\n\nown_waited = await asyncio.sleep(0, 3)"]),
        (
            "a registered function",
            "own_kind(3) == 'int'",
            [
                "from functools import singledispatch\n\n\n@singledispatch\ndef own_kind(x):\n    return 'other'",
                "@own_kind.register\ndef _(x: int):\n    return 'int'",
            ],
        ),
        ("a patched built-in", "own_len([1]) == 1", ["import builtins\n\nbuiltins.own_len = len"]),
        ("a value behind a failure", "own_early == 3", ["own_early = 3\nassert False, 'left over'"]),
        ("shell output", "own_said == ['hi']", ["own_said = !echo hi\nown_said = list(own_said)"]),
        ("the last result", "own_last == 42", ["40 + 2", "own_last = _"]),
        (
            "a stored value",
            "own_stored == 3",
            ["own_stored = 3\n%store own_stored", "del own_stored\n%store -r own_stored"],
        ),
        (
            "Jupyter's shell",
            "own_in == 3",
            ["if type(get_ipython()).__name__ == 'ZMQInteractiveShell':\n    own_in = 3"],
        ),
        (
            "the kernel's arguments",
            "own_args.f",
            [
                "import argparse\n\nown_parser = argparse.ArgumentParser()\nown_parser.add_argument('-f')\n"
                "own_args, _ = own_parser.parse_known_args()"
            ],
        ),
        ("a shadowed built-in", "own_pow(2, 3) == 8.0", ["from math import pow", "own_pow = pow"]),
    )
}


@quirk
def helper_in_the_test_cell(notebook: NotebookNode, at: int) -> None:
    """A name that the answer needs is defined on top of the test cell."""
    needing("own_helped() == 3", [])(notebook, at)
    test = f"test_{notebook.cells[at].metadata.nbgrader.grade_id}"
    for cell in notebook.cells[at + 1 :]:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == test:
            cell.source = f"def own_helped():\n    return 3\n\n\n{cell.source}"


@quirk
def given_cell_edited(notebook: NotebookNode, at: int) -> None:
    """The answer needs what was changed in a given cell, in a function that the cell defined already."""
    for cell in notebook.cells[:at]:
        name = re.search(r"^def (\w+)\(", cell.source, flags=re.MULTILINE)
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata and name and not cell.metadata.get("tags"):
            cell.source += f"\n\n\n{name[1]}.own_mark = 3\n"
            needing(f"{name[1]}.own_mark == 3", [])(notebook, at)
            return


@quirk
def answered_twice(notebook: NotebookNode, at: int) -> None:
    """A wrong first try stays above the answer, with the same id."""
    first = new_code_cell(re.sub(r"\n    .*", "\n    return None", notebook.cells[at].source, count=1, flags=re.S))
    first.metadata = notebook.cells[at].metadata
    if notebook.cells[at].source.startswith("def "):
        notebook.cells.insert(at, first)


@quirk
def split_in_two(notebook: NotebookNode, at: int) -> None:
    """What stands above the definition moves to a cell of its own, with the same id."""
    head = new_code_cell("own_split = 1\n\n\ndef own_helper(x):\n    return x")
    head.metadata = notebook.cells[at].metadata
    notebook.cells.insert(at, head)


@quirk
def defined_again_below_the_test(notebook: NotebookNode, at: int) -> None:
    """A scratch cell below the test redefines the answer wrongly; the test in the notebook saw the right one."""
    name = notebook.cells[at].metadata.nbgrader.grade_id
    if notebook.cells[at].source.startswith("def "):
        notebook.cells.insert(at + 2, new_code_cell(f"def {name}(*own_args, **own_kwargs):\n    return None"))
