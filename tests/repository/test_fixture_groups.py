"""Tests that share a fixture of their module run in one process, so that it is made once (`tests/conftest.py`)."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="module")
def number() -> int:
    return 1


def test_a_test_with_a_fixture_of_its_module_is_in_the_group_of_the_module(
    number: int, request: pytest.FixtureRequest
) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") is None or request.config.getoption("dist") != "loadgroup":
        pytest.skip("one process runs all tests")
    assert number == 1 and request.node.nodeid.endswith("@test_fixture_groups")
