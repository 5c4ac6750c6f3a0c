"""The doctor's probes leave no file and no process, however the examination ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.core.errors import SetupError
from autograder.sandbox import host as sandbox
from autograder.sandbox import probes as doctor
from autograder.sandbox.guest.confinement import PLAIN
from autograder.sandbox.host import Host, Session
from autograder.sandbox.probes import Probe
from tests.autograder.toy import ROOT

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("sandbox")]

SITE = Path(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def plain() -> Iterator[Host]:
    """A host without isolation, where each probe succeeds."""
    with Host(level=PLAIN) as host:
        yield host


def left_in_packages() -> set[str]:
    """Files that a probe wrote among the installed packages."""
    return {path.name for path in SITE.glob("probe_*")}


@pytest.mark.parametrize(
    "end", [SetupError("the probe could not be run"), KeyboardInterrupt()], ids=["fails", "ctrl-c"]
)
@pytest.mark.parametrize("tidy", [True, False], ids=["as it is", "killed before it removes its file"])
def test_a_later_probe_that_ends_the_examination_leaves_no_file_in_the_packages(
    plain: Host, monkeypatch: pytest.MonkeyPatch, end: BaseException, tidy: bool
) -> None:
    run, wrote = doctor._run, []

    def ends_at_the_server(host: Host, probe: Probe) -> str:
        if probe.name == doctor._SERVER:
            raise end
        if not tidy:
            probe = Probe(probe.name, probe.attempt.replace("os.remove(", "str("))
        managed = run(host, probe)
        wrote.append(managed)
        return managed

    before = left_in_packages()
    monkeypatch.setattr(doctor, "_run", ends_at_the_server)
    with pytest.raises(type(end)):
        doctor.examine(plain, ROOT)
    assert any(managed.startswith(f"wrote {SITE}") for managed in wrote), "without isolation the probe can write"
    assert left_in_packages() == before


def test_the_probe_that_writes_removes_its_file_itself(tmp_path: Path) -> None:
    """A doctor that is killed in the middle cannot remove it."""
    path = tmp_path / "probe_1.py"
    names: dict[str, Any] = {}
    exec(doctor._WRITE.format(path=str(path)), names)
    assert names["managed"] == f"wrote {path}" and not path.exists()


@pytest.mark.parametrize("fails", [True, False])
def test_a_process_that_outlives_its_session_is_ended(
    plain: Host, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def out_of_reach(session: Session, source: str, name: str) -> dict[str, Any]:
        """Starts the process where the session's end does not reach it."""
        child = source.replace("os.read(ready, 1)", "os.read(ready, 1); print(flush=True)")
        started.append(subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE))
        stdout = started[0].stdout
        assert stdout is not None
        stdout.readline()
        if fails:
            raise SetupError("the session died")
        return {"stdout": "", "raised": None}

    monkeypatch.setattr(doctor, "_ask", out_of_reach)
    monkeypatch.setattr(doctor, "_STAYS_SECONDS", 0.2)
    monkeypatch.setattr("secrets.token_hex", lambda size: "of" + "0" * size)
    with pytest.raises(SetupError) if fails else contextlib.nullcontext():
        assert doctor._outlives(plain) == "a process kept running"
    assert doctor._wait_until(lambda: not doctor._processes_called("leftof0000"), 5)
    started[0].communicate(timeout=20)


def test_a_failed_examination_closes_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> str:
        raise SetupError("the probe could not be run")

    monkeypatch.setattr(doctor, "_run", fails)
    host = Host(level=PLAIN)
    with contextlib.closing(host):
        with pytest.raises(SetupError, match="could not be run"):
            doctor.require_confinement(host, ROOT)
        assert host._process is None and not host._folder


def test_a_host_that_is_interrupted_while_it_starts_leaves_neither_process_nor_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sandbox, "receive_frame", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(psutil.Process().children())
    with pytest.raises(KeyboardInterrupt), Host(level=PLAIN):
        raise AssertionError
    assert list(tmp_path.iterdir()) == [] and set(psutil.Process().children()) <= before


def test_a_terminated_doctor_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from autograder.cli.main import app; app()", "--isolation", PLAIN, "doctor"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "AUTOGRADER_ROOT": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert doctor._wait_until(lambda: any(tmp_path.glob("autograder-*/library")), 60)
        started = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert doctor._wait_until(lambda: not any(each.is_running() for each in started), 20)
