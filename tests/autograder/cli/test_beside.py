"""Commands that run as programs go on beside the host for student code: same output, same status, nothing left."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autograder.cli import beside
from autograder.core.notebook_io import notebook_text
from autograder.course.problem import load_problem
from autograder.release.fill import solved_notebook
from tests.autograder.toy import LINE, ROOT, solved, text
from tests.conftest import ROOT as PROJECT

pytestmark = pytest.mark.kernel
COMMAND = [sys.executable, "-m", "autograder.cli.main", "grade-one"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temporary").mkdir()
    return {**os.environ, "AUTOGRADER_ROOT": str(ROOT), "TMPDIR": str(tmp_path / "temporary"), "AUTOGRADER_SEED": "s"}


def left(environment: dict[str, str]) -> list[Path]:
    return list(Path(environment["TMPDIR"]).iterdir())


def test_the_log_and_nothing_else_is_printed(environment: dict[str, str], tmp_path: Path) -> None:
    notebook = tmp_path / "ada.ipynb"
    notebook.write_bytes(text(solved(Line=LINE + "print('x' * 9)\n        return x")))
    done = subprocess.run(
        [*COMMAND, str(notebook), "--problem", "toy"], env=environment, capture_output=True, text=True
    )
    log = json.loads(done.stdout)
    assert (done.returncode, done.stderr, log["grades"]["score"]) == (0, "", 12)
    assert left(environment) == []


@pytest.mark.parametrize(
    ("options", "arguments", "said"),
    [
        ([], ["--problem", "none"], "unknown problem 'none'"),
        (["--isolation", "stone"], ["--problem", "toy"], "unknown isolation level 'stone'"),
    ],
)
def test_an_error_is_said_once(
    environment: dict[str, str], tmp_path: Path, options: list[str], arguments: list[str], said: str
) -> None:
    notebook = tmp_path / "ada.ipynb"
    notebook.write_bytes(text(solved()))
    command = [*COMMAND[:-1], *options, COMMAND[-1], str(notebook), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count(said) == 1 and done.stdout == ""
    assert left(environment) == []


@pytest.mark.parametrize("seconds", [1.5, 3.0, 5.0])
def test_ctrl_c_ends_it_at_any_time_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path, seconds: float
) -> None:
    notebook = tmp_path / "ada.ipynb"
    notebook.write_bytes(text(solved(Line="import time\ntime.sleep(60)\n" + LINE + "return x")))
    command = [*COMMAND, str(notebook), "--problem", "toy"]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(seconds)
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, said = process.communicate(timeout=60)
    if process.returncode != -signal.SIGINT:  # else it had not begun
        assert process.returncode == 130 and re.match("autograder: stopped", said)
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert left(environment) == []


LOST = """
import os, signal, sys, threading, time
from autograder.cli import beside

class Process:
    \"\"\"Hides the first signal, and ends at the second one if it is told to.\"\"\"

    said = 0

    def wait(self, timeout=None):
        if timeout is None:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            time.sleep(20)
        if not self.said and sys.argv[1] == "again":
            raise beside.subprocess.TimeoutExpired("x", timeout)
        return 130 if self.said else 0

    def send_signal(self, number):
        self.said = number

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
process = Process()
print(beside._ended(process), process.said)
"""


@pytest.mark.parametrize(("kind", "printed"), [("again", "(130, True) 2"), ("lost", "(0, True) 0")])
def test_an_interrupt_that_a_library_hid_is_sent_again(kind: str, printed: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOST, kind], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == printed


def test_an_unexpected_error_shows_its_traceback() -> None:
    program = """
import os, socket
import autograder.cli.main
from autograder.cli import beside
from multiprocessing.connection import Connection
ours, theirs = socket.socketpair()
Connection(ours.detach()).send((["autograder", "grade-one"], dict(os.environ)))
autograder.cli.main.app = lambda args: 1 / 0
beside.main(theirs.detach(), {})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


def test_a_command_that_is_called_as_a_function_stays_here() -> None:
    assert not beside._is_program
    beside.go_on_beside_host("toy")  # an unknown problem here: it is not looked at


@pytest.mark.long
def test_one_submission_takes_little_more_than_the_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time against `import torch, transformers` in the same run: twice as much; with two imports, three times."""
    notebook = tmp_path / "vae.ipynb"
    notebook.write_text(notebook_text(solved_notebook(load_problem("vae", PROJECT))))
    monkeypatch.setenv("AUTOGRADER_ROOT", str(PROJECT))
    imports, grading = [], []
    for _ in range(3):
        imports.append(_cpu_seconds([sys.executable, "-c", "import torch, transformers"]))
        grading.append(_cpu_seconds([*COMMAND, str(notebook), "--problem", "vae"]))
    assert min(grading) < 2.7 * min(imports), (grading, imports)


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
