"""Runs the scripts of the zip in a copy of `/autograder`, on honest and hostile submissions.

Numbers in brackets are those of `tests/attacks/`: these attacks need the platform's folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course.problem import load_problem
from autograder.gradescope.build import make_zip
from autograder.gradescope.requirements import measured
from autograder.sandbox.guest.resource_monitor import all_processes
from benchmarks.gradescope_memory import measure
from tests.autograder.gradescope_room import CHECKOUT, SEED, Graded, Room, container, solution_bytes
from tests.autograder.toy import FULL, LINE, RIGHT_STANDARDIZE, STANDARDIZE, graded, scores, solved, text

pytestmark = [pytest.mark.xdist_group("gradescope"), pytest.mark.kernel]
IS_ROOT = os.geteuid() == 0


def change_settings(room: Room, **changes: object) -> None:
    """Changes some settings of the zip."""
    path = room.source / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def is_running(name: str) -> bool:
    """Does a process of this name run?"""
    for process in all_processes():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{process.pid}/comm").read_text().strip() == name:
                return True
    return False


def assert_closed(room: Room) -> None:
    """Checks that only their owner can enter the folders, and that no file is left behind."""
    for name, mode in (("source", 0o700), ("results", 0o700), ("submission_metadata.json", 0o600)):
        assert (room.base / name).stat().st_mode & 0o777 == mode
    assert [path.name for path in room.results.iterdir()] == ["results.json"]


@pytest.mark.long
def test_a_submission_gets_the_score_of_the_course_and_its_other_files_have_no_effect(room: Room) -> None:
    """[52] Modules beside the notebook are not imported, [27] a submitted results.json is not the result."""
    planted = f"open({str(room.base / 'planted')!r}, 'w').write('here')\n".encode()
    half = text(solved(standardize=STANDARDIZE + "    return x - x.mean(0)"))
    modules = ("torch.py", "sitecustomize.py", "usercustomize.py", "autograder.py", "json.py", "conftest.py")
    files = {"toy.ipynb": half, "results.json": b'{"score": 100}', **dict.fromkeys(modules, planted)}
    out = room.grade(files)
    assert out.scores == scores(graded(half)) and 0 < sum(out.scores.values()) < sum(FULL.values())
    assert not (room.base / "planted").exists()
    assert "score" not in out.record and out.record["extra_data"]["end"] == "done"
    assert out.record["execution_time"] >= 1
    assert "isolation level" in out.printed and "fingerprint" in out.printed
    for secret in ("fingerprint", "isolation", "reference.", SEED):
        assert secret not in out.seen
    assert_closed(room)


HOSTILE = """
import ctypes, os, signal, sys, time

BASE = {base!r}
TARGETS = [BASE + "/results/results.json", BASE + "/results/other.json", BASE + "/source/settings.json",
           BASE + "/run_autograder", BASE + "/source/run_autograder", BASE + "/submission_metadata.json"]
SECRETS = [BASE + "/source", BASE + "/source/solutions/toy.py", BASE + "/source/course/seeds.txt", BASE + "/results",
           BASE + "/source/tests", BASE + "/source/settings.json", BASE + "/submission_metadata.json"]


def forge():
    managed = []
    for path in TARGETS:
        for how in (lambda: open(path, "w").write('{{"score": 100}}'), lambda: os.remove(path),
                    lambda: os.symlink("/dev/null", path), lambda: os.rename("mine.json", path),
                    lambda: os.chmod(os.path.dirname(path), 0o777)):
            try:
                open("mine.json", "w").write('{{"score": 100}}')
                how()
                managed.append("changed " + path)
            except OSError:
                pass
    return managed


def spy():
    managed = []
    for path in SECRETS:
        try:
            os.listdir(path) if os.path.isdir(path) else open(path).read(1)
            managed.append("read " + path)
        except OSError:
            pass
    # through another process, an open descriptor, the environment
    try:
        others = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        others = range(1, 400)
    for pid in [os.getppid(), *others][:400]:
        for inside in ("environ", "root" + BASE + "/source/settings.json", "cwd/settings.json"):
            try:
                with open("/proc/%d/%s" % (pid, inside), "rb") as file:
                    found = file.read(10_000)
                if inside != "environ" or b"AUTOGRADER" in found:
                    managed.append("read %s of process %d" % (inside, pid))
            except OSError:
                pass
    for fd in range(3, 256):
        try:
            there = os.readlink("/proc/self/fd/%d" % fd)
            if BASE in there and "/venv/" not in there:
                managed.append("holds " + there)
        except OSError:
            pass
    managed += ["has $" + name for name in os.environ if "AUTOGRADER" in name or "GRADESCOPE" in name]
    return managed


def linger():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"{name}", 0, 0, 0)
            for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)
            while True:
                forge()
                time.sleep(0.01)
        os._exit(0)


def standardize(x, eps=EPS):
    linger()
    managed = forge() + spy()
    if managed:
        raise RuntimeError("; ".join(managed)[:1000])
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)
"""

KILLER = """
import os, signal


class Line(nn.Module):
    def __init__(self, slope=1.0, intercept=0.0):
        super().__init__()
        for pid in (*range(os.getppid(), 1, -1)[:3000], os.getppid(), 1, -1):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
"""


@pytest.mark.long
@pytest.mark.parametrize("level", ["full", "landlock", "user"])
def test_hostile_code_gets_no_points_reads_no_source_and_leaves_no_process(room: Room, level: str) -> None:
    """[27] results forged, by path, by link and by a race, [22] sources read, [38] grader killed, [47] left behind."""
    name = f"left{os.getpid() % 10_000_000:07d}"
    hostile = HOSTILE.format(base=str(room.base), name=name)
    if not IS_ROOT and level != "full":  # only root can give student code another user id
        pytest.skip("the scripts do not run as root, as they do on the platform")
    out = submit_at(level, room, {"toy.ipynb": text(solved(standardize=hostile, Line=KILLER))})
    assert out.scores == {"standardize": 12.0, "Line": 0.0}, out.seen
    assert out.record["extra_data"]["end"] == "done" and out.record["extra_data"]["isolation"] == level
    assert not is_running(name)
    time.sleep(0.2)
    assert room.read().record == out.record, "changed after the end"
    assert_closed(room)


def submit_at(level: str, room: Room, files: dict[str, bytes], enter: Callable[[], None] | None = None) -> Graded:
    """Grades at an isolation level, if this machine offers it."""
    change_settings(room, isolation=level)
    room.submit(files)
    process = room.start(enter)
    printed, _ = process.communicate(timeout=300)
    if "this machine offers no usable sandbox" in printed:
        pytest.skip(f"this machine does not offer {level}")
    assert process.returncode == 0, printed
    return room.read(printed)


ENDLESS = """import ctypes, os, time
        if os.fork() == 0:
            os.setsid()
        ctypes.CDLL(None).prctl(15, b"{name}", 0, 0, 0)
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
"""


@pytest.mark.long
def test_an_endless_submission_keeps_the_scores_of_finished_items(room: Room) -> None:
    """[39] The endless one is the second item; the daemon that it left is gone with it."""
    name = f"late{os.getpid() % 10_000_000:07d}"
    source = room.source / "solutions" / "toy.py"
    source.write_text(source.read_text().replace(" seconds=10", " seconds=100"))  # the item alone would go on longer
    change_settings(room, minutes=0.4)
    out = room.grade({"toy.ipynb": text(solved(Line=LINE + ENDLESS.format(name=name)))})
    assert out.scores == {"standardize": 12.0, "Line": 0.0}
    assert out.record["extra_data"]["end"] == "done", "its test gets a part of the time that is left"
    assert out.tests["standardize"]["status"] == "passed" and "endless" in out.tests["Line"]["output"]
    assert not is_running(name)
    assert_closed(room)


@pytest.mark.long
def test_cells_that_take_longer_than_the_platform_allows_are_no_zeros(room: Room) -> None:
    change_settings(room, minutes=0.2)
    out = room.grade({"toy.ipynb": text(solved(standardize=f"import time\ntime.sleep(29)\n{RIGHT_STANDARDIZE}"))})
    assert out.record["extra_data"]["end"] == "late"
    assert "time limit of 0.2 minutes" in out.record["output"]
    assert "Not graded within 0.2 minutes" in out.tests["standardize"]["output"]
    assert_closed(room)


def test_an_error_of_the_autograder_is_not_a_zero_and_shows_no_source(room: Room) -> None:
    (room.source / "solutions" / "toy.py").rename(room.source / "solutions" / "a_secret.py")
    out = room.grade({"toy.ipynb": text(solved())}, status=1)
    assert out.record["extra_data"]["end"] == "fault"
    assert {test["visibility"] for test in out.tests.values() if "score" in test} == {"hidden"}
    assert "not your fault" in out.record["output"]
    assert "a_secret" in out.printed
    assert "secret" not in out.seen and "Traceback" not in out.seen
    assert_closed(room)


@pytest.mark.long
def test_results_are_written_when_the_grading_process_is_killed(room: Room) -> None:
    """As when the kernel kills it because of its memory: the first item keeps its score, the others are no zeros."""
    right = LINE + "return self.slope * x + self.intercept"
    slow = right.replace("return", "import time; time.sleep(30 * (len(x) == 9)); return")  # in the hidden part
    room.submit({"toy.ipynb": text(solved(standardize=RIGHT_STANDARDIZE, Line=slow))})
    process = room.start()
    end = time.monotonic() + 120
    while time.monotonic() < end and not _first_is_done(room):
        time.sleep(0.05)
    partial = room.read()
    assert "Not graded yet" in partial.tests["Line"]["output"], "the results during the grading"
    [grading] = [one.pid for one in all_processes() if one.parent == process.pid]
    os.kill(grading, 9)
    printed, _ = process.communicate(timeout=60)
    out = room.read(printed)
    assert process.returncode == 1 and "too little memory" in printed
    assert out.scores["standardize"] == 12.0 and out.tests["Line"]["visibility"] == "hidden"
    assert_closed(room)


def _first_is_done(room: Room) -> bool:
    path = room.results / "results.json"
    return path.exists() and json.loads(path.read_text())["tests"][0]["score"] == 12.0


@pytest.mark.skipif(not IS_ROOT, reason="as on the platform, the set-up runs as root")
@pytest.mark.slow
def test_setup_makes_an_environment_that_grades(base: Path) -> None:
    """For a real problem: runs setup.sh with an environment of its own, then grades a submission."""
    made = make_zip("vae", base / "vae.zip", root=CHECKOUT)
    room = Room(base, made.path, base / "venv" / "bin" / "python")
    environment = {**room.environment, "AUTOGRADER_NO_SYSTEM": "1", "TORCH_INDEX": ""}
    done = subprocess.run(
        [str(room.source / "setup.sh")], env=environment, capture_output=True, text=True, check=False, cwd=base
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gets full marks here" in done.stdout
    installed = {
        path.name.partition("-")[0].lower() for path in base.glob("venv/lib/python*/site-packages/*.dist-info")
    }
    assert {"torch", "numpy", "homework_autograder", "deep_learning_homework"} <= installed
    assert not {"transformers", "torchvision", "datasets", "evaluate", "pyarrow", "nbgrader", "ipywidgets"} & installed
    out = room.grade({"vae (1).ipynb": solution_bytes(load_problem("vae", CHECKOUT))})
    assert sum(out.scores.values()) == made.settings.auto_points
    assert f"torch {_version(base)}" in out.printed


def _version(base: Path) -> str:
    [folder] = base.glob("venv/lib/python*/site-packages/torch-*.dist-info")
    return folder.name.removeprefix("torch-").removesuffix(".dist-info")


@pytest.mark.slow
def test_the_recorded_memory_agrees_with_a_new_measurement() -> None:
    """Of the problem that needs the least memory. Measurements differ by up to a fifth."""
    _, figures = measured()
    problem = min(figures, key=lambda one: figures[one].own)
    now = measure(problem)
    assert 0.75 * figures[problem].own <= now.own <= 1.25 * figures[problem].own
    assert 0.75 * figures[problem].libraries <= now.libraries <= 1.25 * figures[problem].libraries


FULL_DISK = """
import sys
from pathlib import Path
from autograder.gradescope.results_json import End, Progress
from autograder.gradescope.runner import SavedResults
from autograder.gradescope.settings import read_settings

folder, progress = Path(sys.argv[1]), Progress()
save = SavedResults(folder, read_settings(Path(sys.argv[2])), progress, 0.0)
save()
try:
    with open(folder / "filled", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
except OSError:
    pass
progress.notes.append("the last word")
save()
assert "the last word" not in (folder / "results.json").read_text(), "the disk is not full"
save.finally_()
assert "the last word" in (folder / "results.json").read_text()
print("the end")
"""


@pytest.mark.skipif(not IS_ROOT or shutil.which("unshare") is None, reason="mounts a small disk")
def test_the_last_results_are_written_on_a_full_disk(room: Room) -> None:
    """[43] At isolation level 'user', student code can fill the container's disk."""
    small = f"mount -t tmpfs -o size=2m small {room.results} && exec {sys.executable} -c '{FULL_DISK}' {room.results}"
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", f"{small} {room.source}"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr:
        pytest.skip("this machine does not let root mount")
    assert "the end" in done.stdout and "results.json was not written" in done.stdout, done.stdout + done.stderr


HOG = """def standardize(x, eps=EPS):
    import os, time
    for _ in range(40):  # each smaller than the process that grades, which must survive
        if os.fork() == 0:
            break
    kept = b"x" * 20_000_000
    time.sleep(20)
    return x
"""


@pytest.mark.slow
@pytest.mark.parametrize("level", ["full", "landlock", "user"])
def test_a_memory_bomb_in_the_default_container_fails_only_its_item(room: Room, level: str) -> None:
    """[42] 768 MB and half a core: only the student's processes are ended, at each level."""
    with container(768 * 2**20) as enter:
        out = submit_at(level, room, {"toy.ipynb": text(solved(standardize=HOG))}, enter)
    assert out.scores == {"standardize": 0.0, "Line": 8.0}
