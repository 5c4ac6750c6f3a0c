"""What the tests of batches share."""

from __future__ import annotations

import pytest

from tests.autograder.batch.test_grade_folder import in_this_process


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes batches grade in this process instead of a pool of workers."""
    in_this_process(monkeypatch)
