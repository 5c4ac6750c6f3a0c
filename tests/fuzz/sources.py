"""Hostile answers: generated and changed Python, lines for the shell, and cells put together from known attacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

from nbformat.v4 import new_code_cell

from tests.attacks.files import NOTHING
from tests.attacks.hostile_class import CELLS, filled_in
from tests.autograder.toy import solved
from tests.fuzz.attacker import LINE, Attacker, submitted
from tests.fuzz.repeated import block, nested

WORDS = {"COURSE": "/course", "SUBMITTED": "/submitted", "OUT": "/graded", "PORT": 9}
"""What the capital words of the known attacks stand for; their own test gives them real paths."""
UNLIKE = [path for path in CELLS if ".mean(" not in path.read_text(encoding="utf-8")]
"""The attacks that contain no part of the solution, so that no change makes them right."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
LINES = (
    "!true|!echo x|x = !echo 1|%time 1|%pinfo x|x?|??x|%cd /|%matplotlib|%run x|%load x|%autoreload 2|%load_ext x|"
    "%env A=1|%alias a b|!|%|?|%%%|!!ls|%reset -f|%debug|%pdb on|%xmode Verbose|%timeit -n1 -r1 1|!kill -9 $$|"
    "%macro a 1|%rerun|%history|%logstart|/f 1|,f 1|;f 1|y = %time 1|!echo {x} $x \\|%time \\"
).split("|")
"""Lines for IPython and for the shell."""
CELL_MAGICS = "%% %%time %%bash %%html %%capture %%javascript %%script %%writefile %%timeit %%prun %%sh".split()
ODD_CODE = (
    "\0|\x0c|\ufeff|\u202e|\u2028|\r|\t| \t|\x1a|\x7f|\ufb01|ª = 1|\ud800|\N{NO-BREAK SPACE}|# -*- coding: utf-7 -*-|"
    "# coding: rot13|# coding: \0|'''|f'''{|\"\"\"|\\|\\\n|$|€|0777|1if 1else 1|π = 3|👩‍🎓|İ = 1|__debug__ = 1|"
    "None = 1|await 1|yield|return|async|### BEGIN SOLUTION|### END HIDDEN TESTS|### BEGIN HIDDEN TESTS|```|{% raw %}|"
    "In[1]:|<script>alert(1)</script>|\N{MATHEMATICAL BOLD SMALL X} = 1"
).split("|")
"""Texts that tokenizers and templates treat in a special way."""


def _shell(draw: Random) -> str:
    lines = [draw.choice(LINES) for _ in range(draw.choice([1, 3, 30]))]
    many = 1 if any("!" in line for line in lines) else draw.choice([1, 1, 3, 30])
    return "\n".join([draw.choice(CELL_MAGICS)] * (draw.random() < 0.2) + lines * many)


def _odd(draw: Random) -> str:
    lines = NOTHING.split("\n")
    for _ in range(draw.choice([1, 2, 6])):
        line, odd = draw.randrange(len(lines)), draw.choice(ODD_CODE) * draw.choice([1, 1, 2, 400])
        at = draw.choice([0, draw.randrange(len(lines[line]) + 1), len(lines[line])])
        lines[line] = lines[line][:at] + draw.choice(["", "\n", " "]) + odd + draw.choice(["", "\n"]) + lines[line][at:]
    return "\n".join(lines)


def _attack(draw: Random, cells: Sequence[Path] = CELLS) -> str:
    return filled_in(draw.choice(cells), WORDS)


def _changed(draw: Random) -> str:
    """Python with tokens removed, doubled, exchanged and taken from elsewhere."""
    tokens = _TOKEN.findall(draw.choice([NOTHING, _attack(draw, UNLIKE)]))
    others = _TOKEN.findall(_attack(draw, UNLIKE))
    for _ in range(draw.choice([1, 3, 10])):
        at, many = draw.randrange(len(tokens)), draw.choice([1, 1, 2, 20])
        other = draw.randrange(len(others))
        tokens[at : at + draw.choice([0, many])] = draw.choice(
            [[], tokens[at : at + many] * 2, others[other : other + many]]
        )
        tokens = tokens or [" "]
    return "".join(tokens)


def _composed(draw: Random) -> str:
    kinds = [_attack, _attack, _attack, _shell, block, nested]
    return "\n".join(draw.choice(kinds)(draw) for _ in range(draw.choice([1, 2, 2, 3])))


WAYS = {"nested": nested, "block": block, "shell": _shell, "odd": _odd, "changed": _changed, "composed": _composed}
"""Ways to make the source of a cell."""


def _free_cells(draw: Random) -> Attacker:
    """Hostile cells between those of the release, in front or behind."""
    notebook = solved(standardize=NOTHING)
    many, names = draw.choice([(1, WAYS), (3, WAYS), (400, ["odd"])])
    cells = [new_code_cell(WAYS[draw.choice(list(names))](draw), id=f"free{number}") for number in range(many)]
    at = draw.choice([0, 3, len(notebook.cells) // 2, len(notebook.cells)])
    notebook.cells[at:at] = cells
    return submitted(f"source, {many} free cells", notebook)


def attacker(draw: Random, _name: str) -> Attacker:
    """An attacker by the source of cells."""
    if draw.random() < 0.15:
        return _free_cells(draw)
    name = draw.choice(list(WAYS))
    source = WAYS[name](draw)
    if "def standardize" not in source and draw.random() < 0.8:  # else the function would not even be called
        source += "\n" + NOTHING
    others = {other: WAYS[draw.choice(list(WAYS))](draw) for other in ("Line", "figure_loss") if draw.random() < 0.2}
    notebook = solved(**{"standardize": source, **others})
    return submitted(f"source, {name}", notebook, line=0.0 if "Line" in others else LINE)
