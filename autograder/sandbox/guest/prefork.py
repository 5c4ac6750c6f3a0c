"""A process that is forked and set up in advance, so that its start costs no time when it is needed.

                   hand_over(fd)
      [waiting] ------------------> [serving] ------> [done]      finished() is True
          |                             |
          | dies                        | dies, or kill()
          v                             v
       [dead]                        [dead]                       finished() is False
    hand_over() is False:
    fork another one

The two warm processes use it: the sandbox's host for sessions, and the warm grader for submissions. Each keeps one fork
waiting while another one serves.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

from .confinement import die_with_parent


class WaitingFork:
    """A fork of this process that waits for a socket, serves it once, and ends.

    Args:
        serve: called in the fork with the socket. An error ends the fork.
        prepare: called in the fork before it waits.
        fork: forks like `os.fork`.
        reports: whether `finished` will be called; otherwise no socket to the fork stays open while it serves.
    """

    def __init__(
        self,
        serve: Callable[[socket.socket], None],
        *,
        prepare: Callable[[], object] = lambda: None,
        fork: Callable[[], int] = os.fork,
        reports: bool = False,
    ) -> None:
        self._ours, theirs = socket.socketpair()
        self._reports = reports
        self.pid = fork()
        """Process id."""
        if self.pid == 0:
            status = 1
            try:
                self._ours.close()
                die_with_parent()
                prepare()
                _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
                if not reports:
                    theirs.close()
                if fds:
                    serve(socket.socket(fileno=fds[0]))
                if reports:
                    theirs.send(b"\0")
                status = 0
            finally:
                os._exit(status)
        theirs.close()

    def hand_over(self, fd: int) -> bool:
        """Sends the fork a copy of the socket with file descriptor `fd`; returns False if the fork is dead."""
        try:
            socket.send_fds(self._ours, [b"\0"], [fd])
        except OSError:
            return False
        finally:
            if not self._reports:
                self._ours.close()
        return True

    def finished(self) -> bool:
        """Waits until the fork has served its socket; returns False if it died before."""
        try:
            return self._ours.recv(1) != b""
        except OSError:
            return False
        finally:
            self._ours.close()

    def kill(self) -> None:
        """Kills the fork, which must not have been reaped."""
        self._ours.close()
        os.kill(self.pid, signal.SIGKILL)
