"""Brings the desk's database to the newest version of its tables, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def migrate(engine: Engine) -> None:
    """Creates the tables, or changes those of an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
