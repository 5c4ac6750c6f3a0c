"""The sandbox processes: a host that imports large libraries once and forks a session for each submission.

The host runs no student code. A *session* is a fork of it that runs a notebook's cells in order in a new `__main__`.
For each graded item it forks again, so that an item that crashes, hangs or uses all memory does not affect the others.
`autograder.sandbox.host` starts the host and has the other end of its socket.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
import time

from homework.lazy_torch import is_imported, torch, when_imported

from . import syscalls
from .bounded_stream import Bounded
from .confinement import SCRATCH, Confinement, die_with_parent, set_limits
from .no_gpu import keep_one_thread, not_compiled
from .open_files import OpenFiles, held_files, holds_locks
from .prefork import WaitingFork
from .process_tree import children, is_busy, kill_children
from .resource_monitor import SECONDS, ResourceMonitor, waited
from .server import RequestServer, seed_everything
from .shared_memory import copy_shared_memory, mapped_files
from .shell import NotebookShell
from .wire import ClosedError, Limits, receive_frame, send_frame
from .working_folder import Files, WorkingFolder

_DEATH_SECONDS = 5.0
"""Time to wait for the end of a killed process on a busy machine."""

_SMALL = Limits(body=0)


def host(sock: socket.socket, modules: list[str], confinement: Confinement, *, huge_pages: bool) -> None:
    """Imports the modules that submissions need, then serves requests.

    Frames: `{"ready": True}` at the start; then those of `_serve`.
    """
    warm_up(modules)
    gc.collect()
    gc.freeze()  # else the first collection in each fork would touch, and so copy, all objects
    if huge_pages:
        with contextlib.suppress(OSError):
            syscalls.use_huge_pages()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # sessions are reaped by the kernel
    send_frame(sock, {"ready": True, "groups": sorted(confinement.groups.controllers)})
    _serve(sock, confinement)
    if confinement.sees_only_its_own:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # clones, which would end with this process
    confinement.groups.close()


def _serve(sock: socket.socket, confinement: Confinement) -> None:
    """Serves requests until the other side closes the socket; then kills all sessions.

    If sessions need no folder outside, the next session is forked and confined in advance, so that a request need not
    wait for it.

    Frames: `{"op": "session", "folder": …}` with one file descriptor → `{"pid": …}` gives a session to that socket;
    `{"op": "kill", "pid": …}` → `{"killed": …}` kills a session and its descendants; `{"op": "waited", "pid": …}` →
    `{"waited": …}` tells the seconds that it waited for a processor; `{"op": "clone"}` with one file
    descriptor → `{"cloned": True}` forks this process into one that serves that socket.
    """
    pids: set[int] = set()
    clones: set[int] = set()
    monitor = ResourceMonitor(confinement)
    spare: WaitingFork | None = None
    while True:
        while pids and not select.select([sock], [], [], SECONDS)[0]:
            if confinement.sees_only_its_own:
                monitor.enforce(pids)
        try:
            header, _ = receive_frame(sock, limits=_SMALL)
        except ClosedError:
            break
        if header["op"] == "kill":
            if header["pid"] in pids:
                pids.discard(header["pid"])
                _kill_session(header["pid"], pids | clones | ({spare.pid} if spare else set()))
                confinement.has_ended(header["pid"])
            send_frame(sock, {"killed": header["pid"]})
            continue
        if header["op"] == "waited":
            send_frame(sock, {"waited": waited(header["pid"])})
            continue
        _, fds, _, _ = socket.recv_fds(sock, 1, 1)
        if header["op"] == "clone":
            clones.add(_clone(sock, fds[0], confinement))
            send_frame(sock, {"cloned": True})
            continue
        session = spare
        if session is None or not session.hand_over(fds[0]):
            session = _session(sock, confinement, header["folder"])
            session.hand_over(fds[0])
        os.close(fds[0])
        pids.add(session.pid)
        send_frame(sock, {"pid": session.pid})
        spare = None if header["folder"] else _session(sock, confinement, "")
    for pid in pids | ({spare.pid} if spare else set()):
        _kill_session(pid, pids | clones)
        confinement.has_ended(pid)


def _session(sock: socket.socket, confinement: Confinement, folder: str) -> WaitingFork:
    """A confined session that waits for a socket to serve.

    Args:
        sock: the socket of this process, which the session closes.
        confinement: its confinement.
        folder: its working folder outside the sandbox; empty if it needs none.
    """

    def prepare() -> None:
        sock.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _silence()
        confinement.confine_session(folder)

    def serve(theirs: socket.socket) -> None:
        with contextlib.suppress(ClosedError):
            Session(theirs).serve()

    return WaitingFork(serve, prepare=prepare, fork=confinement.fork_session)


def _clone(sock: socket.socket, fd: int, confinement: Confinement) -> int:
    """Forks a process that serves another socket with the same confinement, in parallel; returns its process id."""
    confinement.reserve_user_ids()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            sock.close()
            die_with_parent()
            confinement.begin_in_clone()
            _serve(socket.socket(fileno=fd), confinement)
            status = 0
        finally:
            os._exit(status)
    os.close(fd)
    return pid


def import_modules(modules: list[str]) -> None:
    """Imports modules and triggers torch's lazy imports; starts no thread, so that forking stays safe."""
    when_imported(lambda: torch.set_num_threads(1), "threads")
    for name in modules:
        with contextlib.suppress(ImportError):  # for `from x import y`, x.y may not be a module
            importlib.import_module(name)
        module, _, attribute = name.rpartition(".")
        with contextlib.suppress(Exception):  # some packages import a module only when a name of it is used
            getattr(sys.modules.get(module), attribute)
    if is_imported():  # an explicit gradient triggers more lazy imports
        torch.zeros(2, requires_grad=True).sum().backward(torch.ones(()))


def warm_up(modules: list[str]) -> None:
    """Prepares this process for sessions: imports modules, seeds the generators, creates the notebook's shell."""
    import_modules(modules)
    seed_everything(0)  # initializing numpy's generator takes milliseconds
    NotebookShell.create()
    when_imported(_replace_in_torch)


def _replace_in_torch() -> None:
    torch.compile = not_compiled
    torch.set_num_threads = keep_one_thread  # type: ignore[assignment]  # threads do not survive a fork


def _kill_session(pid: int, others: set[int]) -> None:
    """Kills a session and its orphaned descendants, which this process adopts."""
    for kill in (os.killpg, os.kill):  # at level `full` it is process 1 of its namespace, whose processes end with it
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    end = time.monotonic() + _DEATH_SECONDS
    while pid in children() and time.monotonic() < end:  # this process adopts its children only after its end
        time.sleep(0.001)
    kill_children(others)


def _silence() -> None:
    """Redirects the standard streams to `/dev/null`; cells' output is captured in Python."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    os.close(nothing)


class Session:
    """One submission's notebook: its namespace, and the forks that answer the examiner.

    Several forks may be there, each with the notebook as it was then. The examiner talks to one at a time; the others
    wait.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._forks: dict[int, Files] = {}
        """Process id of each fork → the files that it shall find."""
        self._active = 0
        """Process id of the fork that ran last; 0 if cells ran last."""
        folder = os.getcwd()
        self._folders = [folder, "/dev/shm"] if folder == SCRATCH else [folder]
        self._folder = WorkingFolder(self._folders, lambda: mapped_files({os.getpid(), self._active} - {0}))
        self._files = self._folder.now()
        """The files as the cells left them."""
        self._open_files = OpenFiles()
        self._killed: set[int] = set()
        """Process ids of forks that were killed and may not have ended yet."""
        self._shell = NotebookShell.instance()
        self._shell.begin()

    def serve(self) -> None:
        """Serves requests until the socket closes.

        `put` writes a file, `run` runs a cell, `fork` makes a fork and talks to it, `wake` talks to a fork again, `end`
        ends a fork.
        """
        while True:
            header, body = receive_frame(self._sock)
            if header["op"] == "put":
                self._put(header["name"], body)
                send_frame(self._sock, {"put": True})
            elif header["op"] == "run":
                self._let_cells_run()
                send_frame(self._sock, self._shell.run(header["source"], header["name"]))
            elif header["op"] == "fork":
                _, fds, _, _ = socket.recv_fds(self._sock, 1, 1)
                self._let_cells_run()
                send_frame(self._sock, {"forked": self._fork(fds[0], header["cpu"])})
            elif header["op"] == "wake":
                send_frame(self._sock, {"woken": self._let_fork_run(header["fork"])})
            elif header["op"] == "end":
                self._end(header["fork"])
                send_frame(self._sock, {"ended": header["fork"]})
            elif header["op"] == "seed":
                seed_everything(header["seed"])
                send_frame(self._sock, {"seeded": True})

    def _put(self, name: str, data: bytes) -> None:
        """Writes a file into the working folder."""
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb") as file:
            file.write(data)
        self._files = self._folder.now(self._files)

    def _let_cells_run(self) -> None:
        self._let_wait()
        self._reap()  # `os.wait` of a cell must not find them
        if self._active:
            self._open_files.restore(0)
            self._files = self._folder.restore(self._files, before=self._reap)
            self._active = 0

    def _let_fork_run(self, pid: int) -> bool:
        """Prepares the files for a fork; returns whether it is there."""
        if pid not in self._forks or self._active == pid:
            return pid in self._forks
        self._let_wait()
        self._forks[pid] = self._folder.restore(self._forks[pid], before=self._reap)
        self._open_files.restore(pid)
        self._active = pid
        return True

    def _let_wait(self) -> None:
        """Ends the fork that ran last if it cannot wait; otherwise notes what it shall find again.

        It cannot wait with threads or processes, which would go on and count for all others; nor with locks; nor with
        open files that it made: they will be removed, and others made in their place.
        """
        self._open_files.note(self._active)
        if self._active not in self._forks:
            return
        files = self._folder.now(self._forks[self._active])
        known = {entry.file for entry in self._files.values()} | self._open_files.unnamed()
        holds_others = not held_files(self._active, self._folders) <= known
        if holds_others or is_busy(self._active) or holds_locks(self._active):
            self._end(self._active)
        else:
            self._forks[self._active] = files

    def _fork(self, fd: int, cpu: int) -> int:
        self._kill_strays()
        self._files = self._folder.now(self._files)
        gc.freeze()
        own = (thread for thread in threading.enumerate() if type(thread).__name__ != "TMonitor")  # tqdm's
        has_threads = any(thread is not threading.main_thread() for thread in own)
        pid = os.fork()
        if pid:
            os.close(fd)
            self._forks[pid] = self._files
            self._active = pid
            return pid
        try:
            self._sock.close()
            die_with_parent()
            set_limits({"cpu": cpu})
            if sys.platform == "linux":
                copy_shared_memory(but={entry.file for entry in self._files.values()})
            sys.stdout = sys.stderr = Bounded(0)
            with contextlib.suppress(ClosedError):
                ours = socket.socket(fileno=fd)
                self._shell.serve(RequestServer(ours, self._shell.user_ns, threads=has_threads).serve)
        finally:
            os._exit(0)

    def _end(self, pid: int) -> None:
        """Kills a fork, and what it leaves behind."""
        if self._forks.pop(pid, None) is None:
            return
        self._open_files.forget(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self._killed.add(pid)
        self._kill_strays()

    def _kill_strays(self) -> None:
        """Kills what cells and ended forks started, which would take time or memory."""
        if children() <= self._forks.keys() | self._killed:  # a killed fork runs no more code
            self._reap(os.WNOHANG)
            return
        if os.getpid() == 1 and not self._forks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # all other processes in this namespace
        kill_children(self._forks.keys())
        self._killed.clear()

    def _reap(self, options: int = 0) -> None:
        """Waits until the killed forks have ended; with `WNOHANG` only for those that have."""
        for pid in sorted(self._killed):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(pid, options) == (0, 0):
                    continue
            self._killed.discard(pid)
