"""A headless Chromium, and Jupyter servers for it to visit."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUM, NO_CHROMIUM

TOKEN = "a-token-of-the-tests"
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
SECONDS_TO_START = 90
MILLISECONDS = 30_000
"""How long the browser waits for an element of a page."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder: they run one after the other, and only where there is a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kernel)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser; it can reach this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a browser without history."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(MILLISECONDS)
    yield context.new_page()
    context.close()


def wait_for(port: int) -> None:
    """Waits until a server listens on a port of this machine: Jupyter prints its address before it listens."""
    end = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("localhost", port)).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Starts a Jupyter server in a folder and returns its address, without the token."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, **variables: str) -> str:
        log = tmp_path / f"jupyter-{len(servers)}.log"
        command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--port=0", "--allow-root"]
        command += [f"--IdentityProvider.token={TOKEN}", "--ServerApp.ip=localhost"]
        own_home = ("HOME", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR")
        env = {**os.environ, "PATH": PATH, **variables, **dict.fromkeys(own_home, str(tmp_path / "home"))}
        with log.open("w") as file:
            server = subprocess.Popen(command, cwd=folder, env=env, stdout=file, stderr=file, start_new_session=True)
        servers.append(server)
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and server.poll() is None:
            found = re.search(r"http://localhost:(\d+)/", log.read_text())
            if found:
                wait_for(int(found.group(1)))
                return found.group().rstrip("/")
            time.sleep(0.1)
        raise AssertionError(f"Jupyter did not start:\n{log.read_text()[-4000:]}")

    yield start
    for server in servers:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
