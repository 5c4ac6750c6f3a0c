"""The desk's database: opens it, runs transactions, and says in plain words why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, create_engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from autograder.core.errors import AutograderError, SetupError
from autograder.course.config import course_folder
from autograder.desk.migrate import migrate
from autograder.desk.place import Place

_WAIT_SECONDS = 20.0
"""Seconds to wait for another program that is writing to the database."""


class StoreError(AutograderError):
    """The database cannot be used now; nothing was saved."""


class Database:
    """The database, with the newest tables.

    Args:
        address: SQLAlchemy's address, e.g. `sqlite:///course/desk.db` or `postgresql+psycopg://host/name`.

    Raises:
        SetupError: the database cannot be opened.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._shown = _shown(address)
        try:
            self._engine = _engine(address)
            with self._explained():
                migrate(self._engine)
        except (ArgumentError, ImportError, StoreError) as error:
            raise SetupError(f"the desk's database {self._shown} cannot be opened: {error}") from error
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Closes all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that reads."""
        with self._explained(), self._reading.connect() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is saved, or nothing."""
        with self._explained(), self._engine.begin() as db:
            yield db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns errors of the database into one message that says what to do."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise StoreError(_advice(self._shown, str(error.orig).splitlines()[0])) from error


def default_address(root: Path) -> str:
    """The address of the desk's database of a course, if no other is given."""
    return f"sqlite:///{course_folder(root) / 'desk.db'}"


def of(query: Select[Any], table: Any, place: Place) -> Select[Any]:
    """The query, for the rows of one question."""
    return query.where(table.problem == place.problem, table.item == place.item)


def is_answer(table: Any, place: Place, student: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions for the rows of one answer."""
    return (table.problem == place.problem, table.item == place.item, table.student == student)


def now() -> datetime:
    """UTC without time zone, as both kinds of database keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


def _engine(address: str) -> Engine:
    if make_url(address).get_backend_name() != "sqlite":
        return create_engine(address, pool_pre_ping=True)
    engine = create_engine(address, connect_args={"timeout": _WAIT_SECONDS})

    @event.listens_for(engine, "connect")  # type: ignore[untyped-decorator]  # SQLAlchemy is not checked
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says when a transaction begins
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")  # type: ignore[untyped-decorator]
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # waits its turn here, not in the middle

    return engine


def _advice(address: str, reason: str) -> str:
    if "locked" in reason or "busy" in reason:
        advice = "another program is writing to it; save again in a moment"
    elif "readonly" in reason or "read-only" in reason or "unable to open" in reason:
        advice = "make the file and its folder writable for your user, and save again"
    elif "malformed" in reason or "not a database" in reason:
        advice = "it is damaged: stop the desk, move it away and restore a backup"
    else:
        advice = "check that the database is running and can be reached, and save again"
    return f"nothing was saved: the desk's database {address} cannot be used ({reason}); {advice}."


def _shown(address: str) -> str:
    """The address without its password."""
    try:
        return str(make_url(address).render_as_string(hide_password=True))
    except ArgumentError:
        return "(not an address)"
