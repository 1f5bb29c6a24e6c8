"""The booking service behind the flow of a stack that people call: at the address in the flow, with what it asks for.

    plan = with_shop(StackPlan(), os.environ)

A flow that asks a booking service on this machine, as flows/it/booking.yaml does at 127.0.0.1:3001, has it there: the
bot manager may ask that address, the token lies where the flow's actions look for it, and an empty database holds the
demo shop.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from booking_service.database import changing, open_booking
from booking_service.demo import fill_demo
from booking_service.refusals import BookingRefused
from config import BookingSettings, BotSettings, load
from devstack.processes import ProcessFailed, is_free
from devstack.stack import StackPlan

ASKED: Final = re.compile(r"http://127\.0\.0\.1:(\d{1,5})/api/appuntamenti/")
CREDENTIAL: Final = "booking"


def port_asked(flow: str, flows_dir: Path) -> int:
    """The port of this machine at which a flow asks its booking service; 0: it asks none, or there is no such flow."""
    try:
        found = ASKED.search((flows_dir / f"{flow}.yaml").read_text(encoding="utf-8"))
    except OSError:
        return 0
    return int(found[1]) if found else 0


def with_shop(plan: StackPlan, environment: Mapping[str, str]) -> StackPlan:
    """The plan with the shop behind it, or as it was where its flow needs none. Raises ProcessFailed where another
    program has the port, or another token lies in the folder of credentials."""
    found = {**environment, **plan.settings}
    bot = load(BotSettings, found)
    port = port_asked(bot.default_flow, bot.flows_dir)
    if not port:
        return plan
    if not is_free(port):
        raise ProcessFailed(f"{bot.default_flow} asks its booking service at port {port}, which another program has")
    token = found.get("PRONTO_TOKEN", "")
    path = bot.action_credentials_dir / CREDENTIAL
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(token or secrets.token_hex(20), encoding="utf-8")
    elif token and path.read_text(encoding="utf-8").strip() != token:
        raise ProcessFailed(f"{path} holds another token than PRONTO_TOKEN")
    _fill(plan.state_dir / "booking.sqlite", load(BookingSettings, found).booking_timezone)
    hosts = [host.strip() for host in bot.action_private_hosts.split(",") if host.strip()]
    settings = {**plan.settings, "ACTION_PRIVATE_HOSTS": ",".join(dict.fromkeys([*hosts, f"127.0.0.1:{port}"]))}
    return replace(plan, ports={**plan.ports, "booking_service": port}, settings=settings)


def _fill(database: Path, timezone: str) -> None:
    """The demo shop, where there is no shop yet."""
    database.parent.mkdir(parents=True, exist_ok=True)
    engine = open_booking(f"sqlite:///{database}")
    try:
        with suppress(BookingRefused), changing(engine) as session:
            fill_demo(session, datetime.now(ZoneInfo(timezone)).date())
    finally:
        engine.dispose()
