"""Real calls to the demonstration flow (flows/fr/order_status.yaml) and its shop's server, on the whole stack.

Found, not found and corrected are played at once; then the server is slow, and then it does not work: its breaker
opens, and who calls after that is handed over without it being asked.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from bot_manager.target_breaker import FAILURES
from callers.caller_voice import speak
from callers.monitor import Monitor
from callers.play_script import CallReport, ScriptPlayer
from callers.script import Script, read_script
from config import ROOT
from devstack.order_server import OrderServer
from devstack.stack import Stack, StackPlan
from pronto.call_cli import FIRST_NUMBER, place
from protocol.bus import connect

FOLDER = Path(__file__).parent / "calls" / "order_status"
TOGETHER = ("found_by_their_number", "found_by_order_number", "not_found", "wrong_number_corrected")
SLOW_S = 3.5
SHIPPED_LIMIT = "timeout_ms: 2000\n    retries: 1"
A_BUSY_MACHINES_LIMIT = "timeout_ms: 5000"

pytestmark = pytest.mark.timeout(600)


@dataclass
class Played:
    """What came of the scripts, and what the shop's server was asked."""

    reports: dict[str, CallReport] = field(default_factory=dict)
    call_backs: list[object] = field(default_factory=list)
    asked_while_down: int = 0
    restarts: dict[str, int] = field(default_factory=dict)


def script(name: str) -> Script:
    path = FOLDER / f"{name}.yaml"
    return read_script(path.read_text(encoding="utf-8"), str(path))


@asynccontextmanager
async def shop() -> AsyncIterator[tuple[OrderServer, int]]:
    orders = OrderServer()
    server = TestServer(orders.app(), host="127.0.0.1")
    await server.start_server()
    try:
        yield orders, int(server.port or 0)
    finally:
        await server.close()


async def play(folder: Path) -> Played:
    found = Played()
    flows = folder / "flows"
    shutil.copytree(ROOT / "flows", flows)
    async with shop() as (orders, port):
        flow = (flows / "fr" / "order_status.yaml").read_text(encoding="utf-8")
        assert SHIPPED_LIMIT in flow
        text = flow.replace("127.0.0.1:8099", f"127.0.0.1:{port}").replace(SHIPPED_LIMIT, A_BUSY_MACHINES_LIMIT)
        (flows / "fr" / "order_status.yaml").write_text(text, encoding="utf-8")
        settings = {
            "FLOWS_DIR": str(flows),
            "DEFAULT_FLOW": "fr/order_status",
            "ACTION_PRIVATE_HOSTS": f"127.0.0.1:{port}",
            "STRAIN_LIMIT": "0",
        }
        stack = Stack(StackPlan(run_dir=folder / "logs", state_dir=folder / "state", settings=settings))
        await asyncio.to_thread(stack.start)
        connection = connect(stack.redis_url)
        monitor = Monitor(connection, stack.cell)
        try:
            await monitor.start()
            player = ScriptPlayer(monitor, speak)

            async def one(index: int, name: str) -> CallReport:
                return await place(player, script(name), f"+{FIRST_NUMBER + index}", stack.sip_port)

            reports = await asyncio.gather(*(one(index, name) for index, name in enumerate(TOGETHER)))
            found.reports = dict(zip(TOGETHER, reports, strict=True))
            found.call_backs = list(orders.call_backs.values())
            orders.slow_s = SLOW_S
            found.reports["slow"] = await one(10, "slow")
            orders.slow_s, orders.down = 0.0, True
            before = orders.asked
            for number in (1, 2):
                found.reports[f"down {number}"] = await one(10 + number, "down")
            found.asked_while_down = orders.asked - before
            found.restarts = dict(stack.restarts)
        finally:
            await monitor.stop()
            await connection.aclose()
            await asyncio.to_thread(stack.stop)
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return asyncio.run(play(tmp_path_factory.mktemp("orders")))


@pytest.mark.parametrize("name", [*TOGETHER, "slow", "down 1", "down 2"])
def test_the_call_goes_as_its_script_says(played: Played, name: str) -> None:
    report = played.reports[name]
    assert report.faults == [], "\n".join(str(message) for message in (report.view.seen if report.view else []))


def test_every_script_is_played() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*TOGETHER, "slow", "down"}


def test_the_call_back_was_taken_once(played: Played) -> None:
    assert played.call_backs == [{"order": "123456", "telephone": "+33612345678"}]


def test_a_server_that_fails_is_left_alone(played: Played) -> None:
    """Two calls ask it twice each; the third failure opens the breaker."""
    assert played.asked_while_down == FAILURES


def test_no_service_had_to_be_restarted(played: Played) -> None:
    assert set(played.restarts.values()) == {0}
