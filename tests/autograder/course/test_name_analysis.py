"""The names that a cell binds and uses, and the cells that given names depend on."""

from __future__ import annotations

import pytest

from autograder.course.name_analysis import Names, defines, names_of, needed


def names_in(source: str) -> Names:
    """The names of a cell that can be parsed."""
    names = names_of(source)
    assert names is not None
    return names


def test_names_at_the_top_level_are_bound_or_used() -> None:
    names = names_in(
        "import torch.nn as nn, numpy\nfrom os import path as p\nlimit: int = 3\n"
        "def f(a, b=default):\n    local = [i for i in a]\n    return helper(local, limit)\n"
        "for k in range(2):\n    total = k\n"
    )
    assert names.binds == {"nn", "numpy", "p", "limit", "f", "k", "total"}
    assert {"default", "helper", "limit"} <= names.uses
    assert not names.uses & {"local", "a", "i"}


@pytest.mark.parametrize(
    ("source", "binds"),
    [
        ("VAE.forward = better\nconfig['lr'] = 1\n", {"VAE", "config"}),
        ("setattr(VAE, 'forward', better)\n", {"VAE"}),
        ("def f():\n    global counter\n    counter = 1\n", {"f", "counter"}),
        ("!pip install x\n%matplotlib inline\ny = 2", {"y"}),
        ("\n%%time\ndef f():\n    pass\n%time y = f()", {"f", "y"}),
        ("%%capture out\nimport numpy as np", {"np"}),
        ("%%writefile own.py\nx = 1", set()),
        ("%time y = 3", {"y"}),
    ],
    ids=["change of an object", "setattr", "global", "magics", "timed", "captured", "written", "timed line"],
)
def test_a_cell_binds_the_names_that_it_can_change(source: str, binds: set[str]) -> None:
    assert names_in(source).binds == binds


@pytest.mark.parametrize("source", ["def f(:\n", "x = (", "\0", "(" * 5000, "-" * 200_000 + "1"])
def test_a_cell_that_cannot_be_parsed_has_no_names(source: str) -> None:
    assert names_of(source) is None


def test_the_definitions_of_an_incomplete_cell_are_found() -> None:
    assert defines("def kl(m, v):\n    return (m\n", "kl")
    assert not defines("x = kl(1\n", "kl")
    assert defines("kl = lambda m, v: 0", "kl")
    assert not defines("def outer():\n    def kl(): pass\n", "kl")


def test_only_cells_that_the_wanted_names_use_are_needed() -> None:
    cells = [
        "import torch",
        "def helper(x):\n    return torch.exp(x)",
        "data = download()",
        "def f(x):\n    return helper(x)",
        "curve = [f(d) for d in data]",
        None,
        "SCALE = 3",
    ]
    assert needed(cells, ["f"]) == {0, 1, 3}
    assert needed(cells, ["f", "SCALE"]) == {0, 1, 3, 6}
    assert needed(cells, ["curve"]) == {0, 1, 2, 3, 4}
    assert needed(cells, ["unknown"]) == set()


def test_a_star_import_is_always_needed() -> None:
    assert needed(["from math import *", "def f(x):\n    return exp(x)"], ["f"]) == {0, 1}


def test_local_names_of_functions_do_not_make_cells_needed() -> None:
    assert needed(["x = load_everything()", "def f(x):\n    return x + 1"], ["f"]) == {1}
