"""A real redis-server: it answers, it goes, and it leaves nothing behind."""

import os
from pathlib import Path

import pytest
import redis

from devstack.processes import ProcessFailed
from devstack.redis_server import RedisServer


def test_it_answers_and_leaves_nothing_behind() -> None:
    server = RedisServer()
    server.start()
    folder = server.process.log_path.parent
    with redis.Redis.from_url(server.url) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"
    pid = server.process.pid
    server.stop()
    assert server.process.exit_status == 0
    assert not folder.exists()
    assert not os.path.exists(f"/proc/{pid}")


def test_a_data_folder_survives_a_restart(tmp_path: Path) -> None:
    for expected in (None, b"value"):
        server = RedisServer(data_dir=tmp_path / "data")
        server.start()
        try:
            with redis.Redis.from_url(server.url) as client:
                assert client.get("key") == expected
                client.set("key", "value")
        finally:
            server.stop()


def test_a_port_in_use_is_told_with_the_log_and_cleaned_up() -> None:
    first = RedisServer()
    first.start()
    second = RedisServer(port=first.port)
    with pytest.raises(ProcessFailed, match="Address already in use"):
        second.start()
    assert not second.process.log_path.exists()
    first.stop()


def test_a_missing_program_names_the_way_out(tmp_path: Path) -> None:
    server = RedisServer(state_dir=tmp_path)
    with pytest.raises(ProcessFailed, match="make setup"):
        server.start()
    assert not server.process.log_path.parent.exists()
