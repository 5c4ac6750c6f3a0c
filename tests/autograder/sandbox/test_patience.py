"""A time limit for student code counts the time that it ran or slept, not the time that it waited for a processor."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator

import pytest

from autograder.core.machine import slowness
from autograder.core.results import Status
from autograder.sandbox import patience as patience_module
from autograder.sandbox.host import SessionDiedError
from autograder.sandbox.patience import LONGEST, Patience
from tests.autograder.warm_host import warm_host


def test_a_limit_is_extended_by_the_time_of_waiting_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waited, own = 100.0, 0.0, 50.0
    monkeypatch.setattr(patience_module, "slowness", lambda: 1.0)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(patience_module, "_busy_or_waiting", lambda: own)
    patience = Patience(10.0, lambda: waited)
    now, waited = 104.0, 3.0
    assert patience.left() == 6, "it is not asked before the limit seems to have passed"
    now = 111.0
    assert patience.left() == 2
    now, waited = 113.0, 5.0
    assert patience.left() == 2
    now = 115.5
    assert patience.left() < 0
    own = 51.0
    assert patience.left() == 0.5, "the examiner worked for a second"
    now, waited = 100.0 + 10 * LONGEST, 1e9
    assert patience.left() == 0, "a process that always waits comes to its end, too"


def test_a_slow_machine_has_longer_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "slowness", lambda: 3.0)
    assert 29 < Patience(10.0).left() <= 30


def test_without_knowledge_of_waiting_the_limit_is_plain_time() -> None:
    assert Patience(0.0).left() <= 0 < Patience(5.0).left() <= 5 * slowness()


def _work() -> None:
    os.setsid()  # Linux divides processors among sessions first, then among the processes of each
    while True:
        pass


@contextlib.contextmanager
def _busy_machine() -> Iterator[None]:
    """Six busy processes per core."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_work, daemon=True) for _ in range(6 * (os.cpu_count() or 1))]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells how long a process waited")
def test_a_cell_on_a_busy_machine_has_the_time_that_it_has_on_a_calm_one() -> None:
    uses = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end:\n    pass"
    session = warm_host().session()
    with _busy_machine():
        begin = time.monotonic()
        assert session.run(uses.format(0.8), "c1", 1.3)["raised"] is None
        assert time.monotonic() - begin > 1.3, "the machine was not busy: this proves nothing"
        assert session.waited() > 0.5
        with pytest.raises(SessionDiedError) as caught:
            session.run(uses.format(1e9), "c2", 0.5)
        assert caught.value.reason is Status.TIMEOUT
        session.close()
