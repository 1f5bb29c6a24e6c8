"""The outbox of webhooks: what is to be told to others waits in a table, until it was taken or given up.

A webhook is written once, whoever writes it and how often: its id is made of what it tells of. Whoever sends claims it
for a while; one who dies meanwhile has sent it or not, and it is sent again under the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, func, or_, select, update

from records.call import Webhook
from records.database import is_ready
from records.engines import writing
from records.models import WebhookRow

BACK_OFF_S: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0)
"""Waits after the first, second ... failure; the last one again and again."""
GIVE_UP_S: Final = 3 * 86_400.0
"""So long after it was written a webhook that fails once more is given up."""
WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"
WEBHOOKS: Any = WebhookRow.__table__


def webhook_id(*parts: str) -> str:
    """The id of what these parts tell of; the receiver gets it as `Idempotency-Key`."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def due_urls(connection: Connection, cell: str, now: float) -> list[str]:
    """The addresses for which something of a cell is due; the empty one is the receiver that is set for all."""
    return list(connection.scalars(select(WEBHOOKS.c.url).where(_due(cell, now)).distinct()))


def claim(connection: Connection, cell: str, now: float, for_s: float, most: int, url: str = "") -> list[Webhook]:
    """Those of a cell for one address whose turn it is, oldest first; they are the caller's for `for_s`."""
    due = _due(cell, now) & (WEBHOOKS.c.url == url)
    query = select(WEBHOOKS).where(due).order_by(WEBHOOKS.c.next_try_at, WEBHOOKS.c.created_at).limit(most)
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    if ids:
        connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id.in_(ids)).values(next_try_at=now + for_s))
    return [Webhook(**row) for row in rows]


def delivered(connection: Connection, webhook: Webhook, now: float) -> None:
    """It was taken: what it said is not kept any longer."""
    done = {"state": DELIVERED, "body": "", "done_at": now, "tries": webhook.tries + 1, "fault": ""}
    connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook.id).values(done))


def failed(connection: Connection, webhook: Webhook, now: float, fault: str, is_final: bool) -> bool:
    """It was not taken. Whether it is given up; otherwise there will be another try."""
    tries = webhook.tries + 1
    is_dead = is_final or (now - webhook.created_at >= GIVE_UP_S and tries >= len(BACK_OFF_S))
    values: dict[str, Any] = {"tries": tries, "fault": fault}
    if is_dead:
        values |= {"state": DEAD, "done_at": now}
    else:
        values |= {"next_try_at": now + _wait_s(webhook.id, tries)}
    this = (WEBHOOKS.c.id == webhook.id) & (WEBHOOKS.c.state == WAITING)
    connection.execute(update(WEBHOOKS).where(this).values(values))
    return is_dead


def hurry(connection: Connection, cell: str, now: float, url: str = "") -> None:
    """The receiver is back: all that waits for it is due now."""
    waits = (WEBHOOKS.c.cell == cell) & (WEBHOOKS.c.state == WAITING) & (WEBHOOKS.c.next_try_at > now)
    connection.execute(update(WEBHOOKS).where(waits, WEBHOOKS.c.url == url).values(next_try_at=now))


def _due(cell: str, now: float) -> ColumnElement[bool]:
    due: ColumnElement[bool] = (
        (WEBHOOKS.c.cell == cell) & (WEBHOOKS.c.state == WAITING) & (WEBHOOKS.c.next_try_at <= now)
    )
    return due


def state_of(connection: Connection, cell: str) -> tuple[int, int, float | None]:
    """How many wait, how many were given up, and since when the oldest of those waits (None: none does)."""
    of_cell = WEBHOOKS.c.cell == cell
    waits = select(func.count(), func.min(WEBHOOKS.c.created_at)).where(of_cell, WEBHOOKS.c.state == WAITING)
    waiting, oldest = connection.execute(waits).one()
    dead = connection.execute(select(func.count()).where(of_cell, WEBHOOKS.c.state == DEAD)).scalar_one()
    return int(waiting), int(dead), oldest


def listed(engine: Engine, states: Sequence[str], limit: int) -> list[Webhook]:
    """The last ones in these states, newest first. An empty database has none. Raises BadSchema, SQLAlchemyError."""
    if not is_ready(engine):
        return []
    query = select(WEBHOOKS).where(WEBHOOKS.c.state.in_(states)).order_by(WEBHOOKS.c.created_at.desc()).limit(limit)
    with engine.connect() as connection:
        return [Webhook(**row) for row in connection.execute(query).mappings()]


def one(engine: Engine, webhook: str) -> Webhook | None:
    """The one with this id, or the only one whose id or call's id begins so."""
    if not is_ready(engine):
        return None
    starts = or_(WEBHOOKS.c.id.startswith(webhook, autoescape=True), WEBHOOKS.c.call_id == webhook)
    with engine.connect() as connection:
        rows = connection.execute(select(WEBHOOKS).where(starts).limit(2)).mappings().all()
        return Webhook(**rows[0]) if len(rows) == 1 else None


def revive(engine: Engine, ids: Sequence[str] | None, now: float) -> int:
    """Those given up wait again, tried at once and for days: all, or these. How many; one without its body does not."""
    dead = (WEBHOOKS.c.state == DEAD) & (WEBHOOKS.c.body != "")
    if ids is not None:
        dead &= WEBHOOKS.c.id.in_(ids)
    anew = {"state": WAITING, "tries": 0, "created_at": now, "next_try_at": now, "done_at": None}
    with writing(engine).begin() as connection:
        return int(connection.execute(update(WEBHOOKS).where(dead).values(anew)).rowcount)


def forget(engine: Engine, ids: Sequence[str] | None) -> int:
    """Those given up, all or these, are let go: they count as done, and what they said is gone. How many."""
    dead = WEBHOOKS.c.state == DEAD
    if ids is not None:
        dead &= WEBHOOKS.c.id.in_(ids)
    with writing(engine).begin() as connection:
        return int(connection.execute(update(WEBHOOKS).where(dead).values(state="dropped", body="")).rowcount)


def _wait_s(webhook: str, tries: int) -> float:
    """A fifth more or less, so that what failed together does not come back together."""
    share = int(webhook_id(webhook, str(tries))[:4], 16) / 0xFFFF
    return BACK_OFF_S[min(tries, len(BACK_OFF_S)) - 1] * (0.8 + 0.4 * share)
