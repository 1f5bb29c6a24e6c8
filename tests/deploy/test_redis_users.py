"""Redis of the deployment: each service is a user who may do what it must, the decoders of callers' audio are none.

That each may do all that it must is shown by the tests of the services and calls, which run with these users.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from config import ROOT, STATE
from devstack.processes import free_tcp_port, wait_for
from devstack.redis_server import USERS, RedisServer, as_user
from protocol.keys import call_key, lease_key, legs_key, media_key, position_key, speaking_key, stream_key

CELL = "c1"
START = ROOT / "deploy" / "redis-start.sh"
PASSWORDS = {"PRONTO_CELL": CELL} | {f"REDIS_{user.upper()}_PASSWORD": f"a-password-of-{user}" for user in USERS}
EVENTS, COMMANDS = stream_key(CELL, "events"), stream_key(CELL, "commands")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A Redis with the users of the deployment."""
    found = RedisServer(users_of=CELL)
    found.start()
    yield found
    found.stop()


def client(server: RedisServer, user: str) -> redis.Redis:
    return redis.Redis.from_url(as_user(server.url, user), decode_responses=True)


def test_without_a_password_nobody_does_anything(server: RedisServer) -> None:
    with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("key")
    with redis.Redis(port=server.port, username="health", password="-") as health:
        assert health.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            health.get("key")


def test_a_redis_that_is_killed_comes_back_with_what_was_written_in_one_go(tmp_path: Path) -> None:
    """Transactions of the append-only file run with the rights of the user `default`, who may not log in."""
    before = RedisServer(data_dir=tmp_path, users_of=CELL)
    before.start()
    key = position_key(CELL, "events", "bot_manager")
    with client(before, "bot") as bot:
        bot.set(key, "1-0")
        with bot.pipeline(transaction=True) as pipe:
            pipe.set(key, "2-0").set(call_key("c1-x"), "a call")
            pipe.execute()
        bot.eval("redis.call('SET', KEYS[1], '3-0') redis.call('EXPIRE', KEYS[1], 600)", 1, key)
    assert before.process.pid
    os.kill(before.process.pid, signal.SIGKILL)
    assert wait_for(lambda: before.process.exit_status is not None, 10.0)
    before.stop()
    after = RedisServer(data_dir=tmp_path, users_of=CELL)
    after.start()
    try:
        with client(after, "bot") as bot:
            assert (bot.get(key), bot.get(call_key("c1-x"))) == ("3-0", "a call")
    finally:
        after.stop()


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("controller", ("XADD", COMMANDS, "*", "m", "x")),  # it is commanded, and commands nobody
        ("controller", ("GET", call_key("c1-x"))),
        ("controller", ("SET", lease_key(CELL, "bot_manager"), "9")),
        ("controller", ("SET", position_key(CELL, "events", "bot_manager"), "9")),
        ("controller", ("XADD", stream_key("c2", "events"), "*", "m", "x")),  # another cell's
        ("receiver", ("XADD", COMMANDS, "*", "m", "x")),
        ("receiver", ("GET", call_key("c1-x"))),
        ("receiver", ("GET", legs_key(CELL, "c1-x"))),
        ("receiver", ("SET", media_key(CELL, "10.0.0.1", 9), "c1-x")),
        ("receiver", ("SET", speaking_key("c1-x"), "True")),
        ("bot", ("SET", media_key(CELL, "10.0.0.1", 9), "c1-x")),
        ("bot", ("GET", legs_key(CELL, "c1-x"))),
        ("bot", ("SET", speaking_key("c1-x"), "True")),
        *((user, ("CONFIG", "GET", "*")) for user in USERS[:-1]),
        *((user, ("FLUSHALL",)) for user in USERS[:-1]),
        *((user, ("KEYS", "*")) for user in USERS[:-1]),
        *((user, ("ACL", "LIST")) for user in USERS[:-1]),
        *((user, ("SET", "elsewhere", "1")) for user in USERS[:-1]),
        *((user, ("EVAL", "return redis.call('GET', KEYS[1])", "1", "elsewhere")) for user in USERS[:-1]),
    ],
)
def test_a_service_may_do_nothing_that_is_not_its_own(server: RedisServer, user: str, command: tuple[str, ...]) -> None:
    with client(server, user) as bus:
        assert bus.ping()
        with pytest.raises(redis.ResponseError, match="permission"):
            bus.execute_command(*command)


def start(environment: dict[str, str], users: Path, *more: str) -> subprocess.Popen[str]:
    path = f"{STATE / 'redis' / 'bin'}:{os.environ['PATH']}"
    form = str(ROOT / "deploy" / "redis" / "users.acl.in")
    environment = {"PATH": path, "FORM": form, "USERS": str(users), **environment}
    return subprocess.Popen(["sh", str(START), *more], env=environment, stderr=subprocess.PIPE, text=True)


def test_the_container_starts_with_hashes_of_the_passwords(tmp_path: Path) -> None:
    port = free_tcp_port()
    process = start(PASSWORDS, tmp_path / "users.acl", "--port", str(port), "--save", "", "--dir", str(tmp_path))
    try:
        with redis.Redis(
            port=port, username="controller", password="a-password-of-controller", retry=_patient()
        ) as bus:
            assert bus.ping()
        text = (tmp_path / "users.acl").read_text()
        assert "@" not in re.sub(r"[+-]@", "", text)
        assert "a-password" not in text
        assert (tmp_path / "users.acl").stat().st_mode & 0o077 == 0
        assert b"a-password" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        process.wait()


def _patient() -> Retry:
    return Retry(ConstantBackoff(0.1), 100)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"REDIS_BOT_PASSWORD": ""}, "REDIS_BOT_PASSWORD is not set, or shorter than 16"),
        ({"REDIS_BOT_PASSWORD": "short"}, "shorter than 16"),
        ({"REDIS_BOT_PASSWORD": "slash/and@at-sign-"}, "letters, digits"),
        ({"REDIS_BOT_PASSWORD": PASSWORDS["REDIS_CONTROLLER_PASSWORD"]}, "another user's too"),
    ],
)
def test_a_missing_or_shared_password_does_not_start(change: dict[str, str], reason: str, tmp_path: Path) -> None:
    process = start(PASSWORDS | change, tmp_path / "users.acl")
    _, error = process.communicate(timeout=10)
    assert process.returncode == 2
    assert reason in error


def test_in_compose_only_services_that_need_redis_reach_it_and_each_as_itself() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert services["redis"]["networks"] == ["bus"]
    assert [name for name, one in services.items() if "bus" in one.get("networks", ())] == ["redis"]
    login = r"redis://(\w+):\$\{REDIS_\w+_PASSWORD\}@"
    users = {
        name: found[1]
        for name, one in services.items()
        if (found := re.match(login, one.get("environment", {}).get("REDIS_URL", "")))
    }
    assert users == {
        "controller": "controller",
        "receiver": "receiver",
        "bot": "bot",
        "text": "text",
        "browser": "browser",
    }
    for name in ("whisper", "speech", "booking", "intent"):
        assert "REDIS_URL" not in services[name]["environment"]
        assert services[name].get("network_mode") != "host"
