"""Memory and CPU time of a session are limited however it takes them, with control groups and without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.core.errors import SetupError
from autograder.sandbox.guest.confinement import FULL
from autograder.sandbox.guest.control_groups import CPU, MEMORY, PROCESSES
from autograder.sandbox.host import Host, SessionDiedError
from autograder.sandbox.limits import SessionLimits

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("limits of a session")]

TOTAL = 500 * 2**20
LIMITS = SessionLimits(total=TOTAL, cpu=3, disk=64 * 2**20)
MANY = ("with control groups", "without")

HOLDS = {
    "processes": """
for _ in range(6):
    if os.fork() == 0:
        block = bytearray(b"x") * (150 << 20)
        time.sleep(60)
""",
    "memfd": """
fd = os.memfd_create("x")
for _ in range(900):
    os.write(fd, bytes(1 << 20))
""",
    "System V shared memory": """
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for _ in range(9):
    segment = libc.shmget(0, 100 << 20, 0o1600)
    assert segment >= 0
    address = libc.shmat(segment, None, 0)
    ctypes.memset(address, 1, 100 << 20)
    libc.shmdt(ctypes.c_void_p(address))
""",
    "a process whose first thread has ended": """
for _ in range(6):
    if os.fork() == 0:
        block = bytearray(b"x") * (150 << 20)
        threading.Thread(target=time.sleep, args=(60,)).start()
        ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)
""",
    "shared memory of a process tree": """
block = mmap.mmap(-1, 900 << 20)
for start in range(0, 900 << 20, 4096):
    block[start] = 1
""",
    "page tables": """
for _ in range(12):
    if os.fork() == 0:
        block = mmap.mmap(-1, 40 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
        for start in range(0, 40 << 30, 1 << 21):
            block[start]
        time.sleep(60)
""",
    "files": """
for folder in (".", "/dev/shm"):
    for n in range(9):
        with open(f"{folder}/{n}", "wb") as file:
            file.write(bytes(60 << 20))
block = bytearray(b"x") * (400 << 20)
""",
}
"""Ways to hold 900 MB."""

WORKS = {
    "processes": """
for _ in range(4):
    if os.fork() == 0:
        while True: pass
""",
    "children that nobody waits for": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
    os._exit(0)
for _ in range(40):
    if os.fork() == 0:
        work(0.5)
    time.sleep(0.3)
""",
    "grandchildren that are adopted": """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(40):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            end = time.process_time() + 0.5
            while time.process_time() < end: pass
        os._exit(0)
    time.sleep(0.3)
""",
}
"""Ways to work for much longer than three seconds."""

IMPORTS = "import ctypes, mmap, os, signal, threading, time\n"


@pytest.fixture(scope="module", params=MANY)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host with small limits."""
    with contextlib.closing(Host(level=FULL, limits=LIMITS, control_groups=request.param == MANY[0])) as made:
        try:
            made.start()
        except SetupError as error:
            pytest.skip(str(error))
        if request.param == MANY[0] and not {MEMORY, CPU} <= set(made.groups):
            pytest.skip("this machine lets us make no control groups")
        yield made


def ends_early(host: Host, cell: str, seconds: float) -> bool:
    """Whether a cell ends before its last statement, a sleep, by an error or by the end of its process."""
    with contextlib.closing(host.session()) as session:
        try:
            reply = session.run(f"{IMPORTS}{cell}\ntime.sleep(3)\nprint('held')", "cell", seconds)
        except SessionDiedError:
            return True
        if reply["raised"] is not None:
            return True
        still = "print(len(os.listdir('/proc/self/task')), sum(name.isdigit() for name in os.listdir('/proc')))"
        _, processes = session.run(still, "still", 30.0)["stdout"].split()
        return int(processes) < 2 + cell.count("range(6)") * 6 + cell.count("range(12)") * 12


@pytest.mark.parametrize("way", HOLDS)
def test_no_way_to_hold_more_memory_than_the_limit(host: Host, way: str) -> None:
    if way == "page tables" and not host.groups:
        pytest.skip("counted by VmPTE, which the next test looks at")
    assert ends_early(host, HOLDS[way], 60.0)


@pytest.mark.parametrize("way", WORKS)
def test_no_way_to_work_longer_than_the_limit(host: Host, way: str) -> None:
    with contextlib.closing(host.session()) as session, pytest.raises(SessionDiedError, match="crashed"):
        session.run(f"{IMPORTS}{WORKS[way]}\ntime.sleep(60)", "cell", 100.0)


def test_a_session_that_is_busy_in_many_processes_takes_only_its_share(host: Host) -> None:
    """A session with 20 busy processes beside one with a single one, all on the same core."""
    hog = """
core = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {core})
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + 2.0
        while time.monotonic() < end: pass
        os._exit(0)
"""
    honest = f"{IMPORTS}os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})\n"
    honest += "begin = time.monotonic()\nbusy = time.process_time()\nwhile time.monotonic() < begin + 1.5: pass\n"
    honest += "print((time.process_time() - busy) / 1.5)"
    if not host.groups and not int(Path("/proc/sys/kernel/sched_autogroup_enabled").read_text() or 0):
        pytest.skip("this kernel does not share by process session")
    with contextlib.closing(host.session()) as first, contextlib.closing(host.session()) as second:
        first.run(IMPORTS + hog, "hog", 30.0)
        share = float(second.run(honest, "honest", 60.0)["stdout"])
    assert share > 0.15, "one of 21 equal processes gets 0.05"


def test_groups_are_removed_at_the_end() -> None:
    def groups() -> list[Path]:
        assert process is not None
        return list(Path("/sys/fs/cgroup").rglob(f"autograder-{process.pid}-*/*-*/"))

    with contextlib.closing(Host(level=FULL)) as host:
        try:
            host.start()
        except SetupError as error:
            pytest.skip(str(error))
        if not host.groups:
            pytest.skip("this machine lets us make no control groups")
        process = host._process
        assert {MEMORY, PROCESSES, CPU} & set(host.groups)
        clone = host.clone()
        sessions = [clone.session(), clone.session(), host.session()]
        assert groups()
        sessions[0].close()
    assert not groups(), "also those of sessions and of a clone that still ran"
    for session in sessions:
        session.close()
    clone.close()
