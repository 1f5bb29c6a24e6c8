"""Which call records a command works on: those of `--database`, else of the setting DATABASE_URL."""

from __future__ import annotations

import argparse

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from config import BadSettings, BotSettings, load
from records.engines import connect


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Adds `--database`."""
    parser.add_argument(
        "--database", default="", help="SQLAlchemy URL without a password (default: setting DATABASE_URL)"
    )


def records_of(args: argparse.Namespace) -> Engine:
    """The engine. Raises BadSettings for a password on the command line, which others can read in the
    list of processes; ArgumentError (of SQLAlchemy) for a URL that is none."""
    if args.database and make_url(args.database).password is not None:
        raise BadSettings("--database may hold no password: others could read it; set DATABASE_URL instead")
    return connect(args.database or load(BotSettings).database_url)
