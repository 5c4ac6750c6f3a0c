"""Which names does a cell bind and use, and which cells follow from the names that are asked for?"""

from __future__ import annotations

import pytest

from autograder.course.name_analysis import defines, names_of, needed, plain_python


def test_names_bound_and_used_at_the_top_level() -> None:
    names = names_of(
        "import torch.nn as nn, numpy\nfrom os import path as p\nlimit: int = 3\n"
        "def f(a, b=default):\n    local = [i for i in a]\n    return helper(local, limit)\n"
        "for k in range(2):\n    total = k\n"
    )
    assert names is not None
    assert names.binds == {"nn", "numpy", "p", "limit", "f", "k", "total"}
    assert {"default", "helper", "limit"} <= names.uses
    assert not names.uses & {"local", "a", "i", "range"}


def test_changing_an_object_counts_as_binding_its_name() -> None:
    names = names_of("VAE.forward = better\nconfig['lr'] = 1\n")
    assert names is not None and names.binds == {"VAE", "config"}


def test_setting_an_attribute_by_name_counts_too() -> None:
    names = names_of("setattr(VAE, 'forward', better)\n")
    assert names is not None and names.binds == {"VAE"}


@pytest.mark.parametrize(
    ("source", "dynamic"),
    [
        ("exec('x = 1')", "exec"),
        ("def f():\n    return eval('g')(3)", "eval"),
        ("for name in 'ab':\n    globals()[name] = 1", "globals"),
        ("vars()['x'] = 1", "vars"),
        ("def f(x):\n    return vars(x)", ""),
        ("model.eval()", ""),
        ("def exec(x):\n    return x\nexec(3)", ""),
    ],
)
def test_what_may_bind_any_name_is_seen(source: str, dynamic: str) -> None:
    names = names_of(source)
    assert names is not None and names.dynamic == dynamic


def test_a_function_that_declares_a_global_binds_it() -> None:
    names = names_of("def f():\n    global counter\n    counter = 1\n")
    assert names is not None and names.binds == {"f", "counter"}


def test_magics_and_shell_lines_are_calls() -> None:
    assert "get_ipython()" in plain_python("!ls\n%timeit f()\nx = 1")
    names = names_of("!pip install x\n%matplotlib inline\ny = 2")
    assert names is not None and names.binds == {"y"}


@pytest.mark.parametrize("source", ["def f(:\n", "x = (", "\0", "(" * 5000, "-" * 200_000 + "1"])
def test_what_cannot_be_parsed_has_no_names(source: str) -> None:
    assert names_of(source) is None


def test_half_written_cells_still_tell_what_they_define() -> None:
    assert defines("def kl(m, v):\n    return (m\n", "kl")
    assert not defines("x = kl(1\n", "kl")
    assert defines("kl = lambda m, v: 0", "kl")
    assert not defines("def outer():\n    def kl(): pass\n", "kl")


def test_only_what_the_wanted_names_use_is_needed() -> None:
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


def test_names_that_agree_only_inside_functions_do_not_tie_cells_together() -> None:
    assert needed(["x = load_everything()", "def f(x):\n    return x + 1"], ["f"]) == {1}
