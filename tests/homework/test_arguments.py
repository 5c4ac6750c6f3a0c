"""Which arguments did a call change? The same answer in a notebook and across the wire (`test_remote`)."""

from __future__ import annotations

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


def _changes(function: Callable[..., Any], *args: Any, modules: bool = True, **kwargs: Any) -> list[Change]:
    watch = Watch(args, kwargs, modules=modules)
    function(*args, **kwargs)
    return watch.changes(function)


def _adds(x: Any) -> None:
    x += 1


def _through_data(x: torch.Tensor) -> None:
    x.data.zero_()


def _pops(rows: list[Any]) -> None:
    rows.pop()


def _first_row(rows: list[torch.Tensor]) -> None:
    rows[0][0] = 7.0


def _deep(tree: dict[str, Any]) -> None:
    tree["layers"][1]["keys"].mul_(2)


def _new_key(tree: dict[str, Any]) -> None:
    tree["more"] = 1


def _sorts(rows: list[Any]) -> None:
    rows.sort()


def _another_object(rows: list[Any]) -> None:
    rows[0] = Fraction(1, 3)


def _under_odd_keys(tree: dict[Any, Any]) -> None:
    tree[1.5].zero_()


def _other_number(weights: list[float]) -> None:
    weights[1] = 0.0


def _grows(x: torch.Tensor) -> None:
    x.resize_(3)


def _turns(x: torch.Tensor) -> None:
    x.t_()


def _steps(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)


def _running_statistics(model: torch.nn.Module) -> None:
    model.train()
    model(torch.randn(4, 2))


@pytest.mark.parametrize(
    ("function", "argument", "change"),
    [
        (_adds, torch.zeros(3), Change("x", (), "tensor")),
        (_adds, torch.zeros(()), Change("x", (), "tensor")),
        (_adds, torch.full((3,), torch.nan, dtype=torch.float64).nan_to_num_(), Change("x", (), "tensor")),
        (_adds, torch.zeros(2, dtype=torch.bfloat16), Change("x", (), "tensor")),
        (_adds, torch.arange(3), Change("x", (), "tensor")),
        (_adds, np.zeros(3), Change("x", (), "array")),
        (_through_data, torch.ones(3, requires_grad=True), Change("x", (), "tensor")),
        (_grows, torch.zeros(2), Change("x", (), "tensor")),
        (_turns, torch.zeros(2, 3), Change("x", (), "tensor")),
        (_pops, [1, 2], Change("rows", (), "list")),
        (_first_row, [torch.zeros(2), torch.zeros(2)], Change("rows", (0,), "tensor")),
        (_deep, {"layers": ({}, {"keys": torch.ones(1)})}, Change("tree", ("layers", 1, "keys"), "tensor")),
        (_new_key, {"a": 1}, Change("tree", (), "dict")),
        (_other_number, [1.0, 2.0], Change("weights", (), "list")),
        (_sorts, [(3, 1), (1, 2)], Change("rows", (0,), "list")),
        (_sorts, [np.float64(2.0), np.float64(1.0)], Change("rows", (), "list")),
        (_another_object, [Fraction(1, 2)], Change("rows", (), "list")),
        (_under_odd_keys, {1.5: torch.ones(1)}, Change("tree", ("1.5",), "tensor")),
        (_steps, torch.nn.Linear(2, 1), Change("model", ("weight",), "module")),
        (_running_statistics, torch.nn.BatchNorm1d(2), Change("model", ("running_mean",), "module")),
    ],
)
def test_what_a_call_changed_is_named(function: Callable[..., Any], argument: Any, change: Change) -> None:
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


def test_what_stays_and_what_may_change_is_no_change() -> None:
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
    without_copy = torch.ones(2).as_subclass(_NoCopy)
    assert _changes(_reads, without_copy) == []
    shared: list[Any] = [1]
    for _ in range(200):
        shared = [shared, shared]
    assert _changes(_reads, shared) == []


def test_each_changed_argument_is_named_once_also_those_of_built_in_functions() -> None:
    def both(first: torch.Tensor, *rest: torch.Tensor, last: torch.Tensor) -> None:
        for x in (first, *rest, last):
            x += 1

    changes = _changes(both, torch.zeros(1), torch.zeros(1), last=torch.zeros(1))
    assert [change.name for change in changes] == ["first", "rest", "last"]

    def decorated(*args: torch.Tensor, **kwargs: torch.Tensor) -> None:
        args[1].zero_()

    assert [change.name for change in _changes(decorated, torch.ones(1), torch.ones(1))] == ["args"]
    assert [change.name for change in _changes(np.add, 1, 2)] == []
    assert [change.name for change in _changes(torch.add, 1, 2)] == []
    assert [change.name for change in _changes([].extend, [1])] == []
    assert [change.name for change in _changes(lambda x: x.clear(), [1])] == ["x"]
    numbers = [3, 1]
    watch = Watch([numbers], {}, modules=True)
    numbers.sort()
    assert watch.changes(dict.update)[0].name.isidentifier(), "a function without a signature"


def test_a_test_says_when_modules_may_change_and_plain_data_never_may() -> None:
    def train(model: torch.nn.Module, x: torch.Tensor) -> None:
        _steps(model)
        x.zero_()

    model = torch.nn.Linear(2, 1)
    with pytest.raises(CheckFailed, match="the module that it got as `model`: `weight` has other values"):
        watched(train)(model, torch.zeros(1))
    with modules_may_change():
        watched(train)(model, torch.zeros(1))
        with pytest.raises(CheckFailed, match=r"its argument `x` in place.*`x\.clone\(\)`"):
            watched(train)(model, torch.ones(1))
    with pytest.raises(CheckFailed):
        watched(train)(model, torch.zeros(1))


def test_the_message_says_where_in_a_list() -> None:
    with pytest.raises(CheckFailed, match=r"`rows\[0\]` in place.*copies of it and of what is in it"):
        watched(_first_row)([torch.zeros(2)])


def test_in_a_notebook_students_functions_are_watched_and_the_references_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def adds_one(x: torch.Tensor) -> torch.Tensor:
        """Adds one."""
        x += 1
        return x

    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "adds_one", adds_one, raising=False)
    monkeypatch.setattr(main, "Linear", torch.nn.Linear, raising=False)
    with pytest.raises(CheckFailed, match="argument `x`"):
        homework.student.adds_one(torch.zeros(2))
    assert homework.student.adds_one.__doc__ == "Adds one."
    assert homework.reference.adds_one(torch.zeros(2)).tolist() == [1, 1]
    assert homework.student.Linear is torch.nn.Linear


def test_what_is_no_function_is_watched_where_the_test_asks_for_it() -> None:
    class Layer(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.add_(1)

    assert Layer()(torch.zeros(1)).item() == 1
    with pytest.raises(CheckFailed, match="argument `x`"):
        watched(Layer())(torch.zeros(1))
