"""`pronto webhooks list|show|retry|drop`: what other systems were told of calls, and what they would not take.

Given up are those that a receiver refused for good, or did not take for three days; they wait here until somebody tries
them again or drops them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from config import BadSettings
from pronto.which_records import add_argument, records_of
from records.call import Webhook
from records.database import BadSchema
from records.outbox import DEAD, WAITING, forget, listed, one, revive


def add_parser(subparsers: Any) -> None:
    """Adds `webhooks`."""
    parser = subparsers.add_parser("webhooks", help="what other systems were told of calls; retry or drop what was not")
    add_argument(parser)
    commands = parser.add_subparsers(dest="webhooks_command", required=True)
    listing = commands.add_parser("list", help="those that wait, and those that were given up, newest first")
    listing.add_argument("--all", action="store_true", help="those that were taken or dropped, too")
    listing.add_argument("--dead", action="store_true", help="only those that were given up")
    listing.add_argument("--limit", type=int, default=50, help="how many (default 50)")
    listing.add_argument("--json", action="store_true", help="as one JSON array, without bodies")
    show = commands.add_parser("show", help="one of them with its body, as JSON")
    show.add_argument("id", help="its id or the beginning of it, or the id of its call")
    for name, what in (("retry", "try those that were given up again"), ("drop", "let those that were given up go")):
        command = commands.add_parser(name, help=what)
        command.add_argument("ids", nargs="*", help="ids as `list` shows them")
        command.add_argument("--all", action="store_true", help="all that were given up")


def run(args: argparse.Namespace) -> int:
    """Exit status 1: no such webhook; 2: no database, or a command without ids."""
    try:
        engine = records_of(args)
        match args.webhooks_command:
            case "list":
                states = [DEAD] if args.dead else [WAITING, DEAD, *(["delivered", "dropped"] if args.all else [])]
                return _list(listed(engine, states, max(1, args.limit)), args.json)
            case "show":
                return _show(one(engine, args.id), args.id)
            case command:
                if not args.ids and not args.all:
                    print(f"which ones? `pronto webhooks {command} ID ...`, or --all", file=sys.stderr)
                    return 2
                ids = None if args.all else args.ids
                count = revive(engine, ids, time.time()) if command == "retry" else forget(engine, ids)
                print(f"{count} {'will be tried again' if command == 'retry' else 'dropped'}")
                return 0 if count or args.all else 1
    except (SQLAlchemyError, BadSchema, BadSettings, OSError) as error:
        print(f"cannot read the webhooks: {error}", file=sys.stderr)
        return 2


def _list(webhooks: list[Webhook], as_array: bool) -> int:
    if as_array:
        print(json.dumps([{k: v for k, v in vars(found).items() if k != "body"} for found in webhooks], indent=2))
        return 0
    for found in webhooks:
        since = _clock(found.created_at)
        state = f"{found.state}, {found.tries} tries" if found.tries else found.state
        then = f"; next {_clock(found.next_try_at)}" if found.state == WAITING and found.tries else ""
        print(f"{found.id}  {since}  {found.event:10}  {state:20}  {found.call_id}  {found.fault}{then}".rstrip())
    if not webhooks:
        print("nothing waits, and nothing was given up")
    return 0


def _show(webhook: Webhook | None, name: str) -> int:
    if webhook is None:
        print(f"no webhook (or more than one) begins with {name!r}; `pronto webhooks list` shows them", file=sys.stderr)
        return 1
    body = json.loads(webhook.body) if webhook.body else None
    print(json.dumps({**vars(webhook), "body": body}, ensure_ascii=False, indent=2))
    return 0


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="seconds")
