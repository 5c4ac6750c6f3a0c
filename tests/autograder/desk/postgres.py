"""A real PostgreSQL for the tests, from Debian's package, with an empty database for each test."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []


def address() -> str:
    """The address of an empty database; skips the test where there is no PostgreSQL."""
    server = _server()
    name = f"desk_{uuid.uuid4().hex}"
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name)


@functools.cache
def _server() -> str:
    """Starts a server, which ends with this process; returns the address, with `{}` for the database's name."""
    found = shutil.which("initdb")
    place = Path(found).parent if found else _PLACES[-1] if _PLACES else None
    if place is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data, log = folder / "data", folder / "log"

    def run(*command: str) -> None:
        done = subprocess.run([*as_user, *command], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")

    run(str(place / "initdb"), "-D", str(data), "-U", "desk", "--auth=trust", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run(str(place / "pg_ctl"), "-D", str(data), "-l", str(log), "-o", options, "-w", "start")
    _stops_at_the_end([*as_user, str(place / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], folder)
    return f"postgresql+psycopg://desk@/{{}}?host={folder}"


def _stops_at_the_end(command: list[str], folder: Path) -> None:
    import atexit

    def stop() -> None:
        subprocess.run(command, capture_output=True, timeout=60, check=False)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
