"""The stack that people call with the appointments' flow: its booking service is where the flow looks for it."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from booking_service.database import open_booking, reading
from booking_service.demo import CLIENTS
from booking_service.models import ClientRow
from config import ROOT
from devstack.processes import ProcessFailed, free_tcp_port
from devstack.shop_behind import CREDENTIAL, port_asked, with_shop
from devstack.stack import Stack, StackPlan

FLOW = "it/booking"
PATIENCE_S = 60.0


def plan_of(folder: Path, port: int, **settings: str) -> StackPlan:
    """A stack of a copy of the flow that asks its booking service at a port."""
    text = (ROOT / "flows" / f"{FLOW}.yaml").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "flows", folder / "flows")  # with the intents, which are trained already
    (folder / "flows" / f"{FLOW}.yaml").write_text(
        text.replace("127.0.0.1:3001", f"127.0.0.1:{port}"), encoding="utf-8"
    )
    where = {"FLOWS_DIR": str(folder / "flows"), "ACTION_CREDENTIALS_DIR": str(folder / "credentials")}
    return StackPlan(
        run_dir=folder / "logs", state_dir=folder / "state", settings={"DEFAULT_FLOW": FLOW, **where, **settings}
    )


def clients_of(folder: Path) -> int:
    engine = open_booking(f"sqlite:///{folder / 'state' / 'booking.sqlite'}")
    try:
        with reading(engine) as session:
            return session.scalar(select(func.count()).select_from(ClientRow)) or 0
    finally:
        engine.dispose()


def test_the_shipped_flow_asks_a_shop_and_others_ask_none() -> None:
    assert port_asked(FLOW, ROOT / "flows") == 3001
    assert port_asked("fr/heating", ROOT / "flows") == 0
    assert port_asked("it/nothing", ROOT / "flows") == 0


def test_a_flow_without_a_shop_changes_nothing(tmp_path: Path) -> None:
    plan = StackPlan(tmp_path, tmp_path, settings={"DEFAULT_FLOW": "fr/heating"})
    assert with_shop(plan, {}) is plan


def test_the_shop_is_filled_once_and_what_is_there_stays(tmp_path: Path) -> None:
    port = free_tcp_port()
    plan = plan_of(tmp_path, port, ACTION_PRIVATE_HOSTS="127.0.0.1:8099")
    first = with_shop(plan, {})
    assert first.ports["booking_service"] == port
    assert first.settings["ACTION_PRIVATE_HOSTS"] == f"127.0.0.1:8099,127.0.0.1:{port}"
    token = (tmp_path / "credentials" / CREDENTIAL).read_text(encoding="utf-8")
    assert with_shop(plan, {}) == first
    assert (tmp_path / "credentials" / CREDENTIAL).read_text(encoding="utf-8") == token
    assert (tmp_path / "credentials" / CREDENTIAL).stat().st_mode & 0o077 == 0
    assert clients_of(tmp_path) == len(CLIENTS)


def test_another_token_and_a_port_that_is_taken_are_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ProcessFailed, match="which another program has"):
            with_shop(plan_of(tmp_path / "port", other.getsockname()[1]), {})
    plan = plan_of(tmp_path / "token", free_tcp_port())
    with_shop(plan, {"PRONTO_TOKEN": "a" * 40})
    with pytest.raises(ProcessFailed, match="holds another token than PRONTO_TOKEN"):
        with_shop(plan, {"PRONTO_TOKEN": "b" * 40})


@pytest.mark.timeout(600)
def test_the_flow_reaches_its_shop_on_a_whole_stack(tmp_path: Path) -> None:
    with Stack(with_shop(plan_of(tmp_path, free_tcp_port()), {})) as stack:
        body = {"client_id": "somebody-who-writes", "query": "vorrei prenotare"}
        answer = httpx.post(f"{stack.url('text_service')}/api/text/query", json=body, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    assert "l'assistente automatica di Salone Aurora" in answer.json()["response"]
