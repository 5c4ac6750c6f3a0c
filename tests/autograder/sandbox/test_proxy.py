"""The proxy of student code: usual test code works through it, and forged replies are refused."""

from __future__ import annotations

import contextlib
import socket
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from autograder.sandbox.guest.server import RequestServer
from autograder.sandbox.guest.wire import ClosedError, TooLateError, UnsendableError, WireError, send_frame
from autograder.sandbox.patience import Patience
from autograder.sandbox.proxy import Handle, Link, RemoteError, Student
from autograder.sandbox.student_error import StudentError
from homework.arguments import modules_may_change, watched
from homework.checks import CheckFailed

NOTEBOOK = """
import collections
import torch
from torch import nn

Pair = collections.namedtuple("Pair", ["loss", "terms"])

def square(x):
    return x ** 2

def ranking_loss(rewards):
    K = rewards.shape[1]
    pairs = [rewards[:, i] - rewards[:, j] for i in range(K) for j in range(i + 1, K)]
    return -torch.nn.functional.logsigmoid(torch.stack(pairs)).mean()

def pair(x):
    return Pair(loss=x.sum(), terms=[x * 2, {"x": x}])

class Policy(nn.Module):
    def __init__(self, D, h=3):
        super().__init__()
        self.l1 = nn.Linear(D, h)
        self.tag = {"D": D}
    def forward(self, x):
        return self.l1(x).tanh()

def train(model, x, oracle, steps):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    means = []
    for _ in range(steps):
        rewards = oracle(x, model(x).argmax(-1))
        means.append(float(rewards.mean()))
        optimizer.zero_grad(); model(x).sum().backward(); optimizer.step()
    return means

def swallow(f):
    try:
        return f(1)
    except Exception:
        return "all is well"

def fail(kind):
    raise {"value": ValueError("bad value"), "own": type("Mine", (KeyError,), {})("k"), "exit": SystemExit(3),
           "assertion": AssertionError("no"), "memory": MemoryError()}[kind]

def opaque():
    return object()

def draw(shape, generator=None):
    return torch.randn(shape, generator=generator)

def returns_input(x):
    return x

def detached(x):
    return x.detach() * 2
"""


@contextlib.contextmanager
def notebook(source: str = NOTEBOOK, seconds: float = 30.0) -> Iterator[Student]:
    """The proxy of a student's notebook, which is served by a thread here."""
    module = types.ModuleType("student_notebook")
    exec(compile(source, "<cell notebook>", "exec"), module.__dict__)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(ClosedError), theirs:
            RequestServer(theirs, module.__dict__).serve()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    link = Link(ours, Patience(seconds), {"notebook": source})
    try:
        yield Student(link)
    finally:
        link.close()
        thread.join(5)


@pytest.fixture
def student() -> Iterator[Any]:
    """The notebook of this file."""
    with notebook() as proxy:
        yield proxy


def test_values_are_sent_and_returned(student: Any) -> None:
    assert student.square(3) == 9
    assert torch.equal(student.square(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 4.0]))
    assert student.torch.float32 is torch.float32
    with torch.no_grad():
        assert not student.square(torch.ones(2, requires_grad=True)).requires_grad
    got = student.draw((3,), generator=torch.Generator().manual_seed(4))
    assert torch.equal(got, torch.randn(3, generator=torch.Generator().manual_seed(4)))


def test_gradients_flow_through_a_call(student: Any) -> None:
    rewards = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]], requires_grad=True)
    loss = student.ranking_loss(rewards)
    (3 * loss).backward()
    local = rewards.detach().clone().requires_grad_()
    pairs = [local[:, i] - local[:, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    (-3 * torch.nn.functional.logsigmoid(torch.stack(pairs)).mean()).backward()
    assert rewards.grad is not None and local.grad is not None
    assert torch.allclose(rewards.grad, local.grad)


def test_gradcheck_passes_for_a_remote_node_inside_a_larger_graph(student: Any) -> None:
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: student.ranking_loss(t.exp()) * 2, (x,))


def cubed(x: torch.Tensor, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A stand-in."""
    if scale < 0:
        raise ValueError("scale must not be negative")
    return scale * x**3, x.sum()


HELPED = (
    NOTEBOOK
    + """
def cubed(x, scale=1.0):
    raise NotImplementedError

alias = cubed

def builds_on(x, scale=1.0):
    return cubed(2 * x, scale=scale)[0].sum() + alias(x)[1]

def row_by_row(x):
    return sum(cubed(row)[0].sum() for row in x)

def noisy(x):
    return cubed(torch.randn(3))[0]

def asks_too_much():
    return cubed(torch.ones(1, 1, 1))

def caught(x):
    try:
        return cubed(x, -1.0)
    except ValueError as error:
        return str(error)
"""
)


@pytest.fixture
def helped() -> Iterator[Any]:
    """A notebook in which `cubed` is replaced."""
    with notebook(HELPED) as proxy:
        proxy._link.replace("cubed", cubed)
        yield proxy


def test_gradients_flow_through_a_stand_in_under_all_its_names(helped: Any) -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    loss = helped.builds_on(x, 0.5)
    assert loss.item() == 0.5 * 8 * (1 + 8) + 3
    loss.backward()
    assert x.grad is not None and x.grad.tolist() == [13.0, 49.0]
    assert torch.autograd.gradcheck(helped.builds_on, (x,))
    with torch.no_grad():
        assert not helped.builds_on(x).requires_grad


def test_gradients_flow_through_as_many_calls_as_a_loop_over_images_makes(helped: Any) -> None:
    x = torch.ones(1000, 2, dtype=torch.float64, requires_grad=True)
    helped.row_by_row(x).backward()
    assert x.grad is not None and torch.equal(x.grad, torch.full_like(x, 3.0))


def test_a_stand_in_draws_from_the_generator_of_the_notebook(helped: Any) -> None:
    helped._link.seed(3)
    got = [helped.noisy(1.0) for _ in range(2)]
    assert not torch.equal(*got)
    helped._link.seed(3)
    assert torch.equal(helped.noisy(1.0), got[0])


def test_a_stand_in_draws_what_the_notebooks_own_function_would_draw() -> None:
    source = NOTEBOOK + "def two():\n    return draw((3,)), torch.randn(2)\n"
    drawn = []
    for replace in (False, True):
        with notebook(source) as student:
            if replace:
                student._link.replace("draw", lambda shape, generator=None: torch.randn(shape, generator=generator))
            student._link.seed(11)
            drawn.append(student.two())
    assert all(torch.equal(one, other) for one, other in zip(*drawn, strict=True))


def test_an_error_of_a_stand_in_is_raised_in_the_notebook_with_its_type(helped: Any) -> None:
    assert helped.caught(torch.ones(1)) == "scale must not be negative"
    with pytest.raises(RemoteError, match="scale must not be negative") as error:
        helped.builds_on(torch.ones(1), -1.0)
    assert isinstance(error.value, ValueError)


def test_a_stand_in_cannot_be_made_to_use_up_the_memory() -> None:
    with notebook(HELPED) as student:
        student._link.replace("cubed", lambda x: (x.expand(2**16, 2**16, 2).clone(), x))
        with pytest.raises(RemoteError, match="memory"):
            student.asks_too_much()
        student._link.replace("cubed", cubed)
        assert student.asks_too_much()[1] == 1  # the limit holds for that call only


def test_several_outputs_share_one_graph(student: Any) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    result = student.pair(x)
    assert result._fields == ("loss", "terms")
    (result.loss + result.terms[0].sum() + result.terms[1]["x"].sum()).backward()
    assert x.grad is not None and x.grad.tolist() == [4.0, 4.0]


def test_a_returned_input_has_a_gradient_and_a_detached_result_has_none(student: Any) -> None:
    x = torch.tensor([1.0], requires_grad=True)
    student.returns_input(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [1.0]
    assert not student.detached(x).requires_grad


def test_backward_works_twice_through_one_call(student: Any) -> None:
    x = torch.tensor([3.0], requires_grad=True)
    y = student.square(x)
    for _ in range(2):
        assert torch.autograd.grad(y.sum(), x, retain_graph=True)[0].tolist() == [6.0]


def test_modules_are_used_through_handles(student: Any) -> None:
    model = student.Policy(4)
    assert model.tag == {"D": 4}
    local = torch.nn.Linear(4, 3)
    model.l1.load_state_dict(dict(local.state_dict()))
    assert torch.equal(dict(model.state_dict())["l1.weight"], local.weight.detach())
    x = torch.randn(5, 4)
    model(x).sum().backward()
    local(x).tanh().sum().backward()
    assert local.weight.grad is not None and torch.allclose(model.l1.weight.grad, local.weight.grad)
    assert [tuple(p.shape) for p in model.parameters()] == [(3, 4), (3,)]
    assert model.l1.weight.requires_grad
    assert student.torch.nn.Sequential(student.torch.nn.Linear(2, 2))[0].in_features == 2


def test_functions_of_the_test_are_called_with_values(student: Any) -> None:
    seen = []

    def oracle(x: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        seen.append((tuple(x.shape), actions.dtype))
        return actions.float()

    with modules_may_change():
        means = student.train(student.Policy(4), torch.randn(6, 4), oracle, 3)
    assert len(means) == 3 and seen == [((6, 4), torch.int64)] * 3


def test_a_failing_check_inside_a_callback_cannot_be_swallowed(student: Any) -> None:
    def check(value: int) -> None:
        raise AssertionError(f"saw {value}")

    with pytest.raises(AssertionError, match="saw 1"):
        student.swallow(check)
    assert student.square(2) == 4


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [("value", ValueError), ("own", KeyError), ("memory", MemoryError), ("exit", None), ("assertion", None)],
)
def test_exceptions_are_remote_errors_of_their_builtin_type_except_exits_and_assertions(
    student: Any, kind: str, builtin: type[Exception] | None
) -> None:
    with pytest.raises(RemoteError) as caught:
        student.fail(kind)
    assert not isinstance(caught.value, (SystemExit, AssertionError))
    assert builtin is None or (isinstance(caught.value, builtin) and caught.value.error.kind == builtin.__name__)
    assert caught.value.error.out_of_memory == (kind == "memory")


REFUSED: list[Callable[[Any], Any]] = [
    *(bool, len, list, hash),
    *(lambda thing: thing == 1, lambda thing: thing != 1, lambda thing: thing < 1, lambda thing: 1 in thing),
]


@pytest.mark.parametrize("refused", REFUSED)
def test_an_opaque_object_refuses_truth_comparison_and_length(student: Any, refused: Callable[[Any], Any]) -> None:
    thing = student.opaque()
    assert isinstance(thing, Handle)
    with pytest.raises(TypeError):
        refused(thing)


def test_missing_names_and_unsendable_arguments_raise_clear_errors(student: Any) -> None:
    with pytest.raises(NameError, match="klkl"):
        _ = student.klkl
    with pytest.raises(UnsendableError, match="cannot be passed"):
        student.square(torch.nn.Linear(1, 1))
    with notebook() as other, pytest.raises(UnsendableError, match="another connection"):
        student.square(other.opaque())


def test_the_deadline_ends_a_call() -> None:
    wait = "import time\ndef wait():\n    time.sleep(2)\n"
    with notebook(wait, seconds=0.3) as sleepy, pytest.raises(TooLateError):
        sleepy.wait()


@contextlib.contextmanager
def forged(frame: dict[str, Any], body: bytes = b"") -> Iterator[Student]:
    """A student's side that answers with this frame, whatever is asked."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_frame(theirs, frame, body)
        yield Student(Link(ours, Patience(5)))


TENSOR = ["T", "float32", [1], 0, 4, 0]
CALLBACK = {"op": "callback", "args": ["t"], "kwargs": ["d"]}


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"value": TENSOR},
        {"value": TENSOR, "graph": "x", "parameters": [None]},
        {"value": TENSOR, "graph": 1, "parameters": []},
        {"value": ["T", "int32", [1], 0, 4, 0], "graph": 1, "parameters": [None]},
        {"value": ["T", "float32", [1], 0, 4, 7], "graph": 1, "parameters": [None]},
        {"value": TENSOR, "graph": 1, "parameters": [["x"]]},
        {"value": ["c", 0]},
        {**CALLBACK, "number": 0},
        {**CALLBACK, "number": "__globals__"},
        {"op": "get", "of": None, "name": "reference"},
    ],
)
def test_forged_answers_are_refused(frame: dict[str, Any]) -> None:
    with forged(frame, body=bytes(8)) as liar, pytest.raises(WireError):
        _ = liar.anything


def test_a_forged_exception_is_only_an_exception() -> None:
    raised = {"type": "__import__", "message": ["x"], "lines": [[1, 2, 3, 4], "x"], "memory": "yes"}
    with forged({"raised": raised}) as liar, pytest.raises(RemoteError) as caught:
        _ = liar.anything
    assert caught.value.error == StudentError()


CHANGING = (
    NOTEBOOK
    + """
def shift(labels, steps=1):
    labels[steps:] = labels[:-steps].clone()
    return labels

def empties(rows, weights):
    while rows:
        rows.pop()
    return 1.0

class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
    def forward(self, x, past=None):
        if past is not None:
            past["keys"][0] = x
        return x

def learns(model, x):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    return [0.5]

def by_place(table):
    table[0, 1].zero_()

def asks(oracle, x):
    x[0] = 3
    return oracle(x)

import functools
partly = functools.partial(asks, len)

class Filler:
    def fill(self, rows):
        rows.clear()
filler = Filler()
fill = filler.fill
"""
)


@pytest.fixture
def changing() -> Iterator[Any]:
    """A notebook whose functions change their arguments."""
    with notebook(CHANGING) as proxy:
        yield proxy


def test_a_call_that_changes_an_argument_fails_and_names_it(changing: Any) -> None:
    labels, layer = torch.arange(4), changing.Layer()
    past = {"keys": [torch.zeros(2)]}
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: changing.shift(labels), r"arguments in place.*\nChanged: `labels`.*`labels\.clone\(\)`"),
        (lambda: changing.shift(steps=2, labels=torch.arange(4.0).requires_grad_(False)), "Changed: `labels`"),
        (lambda: changing.empties([torch.zeros(2)], [1.0]), r"Changed: `rows`.*`list\(rows\)`"),
        (lambda: watched(layer)(torch.ones(2), past=past), r"Changed: `past\['keys'\]\[0\]`"),
        (lambda: changing.by_place({(0, 1): torch.ones(1)}), r"Changed: `table\['\(0, 1\)'\]`"),
        (lambda: changing.asks(lambda x: x.sum(), torch.zeros(2)), "Changed: `x`"),
        (lambda: changing.partly(torch.zeros(2)), "Changed: `x`"),
        (lambda: changing.fill([1]), "Changed: `rows`"),
    ]
    for call, said in calls:
        with pytest.raises(CheckFailed, match=said):
            call()
    assert labels.tolist() == [0, 1, 2, 3], "the test's own tensor is sent as a copy"
    assert changing.filler.fill([1]) is None, "a method of an object may change what it gets"
    assert layer(torch.ones(2), past=past).tolist() == [1, 1], "no function: not watched"
    assert changing.square(torch.tensor([3.0])).tolist() == [9.0], "the connection is still usable"


def test_modules_may_change_only_if_the_test_allows_it(changing: Any) -> None:
    layer = changing.Layer()
    with pytest.raises(CheckFailed, match="a module that it got .*\n`norm.weight` of `model`"):
        changing.learns(layer, torch.zeros(2))
    with modules_may_change():
        assert changing.learns(layer, torch.zeros(2)) == [0.5]


def test_a_link_that_does_not_watch_allows_changes(changing: Any) -> None:
    changing._link.watches_arguments = False
    assert changing.shift(torch.arange(4)).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    "told",
    [[["x"]], [["x", 3, "tensor"]], [["x", [1.5], "tensor"]], [["x", [], "planet"]], [[1, [], "tensor"]], ["x"], [{}]],
)
def test_a_malformed_changed_argument_is_refused(told: Any) -> None:
    with pytest.raises(WireError):
        Link._changes(told)


def test_names_of_changed_arguments_are_cut_and_checked() -> None:
    for name in ("not a name \ud800", "a b", ""):
        (first, *_) = Link._changes([[name, ["k" * 500], "tensor"]] * 50)
        assert first.name == "argument" and first.path == ("k" * 80,), "no name"
    many = Link._changes([["x", [], "list"]] * 50)
    assert many[0].name == "x" and len(many) < 50
    assert Link._changes("x") == [] == Link._changes(None)
