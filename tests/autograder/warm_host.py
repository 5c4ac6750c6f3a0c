"""The warm process for student code that the tests of one pytest process share."""

from __future__ import annotations

import atexit
import functools

from autograder.sandbox.host import ANY, Host
from autograder.sandbox.probes import require_confinement
from tests.conftest import ROOT


@functools.cache
def warm_host() -> Host:
    """A host at the strongest level that the machine offers; its sandbox has been tested."""
    host = Host(("torch",), level=ANY, huge_pages=True)
    atexit.register(host.close)
    require_confinement(host, ROOT)
    return host
