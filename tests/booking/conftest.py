"""A database of each kind; a shop that one talks to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import IntentSettings, load
from devstack.postgres_server import PostgresServer
from dialogue.rehearsal import Resolver
from pronto.flow_chat import OwnIntents
from tests.booking.serving import sqlite_url
from tests.booking.talking import DemoShop, demo_shop


@pytest.fixture(scope="session")
def booking_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def booking_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database's."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("booking_postgres")
    return server.new_database()


@pytest.fixture(scope="module")
def own() -> Resolver:
    """The intents of this checkout, as the service would tell them."""
    return OwnIntents(load(IntentSettings), "it")


@pytest.fixture
def shop(tmp_path: Path, own: Resolver) -> Iterator[DemoShop]:
    """The demo shop's service, and the dialogue before it."""
    with demo_shop(tmp_path) as served:
        served.resolve = own
        yield served
