"""A call that changes its arguments is detected in a notebook as it is in the sandbox (`test_proxy`)."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import homework
from homework.arguments import Change, Watch, modules_may_change, watched
from homework.checks import CheckFailed
from tests.homework.conftest import Patch


def _changes(function: Callable[..., Any], *args: Any, modules: bool = True, **kwargs: Any) -> list[Change]:
    watch = Watch(args, kwargs, modules=modules)
    function(*args, **kwargs)
    return watch.changes(function)


def _adds(x: Any) -> None:
    x += 1


def _first_row(rows: list[torch.Tensor]) -> None:
    rows[0][0] = 7.0


def _steps(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)


CHANGING: list[tuple[str, Callable[[Any], object], Any, Change]] = [
    *[
        ("adds in place", _adds, tensor, Change("x", (), "tensor"))
        for tensor in (
            torch.zeros(3),
            torch.zeros(()),
            torch.full((3,), torch.nan, dtype=torch.float64).nan_to_num_(),
            torch.zeros(2, dtype=torch.bfloat16),
            torch.arange(3),
        )
    ],
    ("adds in place", _adds, np.zeros(3), Change("x", (), "array")),
    ("changes .data", lambda x: x.data.zero_(), torch.ones(3, requires_grad=True), Change("x", (), "tensor")),
    ("resizes", lambda x: x.resize_(3), torch.zeros(2), Change("x", (), "tensor")),
    ("transposes", lambda x: x.t_(), torch.zeros(2, 3), Change("x", (), "tensor")),
    ("pops", lambda rows: rows.pop(), [1, 2], Change("rows", (), "list")),
    ("changes a tensor in a list", _first_row, [torch.zeros(2), torch.zeros(2)], Change("rows", (0,), "tensor")),
    (
        "changes a tensor deep inside",
        lambda tree: tree["layers"][1]["keys"].mul_(2),
        {"layers": ({}, {"keys": torch.ones(1)})},
        Change("tree", ("layers", 1, "keys"), "tensor"),
    ),
    ("adds a key", lambda tree: tree.update(more=1), {"a": 1}, Change("tree", (), "dict")),
    ("changes a number", lambda weights: weights.__setitem__(1, 0.0), [1.0, 2.0], Change("weights", (), "list")),
    ("sorts tuples", lambda rows: rows.sort(), [(3, 1), (1, 2)], Change("rows", (0,), "list")),
    ("sorts", lambda rows: rows.sort(), [np.float64(2.0), np.float64(1.0)], Change("rows", (), "list")),
    (
        "replaces an object",
        lambda rows: rows.__setitem__(0, Fraction(1, 3)),
        [Fraction(1, 2)],
        Change("rows", (), "list"),
    ),
    ("has a float as key", lambda tree: tree[1.5].zero_(), {1.5: torch.ones(1)}, Change("tree", ("1.5",), "tensor")),
    ("trains", _steps, torch.nn.Linear(2, 1), Change("model", ("weight",), "module")),
    (
        "updates statistics",
        lambda model: model.train()(torch.randn(4, 2)),
        torch.nn.BatchNorm1d(2),
        Change("model", ("running_mean",), "module"),
    ),
]


@pytest.mark.parametrize(("what", "function", "argument", "change"), CHANGING, ids=[case[0] for case in CHANGING])
def test_a_changed_argument_is_named(what: str, function: Callable[..., Any], argument: Any, change: Change) -> None:
    assert _changes(function, argument) == [change]


class _NoCopy(torch.Tensor):
    """A tensor that can be read, but not copied."""

    def detach(self) -> torch.Tensor:
        return self

    def clone(self, *, memory_format: torch.memory_format | None = None) -> torch.Tensor:
        raise RuntimeError("not here")


def _reads(x: Any, **_: Any) -> Any:
    return x


def _changes_what_may_change(model: torch.nn.Module, x: torch.Tensor, generator: torch.Generator) -> None:
    model.eval()
    x.requires_grad_()
    model(x).sum().backward()
    torch.rand(2, generator=generator)


def test_unchanged_arguments_and_allowed_changes_are_not_reported() -> None:
    nan = torch.tensor([torch.nan, 1.0])
    cycle: list[Any] = [1]
    cycle.append(cycle)
    for argument in (nan, np.array([np.nan]), [float("nan"), None, object()], {"a": (nan, [nan])}, cycle, 3, "text"):
        assert _changes(_reads, argument, further=argument) == []
    sparse = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones(1), (2,), check_invariants=True)
    assert _changes(_reads, sparse, further=torch.ones(1, dtype=torch.cfloat).conj()) == []
    assert _changes(_changes_what_may_change, torch.nn.Linear(2, 1), torch.zeros(1, 2), torch.Generator()) == []
    assert _changes(_steps, torch.nn.Linear(2, 1), modules=False) == []
    assert _changes(_reads, torch.nn.LazyLinear(2), further=[object(), Fraction(1, 2), torch.float32]) == []
    assert _changes(_reads, torch.ones(2).as_subclass(_NoCopy)) == []
    shared: list[Any] = [1]
    for _ in range(200):
        shared = [shared, shared]
    assert _changes(_reads, shared) == []


def test_each_changed_argument_is_named_once_even_of_built_in_functions() -> None:
    def both(first: torch.Tensor, *rest: torch.Tensor, last: torch.Tensor) -> None:
        for x in (first, *rest, last):
            x += 1

    changes = _changes(both, torch.zeros(1), torch.zeros(1), last=torch.zeros(1))
    assert [change.name for change in changes] == ["first", "rest", "last"]

    def decorated(*args: torch.Tensor, **kwargs: torch.Tensor) -> None:
        args[1].zero_()

    assert [change.name for change in _changes(decorated, torch.ones(1), torch.ones(1))] == ["args"]
    assert _changes(np.add, 1, 2) == _changes(torch.add, 1, 2) == _changes([].extend, [1]) == []
    assert [change.name for change in _changes(lambda x: x.clear(), [1])] == ["x"]
    numbers = [3, 1]
    watch = Watch([numbers], {}, modules=True)
    numbers.sort()
    assert watch.changes(dict.update)[0].name.isidentifier(), "a function without a signature"


def test_a_test_may_allow_changes_of_modules_but_not_of_plain_data() -> None:
    def train(model: torch.nn.Module, x: torch.Tensor) -> None:
        _steps(model)
        x.zero_()

    model = torch.nn.Linear(2, 1)
    with pytest.raises(CheckFailed, match="a module that it got.*\\n`weight` of `model` has other values"):
        watched(train)(model, torch.zeros(1))
    with modules_may_change():
        watched(train)(model, torch.zeros(1))
        with pytest.raises(CheckFailed, match=r"arguments in place.*\n.*`x\.clone\(\)`"):
            watched(train)(model, torch.ones(1))
    with pytest.raises(CheckFailed):
        watched(train)(model, torch.zeros(1))


def test_the_message_names_the_place_in_a_list() -> None:
    with pytest.raises(CheckFailed, match=r"in place.*a copy.\nChanged: `rows\[0\]`; a copy is `rows\[0\].clone\(\)`"):
        watched(_first_row)([torch.zeros(2)])


def test_a_notebook_watches_the_functions_of_student_and_not_those_of_reference(monkeypatch: Patch) -> None:
    def adds_one(x: torch.Tensor) -> torch.Tensor:
        """Adds one."""
        x += 1
        return x

    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "adds_one", adds_one, raising=False)
    monkeypatch.setattr(main, "Linear", torch.nn.Linear, raising=False)
    monkeypatch.setattr(main, "partly", functools.partial(adds_one), raising=False)
    for name in ("adds_one", "partly"):
        with pytest.raises(CheckFailed, match="Changed: `x`"):
            getattr(homework.student, name)(torch.zeros(2))
    assert homework.student.adds_one.__doc__ == "Adds one."
    assert homework.reference.adds_one(torch.zeros(2)).tolist() == [1, 1]
    assert homework.student.Linear is torch.nn.Linear


def test_a_callable_object_is_watched_where_the_test_asks_for_it() -> None:
    class Layer(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.add_(1)

    assert Layer()(torch.zeros(1)).item() == 1
    with pytest.raises(CheckFailed, match="Changed: `x`"):
        watched(Layer())(torch.zeros(1))
