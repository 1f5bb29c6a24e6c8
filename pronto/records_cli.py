"""`pronto records status|upgrade|downgrade`: the revision of the call records' database, and changing it by hand.

The bot manager upgrades when it starts. `downgrade` is for going back to an older version of Pronto: stop the newer bot
manager first, for it upgrades again.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from config import BadSettings
from pronto.which_records import add_argument, records_of
from records.database import BadSchema, downgrade, head, migrate, revision_of


def add_parser(subparsers: Any) -> None:
    """Adds `records`."""
    parser = subparsers.add_parser("records", help="the schema of the call records: status, upgrade, downgrade")
    add_argument(parser)
    commands = parser.add_subparsers(dest="records_command", required=True)
    commands.add_parser("status", help="the database's revision and the one of this version")
    commands.add_parser("upgrade", help="bring the database up to date")
    back = commands.add_parser("downgrade", help="back to the schema of an older version of Pronto")
    back.add_argument("revision", help="for instance 0001; `pronto records status` of that version tells it")


def run(args: argparse.Namespace) -> int:
    """Exit status 1 for `status`: not up to date; 2: not done."""
    try:
        engine = records_of(args)
        if args.records_command == "upgrade":
            migrate(engine)
        elif args.records_command == "downgrade":
            downgrade(engine, args.revision)
        have = revision_of(engine)
    except (SQLAlchemyError, BadSchema, BadSettings, CommandError, OSError) as error:
        print(f"call records: {error}", file=sys.stderr)
        return 2
    print(f"the database has revision {have or 'none'}, this version is for {head()}")
    return 1 if args.records_command == "status" and have != head() else 0
