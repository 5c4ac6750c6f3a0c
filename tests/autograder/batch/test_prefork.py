"""Forks that wait for their work: which one is used, and that all of them end."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import psutil
import pytest

from autograder.batch.prefork import Relay

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")


def told(relay: Relay, what_for: str) -> str:
    """What a fork says for what it was made."""
    ours, theirs = socket.socketpair()
    relay.begin(theirs.detach(), what_for, lambda connection: connection.send((os.getpid(), what_for)))
    with Connection(ours.detach()) as connection:
        pid, said = connection.recv()
    assert pid != os.getpid()
    return str(said)


@pytest.fixture(autouse=True)
def _no_child_is_left() -> Iterator[None]:
    """Checks that a test leaves no child process; other tests of this process may have their own."""
    before = psutil.Process().children()
    yield
    assert [child for child in psutil.Process().children() if child not in before] == []


def test_each_connection_gets_its_own_fork() -> None:
    relay = Relay()
    for what_for in ("a", "a", "b", "a"):
        assert told(relay, what_for) == what_for
        assert relay.finish()
    relay.close()


def test_a_waiting_fork_that_died_is_replaced() -> None:
    relay = Relay()
    assert told(relay, "a") == "a" and relay.finish()
    assert relay._next is not None
    relay._next.kill()
    time.sleep(0.2)
    assert told(relay, "a") == "a" and relay.finish()
    relay.close()


def test_a_fork_that_dies_at_work_is_reported_and_the_next_one_is_not_used() -> None:
    relay = Relay()
    ours, theirs = socket.socketpair()
    relay.begin(os.dup(theirs.fileno()), "raises", lambda _: [][0])
    assert relay._next is not None and not relay.finish() and relay._next is None
    relay.begin(theirs.detach(), "is killed", lambda _: time.sleep(60))
    relay.kill()
    assert ours.recv(1) == b""  # no other process has the other end open
    assert relay._next is not None and not relay.finish() and relay._next is None
    ours.close()
    assert told(relay, "a") == "a" and relay.finish()
    relay.close()
