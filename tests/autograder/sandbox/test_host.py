"""Each isolation level confines student code as it promises, and a session that exceeds its limits ends alone."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from autograder.cli import main as cli
from autograder.core.errors import SetupError
from autograder.sandbox import filesystem as host_folder
from autograder.sandbox import host as sandbox
from autograder.sandbox import probes as doctor
from autograder.sandbox.guest.confinement import FULL, LEVELS, PLAIN
from autograder.sandbox.guest.wire import ClosedError, receive_frame, send_frame
from autograder.sandbox.host import ANY, Host, Session, SessionDiedError
from autograder.sandbox.launch import HostFolder
from autograder.sandbox.limits import SessionLimits
from autograder.sandbox.patience import Patience
from tests.autograder.toy import ROOT

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("sandbox")]  # which share their hosts

LIMITS = replace(SessionLimits(), total=900 * 2**20, cpu=4)
At = Callable[[str], Host]


@pytest.fixture(scope="module")
def host_at() -> Iterator[Callable[[str], Host]]:
    """Gives the host of a level, started once; the test is skipped where the machine does not offer the level."""
    hosts: dict[str, Host] = {}

    def get(level: str) -> Host:
        host = hosts.setdefault(level, Host(limits=LIMITS, level=level))
        try:
            host.start()
        except SetupError as error:
            pytest.skip(f"level {level} is not available here: {error}")
        return host

    yield get
    for host in hosts.values():
        host.close()


def printed(session: Session, source: str) -> Any:
    """What a cell prints as JSON."""
    reply = session.run(f"import json, os\n{source}", "cell", 60)
    assert reply["raised"] is None, reply["raised"]
    return json.loads(reply["stdout"])


@pytest.mark.parametrize("level", LEVELS)
def test_each_level_keeps_its_promises(host_at: At, level: str) -> None:
    findings = doctor.examine(host_at(level), ROOT)
    assert doctor.broken_promises(findings) == ""
    assert {finding.name for finding in findings if finding.promised} == doctor.PROMISES[level]
    assert {finding.name for finding in findings} == doctor.PROMISES[FULL]


@pytest.mark.parametrize("level", LEVELS)
def test_deeply_nested_folders_are_removed(host_at: At, level: str) -> None:
    """Deeper than Python can count."""
    host = host_at(level)
    session = host.session()
    folder = Path(session._folder) if session._folder else None
    reply = session.run("import os\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')", "cell", 60)
    assert reply["raised"] is None
    session.close()
    assert (folder is None) == (level == FULL) and not (folder and folder.exists())
    with contextlib.closing(host.session()) as after:
        assert printed(after, "print(json.dumps(os.listdir()))") == []


@pytest.fixture(scope="module")
def all_open(host_at: At) -> list[doctor.Finding]:
    """The findings where nothing is confined and everything was promised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(doctor.PROMISES, PLAIN, doctor.PROMISES[FULL])
        return doctor.examine(host_at(PLAIN), ROOT)


def test_a_hole_is_found_and_nothing_is_graded(
    host_at: At, all_open: list[doctor.Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ways = {finding.name for finding in all_open if not finding.ok}
    assert {"read the course", "connect", "see other processes"} <= open_ways, "a probe that finds none proves none"
    monkeypatch.setattr(doctor, "examine", lambda host, root: all_open)
    with pytest.raises(SetupError, match=r"nothing was graded: .*'plain' \(read the course: read .*course.toml"):
        doctor.require_confinement(host_at(PLAIN), ROOT)


@pytest.mark.parametrize(("promised", "status"), [(PLAIN, 0), (FULL, 1)])
def test_the_doctor_prints_each_probe(
    host_at: At, all_open: list[doctor.Finding], monkeypatch: pytest.MonkeyPatch, promised: str, status: int
) -> None:
    monkeypatch.setenv("AUTOGRADER_ROOT", str(ROOT))
    findings = [replace(one, promised=one.name in doctor.PROMISES[promised]) for one in all_open]
    monkeypatch.setattr(doctor, "examine", lambda _host, _root: findings)
    monkeypatch.setattr(sandbox, "Host", lambda: contextlib.nullcontext(host_at(PLAIN)))
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == status, result.output
    assert "level plain" in result.stdout and "outlive the session" in result.stdout
    assert ("NO" in result.stdout) == bool(status)
    assert "Without control groups for: memory, number of processes, share" in result.stdout


def test_an_unknown_level_is_refused_and_plain_is_used_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match="unknown isolation level 'steel'; use one of full, landlock, user, plain"):
        Host(level="steel").start()
    tried: list[str] = []

    def refuse(_: Host, level: str) -> str:
        tried.append(level)
        return "not here"

    monkeypatch.setattr(Host, "_start_at", refuse)
    for wanted, levels in (("", LEVELS[:-1]), (PLAIN, (PLAIN,)), (ANY, LEVELS)):
        monkeypatch.setenv("AUTOGRADER_ISOLATION", wanted)
        said = r"offers no usable sandbox(.|\n)*not here(.|\n)*AUTOGRADER_ISOLATION=plain"
        with pytest.raises(SetupError, match=said):
            Host().start()
        assert tried == list(levels)
        tried.clear()


def test_the_private_root_has_libraries_and_no_file_of_the_course(host_at: At, root: Path) -> None:
    with contextlib.closing(host_at(FULL).session()) as session:
        top = {"bin", "dev", "etc", "lib", "lib64", "proc", "scratch", "tmp", "usr"}
        shown = {Path(path).parts[1] for path in (str(root), sys.prefix, sys.base_prefix, tempfile.gettempdir())}
        assert set(printed(session, "print(json.dumps(os.listdir('/')))")) <= top | shown
        hidden = [root / "solutions", root / "tests", root / "course", root / "course.toml", Path("/etc/passwd")]
        source = "import homework\nprint(json.dumps([path for path in {!r} if os.path.exists(path)]))"
        assert printed(session, source.format([str(path) for path in hidden])) == []
        environment = printed(session, "print(json.dumps(sorted(os.environ)))")
        assert not [name for name in environment if name.startswith(("AUTOGRADER", "SSH", "AWS", "PYTHON"))]


def test_sessions_have_folders_and_processes_of_their_own(host_at: At) -> None:
    host = host_at(FULL)
    with contextlib.closing(host.session()) as first, contextlib.closing(host.session()) as second:
        printed(first, "open('mine', 'w').write('x'); open('/dev/shm/mine', 'w').write('x'); print(1)")
        seen = printed(second, "print(json.dumps([os.listdir('.'), os.listdir('/dev/shm'), os.getpid()]))")
        assert seen == [[], [], 1]


CHANGES_OF_DEVICES = """
import contextlib, stat
changed = []
for path in ("/dev/" + name for name in os.listdir("/dev")):
    for change in (os.utime, lambda path: os.chmod(path, 0o600)):
        with contextlib.suppress(OSError):
            if stat.S_ISCHR(os.stat(path).st_mode):
                change(path)
                changed.append(path)
print(json.dumps(changed))
"""


def test_the_machines_devices_can_be_used_and_not_changed(host_at: At) -> None:
    with contextlib.closing(host_at(FULL).session()) as session:
        assert printed(session, CHANGES_OF_DEVICES) == []
        assert printed(session, "print(json.dumps([open('/dev/null', 'w').write('x'), len(os.urandom(2))]))") == [1, 2]


def test_memory_of_all_processes_together_is_limited_and_the_notebook_continues(host_at: At) -> None:
    greedy = """
import contextlib, signal
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        block = bytearray(b"x") * (300 << 20)
        signal.pause()
    children.append(child)
ended = os.WIFSIGNALED(os.waitpid(-1, 0)[1])
for child in children:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, 9)
print(json.dumps(ended))
"""
    with contextlib.closing(host_at(FULL).session()) as session:
        assert printed(session, greedy) is True
        assert printed(session, "print(1)") == 1


def test_cpu_time_of_all_processes_together_is_limited(host_at: At) -> None:
    busy = "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        while True: pass\ntime.sleep(300)"
    with contextlib.closing(host_at(FULL).session()) as session:
        with pytest.raises(SessionDiedError, match="crashed"):  # else its first process would sleep until the timeout
            session.run(busy, "cell", 120)


@pytest.mark.parametrize("level", LEVELS)
def test_a_call_has_its_own_limit_of_cpu_time(host_at: At, level: str) -> None:
    with contextlib.closing(host_at(level).session()) as session:
        printed(session, "def busy():\n    while True: pass\nprint(1)")
        fork = session.fork(cpu=0.5)
        with contextlib.closing(fork.sock) as sock:
            send_frame(sock, {"op": "get", "of": None, "name": "busy"})
            number = receive_frame(sock, Patience(20))[0]["value"][1]
            send_frame(sock, {"op": "call", "of": number, "args": ["t"], "kwargs": ["d"], "grad": False})
            with pytest.raises(ClosedError):
                receive_frame(sock, Patience(60))
        session.end_fork(fork)
        assert printed(session, "print(2)") == 2


def assert_usable(host: Host) -> None:
    """A new session of the host runs a cell."""
    with contextlib.closing(host.session()) as session:
        assert printed(session, "print(2)") == 2


@pytest.mark.parametrize("deed", ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.killpg(0, 9)", "os.kill(-1, 9)"])
def test_a_session_that_kills_its_processes_does_not_affect_the_next(host_at: At, deed: str) -> None:
    host = host_at(FULL)
    with contextlib.closing(host.session()) as session, contextlib.suppress(SessionDiedError):
        session.run(f"import os\n{deed}", "cell", 20)
    assert_usable(host)


def test_a_session_that_dies_before_it_is_used_is_replaced(host_at: At) -> None:
    host = host_at(FULL)
    host.session().close()
    host.settle()
    assert host._process is not None
    for waiting in psutil.Process(host._process.pid).children()[0].children():
        waiting.kill()
    time.sleep(0.3)
    assert_usable(host)


def test_a_killed_host_is_started_again() -> None:
    with contextlib.closing(Host(level=ANY)) as host:
        assert_usable(host)
        assert host._process is not None
        host._process.kill()
        host._process.wait()
        assert_usable(host)


def test_full_isolation_adds_little_time_to_a_session(host_at: At) -> None:
    seconds = {level: min(_start_seconds(host_at(level)) for _ in range(9)) for level in (FULL, PLAIN)}
    assert seconds[FULL] - seconds[PLAIN] < 0.030


def _start_seconds(host: Host) -> float:
    begin = time.perf_counter()
    with contextlib.closing(host.session()) as session:
        session.seed(0)
        return time.perf_counter() - begin


def test_an_environment_behind_a_link_is_visible(host_at: At, tmp_path: Path) -> None:
    host_at(FULL)  # or skips
    (tmp_path / "linked").symlink_to(sys.prefix, target_is_directory=True)
    start = f"from autograder.sandbox.host import Host\nwith Host(level={FULL!r}) as host: print(host.level)"
    python = [str(tmp_path / "linked" / "bin" / "python"), "-c", start]
    done = subprocess.run(python, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == (FULL, "")


def test_libraries_stay_visible_if_the_package_is_installed_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "environment" / "lib" / "homework"
    package.mkdir(parents=True)
    found = importlib.machinery.ModuleSpec("homework", None, is_package=True)
    found.submodule_search_locations = [str(package)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    (tmp_path / "host").mkdir()
    _, shown = host_folder.create_library(tmp_path / "host")
    for number, path in enumerate(shown):
        assert not any(path.startswith(f"{later}/") for later in shown[number + 1 :]), "the later one is skipped"


def test_a_host_that_was_forked_beside_its_grader_cannot_know_where_staff_import_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = []
    monkeypatch.setattr(sys, "path", [*sys.path, "/home/staff/course"])
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    folder = HostFolder.make(SessionLimits())
    try:
        _, control = folder.beside([], ["full"], "grader.of.the.course", huge_pages=False)
        control.close()
    finally:
        folder.remove()
    assert "fork_host" in commands[0][-1] and not {"staff", "grader.of"} & set(re.findall(r"[a-z.]+", commands[0][-1]))
