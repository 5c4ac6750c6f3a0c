"""Cells run as in Jupyter: magics, shell lines, await, future imports, what a shell keeps; and what grading lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from autograder.sandbox.host import Session
from tests.autograder.warm_host import warm_host

pytestmark = pytest.mark.kernel


@pytest.fixture
def session() -> Iterator[Session]:
    session = warm_host().session()
    yield session
    session.close()


def run(session: Session, source: str) -> dict[str, Any]:
    """Runs a cell and returns its result."""
    return session.run(source, "c1", 60.0)


def printed(session: Session, *cells: str) -> str:
    """What the last of these cells prints; none of them may fail."""
    results = [run(session, cell) for cell in cells]
    assert [result["raised"] for result in results] == [None] * len(cells)
    return str(results[-1]["stdout"])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("%%time\ndef f():\n    return 5", "print(f())"), "5"),
        (("%%capture out\nx = 5\nprint('hidden')", "print(x, out.stdout)"), "5 hidden"),
        (("%%prun -q\nx = 5", "print(x)"), "5"),
        (("%time x = 5", "print(x)"), "5"),
        (("%%writefile own.py\nx = 5", "import own\nprint(own.x)"), "5"),
        (("!echo five",), "five"),
        (("x = !echo five", "print(x[0])"), "five"),
        (("word = 'five'\n!echo {word}",), "five"),
        (("!no_such_command_here", "print(5)"), "5"),
        (("%%bash\necho five",), "five"),
        (("sum?",), "Docstring"),
        (("%matplotlib inline", "print(5)"), "5"),
        (("from __future__ import annotations", "def f(x: NotThere): ...", "print(f.__annotations__)"), "NotThere"),
        (("import asyncio\nx = await asyncio.sleep(0, 5)", "print(x)"), "5"),
        (("import asyncio\nprint(asyncio.get_running_loop().is_running())",), "True"),
        (("2 + 3", "print(_ + 1, Out[1], len(In))"), "6 5"),
        (("2 + 3",), "5"),
        (("display('shown')",), "shown"),
        (("print(get_ipython().user_ns is globals())",), "True"),
        (("import torch\nf = torch.compile(lambda x: x + 1)\nprint(f(torch.ones(1)))",), "2."),
        (("import torch\nm = torch.compile(torch.nn.Linear(1, 1))\nprint(sum(1 for _ in m.parameters()))",), "2"),
        (("import google.colab\nfrom google.colab import drive, files\nprint(files.upload())",), "{}"),
        (("%pip install not-a-package-of-anybody", "print(5)"), "5"),
    ],
)
def test_a_cell_runs_as_in_jupyter(session: Session, cells: tuple[str, ...], said: str) -> None:
    assert said in printed(session, *cells)


@pytest.mark.parametrize(
    ("cell", "kind", "message", "lines"),
    [
        ("\n\nx = 1\n1 / 0", "ZeroDivisionError", "division", [["c1", 4]]),
        ("%%time\nx = 1\n1 / 0", "ZeroDivisionError", "division", [["c1", 3]]),
        ("%%capture\nx = 1\n1 / 0", "ZeroDivisionError", "division", [["c1", 3]]),
        ("def f(:\n  pass", "SyntaxError", "invalid syntax", [["c1", 1]]),
        ("x = input('id?')", "RuntimeError", "there is no keyboard", [["c1", 1]]),
        ("exit()", "SystemExit", "ended the cell", [["c1", 1]]),
        ("quit", "SystemExit", "ended the cell", [["c1", 1]]),
        ("%no_such_magic", "Exception", "not found", None),
    ],
)
def test_the_first_error_of_a_cell_is_told_with_its_line(
    session: Session, cell: str, kind: str, message: str, lines: list[Any] | None
) -> None:
    raised = run(session, cell)["raised"]
    assert raised["type"] == kind and message in raised["message"]
    assert lines is None or raised["lines"][-1:] == lines


def test_the_line_of_an_error_in_a_function_below_a_magic_is_that_of_the_cell(session: Session) -> None:
    run(session, "%%time\ndef f(x):\n    y = x\n    return y / 0")
    raised = session.run("f(1)", "c2", 60.0)["raised"]
    assert raised["lines"] == [["c2", 1], ["c1", 4]]


@pytest.mark.parametrize(
    ("cell", "defined", "lost"),
    [
        ("1 / 0\nx = 1\ndef f(): return x\nimport math", {"x", "f", "math"}, []),
        ("%%time\n1 / 0\nx = 1", {"x"}, []),
        ("if True:\n    1 / 0\n    x = 1\ny = 2", {"x", "y"}, []),
        ("import not_there as n, math\nx = n.y\nz = 1", {"z"}, ["math", "n", "x"]),
        ("1 / 0\nlist_ = []\nlist_.append(1)\nassert list_", {"list_"}, []),
        ("kept = 2\n1 / 0", {"kept"}, []),
        ("x = 1\nexit()\ny = 2", {"x"}, ["y"]),
        ("def broken(:\nx = 1", set(), None),
    ],
)
def test_a_failed_statement_costs_only_itself(
    session: Session, cell: str, defined: set[str], lost: list[str] | None
) -> None:
    result = run(session, cell)
    assert result["raised"] is not None and result["lost"] == lost
    names = printed(session, f"print(sorted({defined!r} & globals().keys()))")
    assert names.strip() == str(sorted(defined))


def test_what_was_defined_before_is_not_replaced_below_a_failed_statement(session: Session) -> None:
    run(session, "x = 1\nfrom math import pi")
    result = run(session, "1 / 0\nx, y = 2, 3\npi = 3\nx = 4")
    assert result["tried"] == 1, "only what binds a name that was missing"
    assert printed(session, "print(x, y, pi < 3.1)").strip() == "1 3 False"


@pytest.mark.parametrize(
    "cell",
    [
        "import torch\nx = torch.ones(2, device='cuda')",
        "import torch\nx = torch.ones(2).cuda()",
        "import torch\nx = torch.ones(2).to('cuda:0')",
        "import torch\ndevice = torch.device('cuda')\nx = torch.nn.Linear(1, 2).to(device).bias",
        "import torch\ntorch.set_default_device('cuda')\nx = torch.ones(2)",
        "import torch\nwith torch.device('cuda'):\n    x = torch.ones(2)",
        "import torch\ntorch.cuda.synchronize()\nx = torch.ones(2).pin_memory().cuda(non_blocking=True)",
        "import torch\nx = torch.nn.Linear(1, 2).cuda()(torch.ones(1, 1).cuda())[0]",
        "import torch\ng = torch.Generator('cuda').manual_seed(0)\nx = torch.ones(2) + torch.rand(2, generator=g)",
        "import torch\ng = torch.Generator(device=torch.device('cuda'))\nx = torch.randperm(2, generator=g)",
        "import torch\nprint(torch.cuda.get_device_name(0))\nx = torch.ones(2)",
    ],
)
def test_what_names_a_gpu_runs_on_the_cpu(session: Session, cell: str) -> None:
    assert printed(session, cell, "print(x.device, *x.shape, torch.cuda.is_available())") == "cpu 2 False\n"


def test_a_copy_on_the_gpu_stays_a_copy(session: Session) -> None:
    assert "1." in printed(session, "import torch\nx = torch.ones(1)\ny = x.to('cuda')\ny += 1\nprint(x)")


def test_what_colab_has_and_grading_lacks_is_noted(session: Session) -> None:
    result = run(session, "from google.colab import drive\n\ndrive.mount('/content/drive')\nx = 1")
    assert result["raised"] is None
    assert result["absent"] == [[3, "drive.mount", "there is no Google Drive where homework is graded"]]


def test_a_transformer_that_a_cell_registers_acts_on_later_cells(session: Session) -> None:
    run(session, "get_ipython().input_transformers_post.append(lambda lines: [l.replace('4', '5') for l in lines])")
    assert printed(session, "x = 4\nprint(x)") == "5\n"


def test_each_session_starts_afresh() -> None:
    for _ in range(2):
        session = warm_host().session()
        assert printed(session, "print(len(In), 'mine' in globals())\nmine = 1").split() == ["2", "False"]
        session.close()


def test_hooks_of_ipython_change_nothing_outside_their_own_cells(session: Session) -> None:
    run(session, "get_ipython().set_custom_exc((Exception,), lambda *_: None)")
    run(session, "get_ipython().showtraceback = lambda *_, **__: None")
    assert run(session, "1 / 0")["raised"]["type"] == "ZeroDivisionError"
