"""What the tests of every area share: a real Asterisk and a real Redis, and the checks that nothing is left in them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from config import ROOT, STATE
from devstack.asterisk import Asterisk, settings_on_free_ports
from devstack.postgres_server import PostgresServer
from devstack.processes import wait_for
from devstack.redis_server import RedisServer

# In CI every run tries the same examples: a new one that fails is for those who are at work on it, not for a bystander.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole stacks come first: they take longest."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != here)


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it comes without types
    """Which tests one process runs: all whole stacks, one after the other, as they take all that two cores have; of
    everything else a file, so that what its tests share is started once.

    A scheduler of our own, because pytest 9.2 does not show pytest-xdist 3.8 the groups of its markers: every test
    then goes to any process, without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "stacks" if file.count("/") == 1 else file


@pytest.hookimpl(optionalhook=True)  # there is nothing to share out with `-p no:xdist`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> TogetherScheduling:
    """What runs together stays together, whatever --dist says."""
    return TogetherScheduling(config, log)


# Extensions of the test Asterisk, beside those of the deployed dialplan. `same` names the priorities that follow.
TEST_DIALPLAN = """
[bot](+)
exten => echo,1,Answer()
 same => n,Echo()
 same => n,Hangup()
exten => shortbeep,1,Answer()
 same => n,Playback(beep)
 same => n,Hangup()
exten => twobeeps,1,Answer()
 same => n,Playback(beep)
 same => n,Wait(1)
 same => n,Playback(beep)
 same => n,Wait(20)
 same => n,Hangup()
exten => keypad,1,Answer()
 same => n,Goto(keypad,s,1)
exten => busy,1,Hangup(17)
exten => decline,1,Hangup(21)
exten => ringing,1,Ringing()
 same => n,Wait(20)
 same => n,Hangup()

[keypad]
exten => s,1,WaitExten(20)
exten => 0123456789*#,1,Playback(beep)
 same => n,Wait(20)
exten => i,1,Hangup(1)
"""


@pytest.fixture(scope="session")
def running_asterisk() -> Iterator[Asterisk]:
    """One Asterisk for all tests of a session, on ports of its own."""
    server = Asterisk(settings_on_free_ports(extra_dialplan=TEST_DIALPLAN))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def asterisk(running_asterisk: Asterisk) -> Iterator[Asterisk]:
    """A real Asterisk; when the test is over, no channel and no bridge may be left in it."""
    yield running_asterisk
    # the last BYE is on its way when a test ends: what is still there after five seconds stays for ever
    left: dict[str, list[str]] = {"channels": [], "bridges": []}

    def is_empty() -> bool:
        for kind in left:
            left[kind] = [item["id"] for item in running_asterisk.get(kind)]
        return not any(left.values())

    assert wait_for(is_empty, 5.0), f"left in Asterisk: {left}"


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    """One Redis for all tests of a session."""
    server = RedisServer(users_of="*")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(running_redis: RedisServer) -> str:
    """The URL of a real, empty Redis."""
    with redis.Redis.from_url(running_redis.url) as client:
        client.flushall()
    return running_redis.url


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of a session."""
    server = PostgresServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on SQLite and then on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records' / 'calls.sqlite'}"
    server: PostgresServer = request.getfixturevalue("running_postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The program of Debian's Chromium."""
    subprocess.run(["sh", str(ROOT / "scripts" / "fetch_packages.sh"), "chromium"], check=True)
    return STATE / "chromium" / "bin" / "chromium"


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    subprocess.run(["sh", str(ROOT / "scripts" / "fetch_axe.sh")], check=True)
    return (STATE / "axe" / "axe.min.js").read_text(encoding="utf-8")
