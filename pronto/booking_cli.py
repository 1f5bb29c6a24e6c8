"""`pronto booking`: a demo shop, retention, and what is kept of a client: shown, or taken out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from booking_service.database import changing, open_booking, reading
from booking_service.demo import fill_demo
from booking_service.privacy import anonymise, erase, export, wipe
from booking_service.refusals import BookingRefused
from config import BadSettings, BookingSettings, load
from records.database import BadSchema


def add_parser(subparsers: Any) -> None:
    """Adds `booking`."""
    parser = subparsers.add_parser("booking", help="the business data of the booking service")
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    whats.add_parser("demo", help="fill an empty database with a shop whose names are invented")
    keep = whats.add_parser("retention", help="take personal parts out of what is older than BOOKING_RETENTION_DAYS")
    keep.add_argument("--days", type=int, help="how old, in days (default: the setting; 0: off)")
    for name, meaning in (("export", "print everything that is kept of a client"), ("erase", "take a client out")):
        one = whats.add_parser(name, help=meaning)
        one.add_argument("client", type=int, help="the client's id")


def run(args: argparse.Namespace) -> int:
    """Exit status 1: it was refused; 2: bad settings, or the database cannot be used."""
    try:
        settings = load(BookingSettings)
        engine = open_booking(settings.booking_database_url)
        try:
            match args.what:
                case "demo":
                    today = datetime.now(ZoneInfo(settings.booking_timezone)).date()
                    with changing(engine) as session:
                        made = fill_demo(session, today)
                    print(", ".join(f"{count} {name}" for name, count in made.items()))
                case "retention":
                    days = settings.booking_retention_days if args.days is None else args.days
                    if days < 1:
                        print("retention is off: set BOOKING_RETENTION_DAYS or give --days")
                        return 0
                    with changing(engine) as session:
                        changed = anonymise(session, days, time.time())
                    if changed:
                        wipe(engine)
                    print(f"older than {days} days: {changed} rows")
                case "export":
                    with reading(engine) as session:
                        print(json.dumps(export(session, args.client), ensure_ascii=False, indent=2, default=_shown))
                case "erase":
                    with changing(engine) as session:
                        erase(session, args.client, time.time())
                    wipe(engine)
                    print(f"client {args.client} was taken out")
        finally:
            engine.dispose()
    except BookingRefused as refused:
        print(refused.detail, file=sys.stderr)
        return 1
    except (BadSettings, BadSchema, SQLAlchemyError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _shown(value: object) -> str:
    return str(value)
