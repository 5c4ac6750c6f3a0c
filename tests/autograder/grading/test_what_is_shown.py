"""Nothing that is shown of a student's code was said after it knew a hidden input, wherever it keeps what it knows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.core.results import Outcome, Status
from autograder.grading.grade import grade_submission
from autograder.grading.item_test import ItemTest
from autograder.grading.verdict import Verdict
from autograder.submissions.reader import Submission
from tests.autograder.toy import FULL, LINE, RIGHT_STANDARDIZE, STANDARDIZE, course_copy, graded, scores, solved, text

CHANNELS = {
    "the position in an open file": "kept = open('kept', 'w+b')\nkept.write(bytes(99)); kept.flush()\n"
    "put = lambda n: os.lseek(kept.fileno(), n, 0)\nget = lambda: os.lseek(kept.fileno(), 0, 1)\nput(0)",
    "an open file without a name": "kept = os.open('kept', os.O_RDWR | os.O_CREAT)\nos.unlink('kept')\n"
    "put = lambda n: os.pwrite(kept, bytes([n]), 0)\nget = lambda: os.pread(kept, 1, 0)[0]\nput(0)",
    "flags of an open file": "kept = os.open('kept', os.O_RDWR | os.O_CREAT)\n"
    "put = lambda n: fcntl.fcntl(kept, fcntl.F_SETFL, os.O_APPEND * (n > 3))\n"
    "get = lambda: 9 * bool(fcntl.fcntl(kept, fcntl.F_GETFL) & os.O_APPEND)",
    "the time of a folder": "put = lambda n: os.utime('.', (n, n))\nget = lambda: int(os.stat('.').st_mtime)\nput(0)",
    "permissions of a folder": "put = lambda n: os.chmod('.', 0o700 + n)\nget = lambda: os.stat('.').st_mode & 7",
    "shared memory": "kept = mmap.mmap(-1, 4096)\nput = lambda n: kept.__setitem__(0, n)\nget = lambda: kept[0]",
    "torch's shared memory": "kept = torch.zeros(1).share_memory_()\nput = kept.fill_\nget = lambda: int(kept)",
    "an event counter": "kept = os.eventfd(1, os.EFD_NONBLOCK)\ndef put(n):\n    os.eventfd_read(kept)\n"
    "    os.eventfd_write(kept, n)\ndef get():\n    n = os.eventfd_read(kept)\n    os.eventfd_write(kept, n)\n"
    "    return n\nput(1)",
    "a pipe": "read, write = os.pipe()\nput = lambda n: os.write(write, b'x')\n"
    "def get():\n    n = fcntl.ioctl(read, termios.FIONREAD, bytes(4))[0]\n    return n",
    "priorities": "me = os.getpid()\nput = lambda n: os.setpriority(os.PRIO_PROCESS, me, 10 + n)\n"
    "get = lambda: os.getpriority(os.PRIO_PROCESS, me) - 10",
    "a file": "put = lambda n: open('kept', 'w').write(str(n))\nget = lambda: int(open('kept').read())\nput(0)",
}
"""Names of channels → cells that define `put`, to tell the number of calls so far, and `get`."""
COUNTS = """
calls = 0
def standardize(x, eps=EPS):
    global calls
    calls += 1
    try:
        put(calls)
    except Exception:
        pass
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)
"""
TELLS = (
    "def told():\n    try:\n        return get()\n    except Exception as error:\n        return type(error).__name__\n"
)
KEPT_APART = {
    "a file",
    "an open file without a name",
    "the position in an open file",
    "shared memory",
    "torch's shared memory",
}
"""Channels that end at a fork."""
VISIBLE_CALLS = 2
"""How often the visible part of the test of `standardize` calls it; the hidden part calls it three times more."""


def told(channel: str, place: str) -> list[int]:
    """The numbers of calls that what is shown of a notebook tells."""
    first = f"import fcntl, mmap, os, termios\n{CHANNELS[channel]}\n{TELLS}"
    says = "raise RuntimeError(f'calls={told()}')" if place == "a message" else "return x * 0 + int(told())"
    notebook = solved(standardize=f"{first}\n{COUNTS}", Line=LINE + says)
    if place == "the output of cells":
        for at in range(len(notebook.cells), 0, -1):
            notebook.cells.insert(at, nbformat.v4.new_code_cell("print(f'calls={told()}')"))
    done = graded(notebook)
    found = re.findall(r"calls=(\d+)", str(done.log.as_json()) + done.text)
    return [int(number) for number in [*found, *done.log.answers.get("Line", [])]]


PLACES = ("a message", "an answer on per-student inputs", "the output of cells")


@pytest.mark.kernel
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("place", PLACES)
def test_no_channel_tells_a_hidden_input_to_what_is_shown(channel: str, place: str) -> None:
    numbers = told(channel, place)
    asked = place != "a message"  # once, in the fork that answers
    assert numbers and max(numbers) <= VISIBLE_CALLS + asked


@pytest.mark.kernel
@pytest.mark.parametrize("channel", set(CHANNELS) - KEPT_APART)
def test_the_channels_would_tell_if_hidden_parts_came_first(channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemTest, "begin", run_at_once)
    assert max(max(told(channel, place), default=0) for place in PLACES) > VISIBLE_CALLS + 1


def run_at_once(test: ItemTest) -> Verdict:
    """Runs both parts of a test where the first one should run."""
    return BEGIN(test) or test.finish()


BEGIN = ItemTest.begin

LOSES_THE_WAITING = {
    "the last cell ends the process": {"last": "import os\nos._exit(1)"},
    "the last cell does not end": {"last": "while True: pass"},
    "another item's test ends all processes": {"line": "import os\n        os.kill(-1, 9)\n        return x"},
    "it has threads": {
        "first": "import threading",
        "in": "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    },
    "it has threads of torch": {"first": "torch.set_num_threads(4)", "in": "torch.ones(1000, 400).exp().sum()"},
    "it has a process": {"first": "import os, time", "in": "os.fork() or time.sleep(60)"},
    "a later cell waits for all processes": {
        "last": "import os\ntry:\n    while True: os.wait()\nexcept ChildProcessError: pass"
    },
}


@pytest.mark.kernel
@pytest.mark.parametrize("way", LOSES_THE_WAITING)
def test_an_item_whose_waiting_process_was_ended_by_something_else_is_tested_again(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grading.cell_runner.CELL_SECONDS", 2.0)
    does = LOSES_THE_WAITING[way]
    head, body = RIGHT_STANDARDIZE.split("\n")
    right = "\n".join([does.get("first", ""), head, f"    {does.get('in', 'pass')}", body])
    notebook = solved(standardize=right, **({"Line": LINE + does["line"]} if "line" in does else {}))
    if "last" in does:
        notebook.cells.append(nbformat.v4.new_code_cell(f"late = standardize\nLine = Line\n{does['last']}"))
    done = graded(notebook)
    assert scores(done) == ({**FULL, "Line": 0.0} if "line" in does else FULL)


@pytest.mark.kernel
def test_its_message_shows_what_its_visible_part_said_the_first_time(tmp_path: Path) -> None:
    shown = 'print("standardize: all visible checks passed")'
    more = f'with part("a visible part", 8):\n    assert close(y[0, 0], 7.25, "it must be 7.25")\n{shown}'
    course = course_copy(tmp_path / "course", {shown: more})
    notebook = solved(standardize=RIGHT_STANDARDIZE)
    notebook.cells.append(nbformat.v4.new_code_cell("late = standardize\nLine = Line\nimport os\nos._exit(1)"))
    item = grade_submission("toy", Submission("ada", notebook=text(notebook)), root=course).log.item("standardize")
    assert "expected 7.25" in item.message and "got" in item.message
    assert item.score == pytest.approx(12 * 12 / 20), "the other parts passed"


SHARED = {
    "torch": "scale = torch.ones(1).share_memory_()",
    "a file in memory": "import numpy as np\n"
    "scale = torch.from_numpy(np.memmap('scale', mode='w+', shape=1, dtype='float32')).fill_(1)",
}


@pytest.mark.kernel
@pytest.mark.parametrize("kind", SHARED)
def test_a_later_cell_that_changes_shared_memory_changes_no_earlier_test(kind: str) -> None:
    head, body = RIGHT_STANDARDIZE.split("\n")
    notebook = solved(
        standardize=f"{SHARED[kind]}\n{head}\n{body} * scale",
        Line=f"scale.fill_(2.0)\n{LINE}return self.slope * x + self.intercept",
    )
    assert scores(graded(notebook)) == FULL


ANOTHER_WAY_TO_SHARED_MEMORY = {
    "through its file": """
import numpy as np
kept = np.memmap('kept', mode='w+', shape=1, dtype='float32')
def factor():
    kept[0] = 1
    kept.flush()
    return float(np.fromfile('kept', dtype='float32')[0])
""",
    "by its name": """
from multiprocessing.shared_memory import SharedMemory
kept = SharedMemory('kept', create=True, size=1)
def factor():
    kept.buf[0] = 1
    same = SharedMemory('kept')
    found = same.buf[0]
    same.close()
    return found
""",
    "a database's log": """
import sqlite3
kept = sqlite3.connect('kept')
kept.execute('pragma journal_mode=wal')
kept.execute('create table t (x)')
def factor():
    with sqlite3.connect('kept') as other:
        other.execute('insert into t values (1)')
    return kept.execute('select max(x) from t').fetchone()[0]
""",
}


@pytest.mark.kernel
@pytest.mark.parametrize("kind", ANOTHER_WAY_TO_SHARED_MEMORY)
def test_what_an_answer_writes_into_shared_memory_is_found_in_every_way(kind: str) -> None:
    head, body = RIGHT_STANDARDIZE.split("\n")
    assert (
        scores(graded(solved(standardize=f"{ANOTHER_WAY_TO_SHARED_MEMORY[kind]}\n{head}\n{body} * factor()"))) == FULL
    )


HONEST_FILES = {
    "a database that is opened at the first call": (
        "import sqlite3\ndata = None",
        "global data\nif data is None:\n    data = sqlite3.connect('kept.db')\n    data.execute('create table t (x)')\n"
        "data.execute('insert into t values (1)')\ndata.commit()",
    ),
    "a temporary file with a name": (
        "import tempfile\nkept = None",
        "global kept\nkept = kept or tempfile.NamedTemporaryFile()\nkept.seek(0)\nkept.truncate()\n"
        "torch.save(x.mean(0), kept)\nkept.flush()\nassert torch.equal(torch.load(kept.name), x.mean(0))",
    ),
    "a temporary folder that becomes the current one": (
        "import tempfile, os\nfolder = None",
        "global folder\nif folder is None:\n    folder = tempfile.mkdtemp()\n    os.chdir(folder)\n"
        "torch.save(x.detach(), 'x')",
    ),
    "a log that a cell opened": (
        "log = open('log.txt', 'w')",
        "log.write(f'{float(x.sum())}\\n')\nlog.flush()\n"
        "assert float(open('log.txt').readlines()[-1]) == float(x.sum())",
    ),
    "a stream that is read on": (
        "open('stream', 'wb').write(bytes(range(200)))\nstream = open('stream', 'rb', buffering=0)\ncalls = 0",
        "global calls\nassert stream.read(1) == bytes([calls])\ncalls += 1",
    ),
}
"""Names → a line above the function and its first lines: files as people use them, also across calls."""


@pytest.mark.kernel
@pytest.mark.parametrize("kind", HONEST_FILES)
def test_files_that_an_answer_keeps_open_work_in_the_hidden_part_too(kind: str) -> None:
    head, body = RIGHT_STANDARDIZE.split("\n")
    above, uses = HONEST_FILES[kind]
    inside = "\n".join(f"    {line}" for line in uses.split("\n"))
    assert scores(graded(solved(standardize=f"{above}\n{head}\n{inside}\n{body}"))) == FULL


HONEST_SHARED = {
    "a cursor with rows left": (
        "import sqlite3\ndata = sqlite3.connect('data.db')\nall = data.cursor()\n"
        "all.executescript('create table t (x); insert into t values (1); insert into t values (2)')",
        "assert all.execute('select x from t').fetchone() == (1,)",
        "data.execute('insert into t values (3)'); data.commit()",
    ),
    "an uncommitted change": (
        "import sqlite3\nsqlite3.connect('data.db').execute('create table t (x)').connection.close()\ndata = None\n"
        "def opened():\n    global data\n    if data is None:\n        data = sqlite3.connect('data.db')\n"
        "        data.execute('pragma journal_mode=memory')\n    return data",
        "opened().execute('insert into t values (1)')",
        "opened().execute('insert into t values (2)')",
    ),
    "a lock on a file of a cell": (
        "import fcntl\nopen('lock', 'w').close()\nheld = []\ndef lock():\n    if not held:\n"
        "        held.append(open('lock'))\n        fcntl.flock(held[0], fcntl.LOCK_EX)",
        "lock()",
        "lock()",
    ),
    "a file that takes the place of another": (
        "import os\nopen('log', 'w').write('old')\nlog = None\ndef say(line):\n    global log\n    if log is None:\n"
        "        open('new', 'w').write('new log\\n')\n        os.replace('new', 'log')\n"
        "        log = open('log', 'a')\n"
        "    log.write(line + '\\n'); log.flush()\n    return open('log').read().splitlines()[-1]",
        "said = f'{float(x.sum())} {len(open(\"log\").read())}'\n    assert say(said) == said",
        "assert say('forward') == 'forward'",
    ),
    "a file without a name": (
        "import tempfile\nfile = tempfile.TemporaryFile()\nlines = []\ndef note(line):\n    lines.append(line)\n"
        "    file.write(line + b'\\n'); file.flush(); file.seek(0)\n    assert file.read().splitlines() == lines",
        "note(b'a line that is long')",
        "note(b'short')",
    ),
    "a large file without a name in each function": (
        "import tempfile\nfile = None\ndef store():\n    global file\n    if file is None:\n"
        "        file = tempfile.TemporaryFile()\n        for _ in range(140):\n            file.write(bytes(2**20))\n"
        "        file.flush()",
        "store()",
        "store()",
    ),
}
"""Names → a cell, and what both functions do: right in a notebook that runs from above to below."""


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="locks and open files are looked up in /proc")
@pytest.mark.parametrize("kind", HONEST_SHARED)
def test_a_function_that_waits_is_in_no_others_way(kind: str) -> None:
    above, one, other = HONEST_SHARED[kind]
    head, body = RIGHT_STANDARDIZE.split("\n")
    line = f"{LINE}{other}\n        return self.slope * x + self.intercept"
    assert scores(graded(solved(standardize=f"{above}\n{head}\n    {one}\n{body}", Line=line))) == FULL


TWO_ATTEMPTS = """
import os
seen = []
def standardize(x, eps=EPS):
    waits = sum(name.isdigit() for name in os.listdir('/proc')) > 2
    if x.shape == (7, 4):
        seen.append(bool(x.requires_grad))
        if waits and {dies} and seen == [False, True]:
            os._exit(0)
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=waits and x.shape == (7, 4)) + eps)
"""


@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("dies", [False, True])
def test_code_that_ends_its_process_when_it_knows_that_it_was_wrong_gets_no_second_attempt(dies: bool) -> None:
    """A second check of a part that is left out tells that the first one failed; alone, it would answer otherwise."""
    assert graded(solved(standardize=TWO_ATTEMPTS.format(dies=dies))).log.item("standardize").score == 0


@pytest.mark.kernel
@pytest.mark.parametrize(
    "raises",
    [
        "raise NotImplementedError",
        "raise TypeError('expected scalar type %sble but found Float' % 'Dou')",
        "return repr(x.tolist())",
        "return x.tolist()",
    ],
)
def test_what_fails_in_a_hidden_part_says_nothing_of_its_input(raises: str) -> None:
    """`has_shape` and all other checks; which function raised; which types met."""
    rest = RIGHT_STANDARDIZE.split("\n")[1]
    calls = f"{STANDARDIZE}    if len(x) > 3:\n        told_by_its_name(x)\n{rest}"
    notebook, back = solved(standardize=calls), solved(standardize=calls.replace("told_by_its_name(x)", raises))
    notebook.cells.insert(3, nbformat.v4.new_code_cell(f"def told_by_its_name(x):\n    {raises}"))
    for one in (notebook, back):
        message = graded(one).log.item("standardize").message.split("Homework is graded with")[0]
        assert "told_by_its_name" not in message.replace("told_by_its_name(x)", "")
        assert not re.search(r"-?\d\.\d", message) and "Double" not in message and "float64" not in message


@pytest.mark.kernel
def test_a_cell_that_waits_for_its_processes_finds_no_others() -> None:
    waits = "import os\nown = os.fork() or os._exit(0)\nassert os.wait()[0] == own"
    starts = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"  # its fork is ended
    )
    head, body = RIGHT_STANDARDIZE.split("\n")
    standardize = "\n".join([head, *(f"    {line}" for line in starts.split("\n")), body])
    done = graded(solved(standardize=standardize, Line=f"{waits}\n{LINE}return self.slope * x + self.intercept"))
    assert scores(done) == FULL


FORGED = {
    "no number of a fork": "import guest.forkserver as f\nsend = f.send_frame\n"
    "f.send_frame = lambda s, h, *a: send(s, {**h, 'forked': 1e308} if 'forked' in h else h, *a)",
    "no answer of a fork": "import guest.server\nguest.server.RequestServer._OPERATIONS['ping'] = None",
    "an error": "import guest.server\nguest.server.RequestServer._OPERATIONS['ping'] = lambda *_: 1 / 0",
}


@pytest.mark.kernel
@pytest.mark.parametrize("way", FORGED)
def test_forged_answers_about_waiting_forks_cost_their_own_submission_only(way: str) -> None:
    done = graded(solved(standardize=f"{FORGED[way]}\n{RIGHT_STANDARDIZE}"))
    assert done.log.outcome is Outcome.GRADED
    assert {done.log.item(item).status for item in FULL} == {Status.CRASHED}


@pytest.mark.kernel
def test_words_of_the_second_look_at_all_cells_are_not_shown() -> None:
    says = "raise RuntimeError('sec' + 'ret' if 'SECOND' in globals() else 'plain')"
    notebook = solved(standardize=f"{STANDARDIZE}    {says}")
    notebook.cells.insert(3, nbformat.v4.new_code_cell(f"SECOND = 1\nprint('sec' + 'ret')\n{says}"))
    done = graded(notebook)
    assert "plain" in done.log.item("standardize").message
    assert "secret" not in str(done.log.as_json()) + done.text


@pytest.mark.kernel
def test_a_file_that_an_answer_makes_at_its_first_call_is_there_in_the_hidden_part() -> None:
    head, body = RIGHT_STANDARDIZE.split("\n")
    kept = "import functools\n@functools.lru_cache\ndef kept():\n    return open('one', 'w').write('1') and 'one'"
    assert scores(graded(solved(standardize=f"{kept}\n{head}\n{body} * float(open(kept()).read())"))) == FULL
