"""Probes that test the sandbox: they try forbidden actions in a session. If one succeeds, nothing is graded.

Each probe is a short program that runs in place of student code and reports what it managed to do. The trusted side
compares that with what the isolation level promises to prevent (`PROMISES`).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import sysconfig
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder.core.errors import SetupError
from autograder.course.remembered import recall, remember
from autograder.sandbox.guest.confinement import FULL, LANDLOCK, PLAIN, USER
from autograder.sandbox.guest.control_groups import CPU, MEMORY, PROCESSES
from autograder.sandbox.host import Host, Session, SessionDiedError

PROBE_SECONDS = 60.0
"""Wall-clock limit of one probe; a probe takes milliseconds, on a busy machine a second or two."""
_STAYS_SECONDS = 10.0
"""A process that still runs this long after its session has outlived it."""


@dataclass(frozen=True)
class Probe:
    """One action that student code must not be able to do."""

    name: str
    attempt: str
    """Python code that tries the action and sets `managed` to what it managed: empty, or a few words."""


@dataclass(frozen=True)
class Finding:
    """What one attempt to break out of the sandbox (a probe) managed."""

    name: str
    managed: str
    """What the probe managed; empty if nothing."""
    promised: bool
    """Whether the level promises that the probe manages nothing."""

    @property
    def ok(self) -> bool:
        """Whether the result is as the level promises."""
        return not (self.managed and self.promised)


_READ = """
import os
managed = ""
for path in {paths!r}:
    try:
        found = os.listdir(path) if os.path.isdir(path) else open(path).read(20)
        managed = managed or "read " + path
    except OSError:
        pass
"""

_WRITE = """
import os
managed = ""
try:
    with open({path!r}, "w") as file:
        file.write("x")
    managed = "wrote " + {path!r}
    os.remove({path!r})
except OSError:
    pass
"""

_CONNECT = """
import socket
managed = ""
try:
    with socket.create_connection(("127.0.0.1", {port}), timeout=2):
        managed = "connected to a server on this machine"
except OSError:
    pass
"""

_PTRACE = """
import ctypes, os
managed = ""
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    import time
    time.sleep(5)
    os._exit(0)
if libc.ptrace(16, child, None, None) == 0:
    managed = "traced another process"
os.kill(child, 9)
os.waitpid(child, 0)
"""

_UNSHARE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
managed = "made a user namespace" if libc.unshare(0x10000000) == 0 else ""
"""

_FORKS = """
import os, signal
children = []
try:
    for _ in range(200):
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except OSError:
    pass
for child in children:
    os.kill(child, 9)
    os.waitpid(child, 0)
managed = "ran 200 processes at once" if len(children) == 200 else ""
"""

_MEMORY = """
managed = ""
try:
    block = bytearray(8 << 30)
    managed = "allocated 8 GiB"
    del block
except MemoryError:
    pass
"""

_DISK = """
import os
managed = ""
try:
    for number in range(8):
        with open(f"fill{number}", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 128 << 20)
    managed = "filled 1 GiB"
except OSError:
    pass
for name in os.listdir("."):
    os.remove(name)
"""

_PROCESSES = """
import os
managed = ""
try:
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    strangers = [pid for pid in seen if pid not in (os.getpid(), 1)]
    managed = f"saw {{len(strangers)}} other processes" if strangers else ""
except OSError:
    pass
"""

_KILL = """
import os
managed = ""
for pid in {pids!r}:
    try:
        os.kill(pid, 0)
        managed = "could signal the grader" if os.getppid() != 0 else ""
    except OSError:
        pass
"""

_OUTLIVE = """
import ctypes, os, time
managed = ""
ready, tell = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, {name!r}.encode(), 0, 0, 0)
        os.write(tell, b"x")
        time.sleep(600)
    os._exit(0)
os.close(tell)
os.read(ready, 1)
"""

COURSE, _SHADOW, _NEIGHBOUR = "read the course", "read /etc/shadow", "read a neighbour's files"
_PACKAGES, _SERVER, _TRACE, _SPACE = "write into the packages", "connect", "trace a process", "make a namespace"
_BOMB, _BLOCK, _FILL = "run 200 processes", "allocate 8 GiB", "fill the disk"
_OTHERS, _SIGNAL, _SURVIVE = "see other processes", "signal the grader", "outlive the session"

PROMISES: dict[str, frozenset[str]] = {
    FULL: frozenset(
        {COURSE, _SHADOW, _NEIGHBOUR, _PACKAGES, _SERVER, _TRACE, _SPACE, _BOMB, _BLOCK, _FILL, _OTHERS, _SIGNAL}
        | {_SURVIVE}
    ),
    LANDLOCK: frozenset(
        {COURSE, _SHADOW, _NEIGHBOUR, _PACKAGES, _SERVER, _TRACE, _SPACE, _BOMB, _BLOCK, _OTHERS, _SURVIVE}
    ),
    USER: frozenset({_SHADOW, _NEIGHBOUR, _PACKAGES, _BOMB, _BLOCK, _SIGNAL, _SURVIVE}),
    PLAIN: frozenset({_BLOCK}),
}
"""Isolation level → names of the probes that it promises to prevent."""


def examine(host: Host, root: Path) -> list[Finding]:
    """Runs every probe in its own session and removes everything that the probes left, also after an error.

    Args:
        host: started or not.
        root: the course's root folder, which must not be readable.

    Raises:
        SetupError: the host does not start, or a probe could not be run.
    """
    host.start()
    promised = PROMISES[host.level]
    with _neighbour(host) as neighbour, _server() as port, _planted() as planted:
        probes = _probes(root, neighbour, planted, port)
        findings = [Finding(probe.name, _run(host, probe), probe.name in promised) for probe in probes]
    return [*findings, Finding(_SURVIVE, _outlives(host), _SURVIVE in promised)]


def limits_in_words(host: Host) -> str:
    """What limits the processes of a submission together, on this machine."""
    names = {MEMORY: "memory", PROCESSES: "number of processes", CPU: "share of the processors"}
    kept = [word for name, word in names.items() if name in host.groups]
    if len(kept) == len(names):
        return "The kernel limits each submission as a whole (control groups): " + ", ".join(kept) + "."
    missing = ", ".join(word for name, word in names.items() if name not in host.groups)
    watched = "They are checked ten times a second." if host.level == FULL else "Only each process has limits."
    return (
        f"Without control groups for: {missing}. {watched} As root, or started with `systemd-run --user --scope -p "
        "Delegate=yes`, grading uses them."
    )


def broken_promises(findings: list[Finding]) -> str:
    """The findings that break the level's promise, in one line; empty if there are none."""
    return "; ".join(f"{finding.name}: {finding.managed}" for finding in findings if not finding.ok)


def ensure_confinement(host: Host, root: Path) -> None:
    """Like `require_confinement`, but once for each start of the machine while nothing changes that it depends on.

    Args:
        host: started or not.
        root: the course's root folder.
    """
    host.start()
    conditions = ("probes", host.level, sorted(host.groups), str(root))
    if recall(root, *conditions) is None:
        require_confinement(host, root)
        remember(root, True, *conditions)


def require_confinement(host: Host, root: Path, also: Set[str] = frozenset()) -> None:
    """Runs the probes on a host; raises and closes the host if its confinement fails.

    Args:
        host: started or not.
        root: the course's root folder.
        also: names of further probes that must manage nothing, beyond the level's promises.

    Raises:
        SetupError: a probe succeeded that the level promises to prevent, or that is in `also`.
    """
    try:
        findings = examine(host, root)
        found = broken_promises([replace(one, promised=one.promised or one.name in also) for one in findings])
        if found:
            raise SetupError(
                f"nothing was graded: the sandbox does not confine student code at isolation level {host.level!r} "
                f"({found}). `autograder doctor` shows all probes."
            )
    except BaseException:
        host.close()
        raise


def _probes(root: Path, neighbour: str, planted: Path, port: int) -> list[Probe]:
    return [
        Probe(COURSE, _READ.format(paths=[str(root / "course.toml"), str(root / "solutions"), str(root / "tests")])),
        Probe(_SHADOW, _READ.format(paths=["/etc/shadow"])),
        Probe(_NEIGHBOUR, _READ.format(paths=[neighbour])),
        Probe(_PACKAGES, _WRITE.format(path=str(planted))),
        Probe(_SERVER, _CONNECT.format(port=port)),
        Probe(_TRACE, _PTRACE),
        Probe(_SPACE, _UNSHARE),
        Probe(_BOMB, _FORKS),
        Probe(_BLOCK, _MEMORY),
        Probe(_FILL, _DISK),
        Probe(_OTHERS, _PROCESSES.format()),
        Probe(_SIGNAL, _KILL.format(pids=[os.getpid(), os.getppid()])),
    ]


def _run(host: Host, probe: Probe) -> str:
    """Runs a probe in its own session and returns what it managed."""
    with contextlib.closing(host.session()) as session:
        reply = _ask(session, probe.attempt + "\nimport json\nprint(json.dumps(managed))", probe.name)
        if reply["raised"] is not None:
            raise SetupError(f"the probe {probe.name!r} could not be run: {reply['raised']}")
        return str(json.loads(reply["stdout"]))


def _ask(session: Session, source: str, name: str) -> dict[str, Any]:
    try:
        return session.run(source, "probe", PROBE_SECONDS)
    except SessionDiedError as error:
        raise SetupError(
            f"the sandbox's self-test {name!r} did not finish ({error.reason}); run `autograder doctor`."
        ) from None


@contextlib.contextmanager
def _neighbour(host: Host) -> Iterator[str]:
    """Starts another session with a file in its folder; yields the file's path inside that session."""
    with contextlib.closing(host.session()) as session:
        source = "import os\nopen('secret', 'w').write('of a neighbour')\nprint(os.path.abspath('secret'))"
        yield str(_ask(session, source, _NEIGHBOUR)["stdout"]).strip()


@contextlib.contextmanager
def _server() -> Iterator[int]:
    """Starts a local server; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def _planted() -> Iterator[Path]:
    """Yields a path in the installed packages at which a probe tries to write; removes the file afterwards."""
    path = Path(sysconfig.get_path("purelib")) / f"probe_{secrets.token_hex(4)}.py"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _outlives(host: Host) -> str:
    """Whether a process outlives the session that started it: empty if not, else what happened. Kills the process."""
    name = "left" + secrets.token_hex(4)
    try:
        with contextlib.closing(host.session()) as session:
            _ask(session, _OUTLIVE.format(name=name), _SURVIVE)
            if not _processes_called(name):
                raise SetupError(f"the probe {_SURVIVE!r} could not be run: its process was not found")
        return "" if _wait_until(lambda: not _processes_called(name), _STAYS_SECONDS) else "a process kept running"
    finally:
        for pid in _processes_called(name):
            with contextlib.suppress(OSError):  # it has ended, or belongs to a user whom we may not signal
                os.kill(pid, signal.SIGKILL)


def _processes_called(name: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() == name:
                found.append(int(path.parent.name))
    return found


def _wait_until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
