"""A Redis of our own: on a free loopback port, in a temporary folder, gone when it is stopped."""

from __future__ import annotations

import socket
from pathlib import Path

from config import STATE
from devstack.processes import ChildProcess, free_tcp_port
from devstack.run_folder import RunFolder

READY_DEADLINE_S = 10.0


class RedisServer:
    """`start`, use `url`, `stop`. Nothing is written to disk unless `data_dir` is given."""

    def __init__(self, port: int = 0, data_dir: Path | None = None, state_dir: Path = STATE):
        """`port` 0: a free one. `data_dir` keeps the append-only file, so that a later start finds the data again."""
        self.port = port or free_tcp_port()
        self._folder = RunFolder("redis")
        keep = ["--appendonly", "yes"] if data_dir else ["--appendonly", "no"]
        self._data_dir = data_dir or self._folder.path
        command = [
            str(state_dir / "redis" / "bin" / "redis-server"),
            *("--bind", "127.0.0.1", "--port", str(self.port)),
            *("--dir", str(self._data_dir)),
            *("--save", ""),
            *keep,
            # the streams of the bus are trimmed by their writers; a Redis that is full must say so and not drop keys
            *("--maxmemory-policy", "noeviction"),
        ]
        self.process = ChildProcess("redis-server", command, self._folder.path / "redis.log")

    @property
    def url(self) -> str:
        """For redis.asyncio.from_url and REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when Redis answers. Raises ProcessFailed."""
        try:
            self._folder.create()
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self.process.start()
            self.process.wait_until(self.answers, READY_DEADLINE_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the process and removes its folder."""
        self.process.stop()
        self._folder.remove()

    def answers(self) -> bool:
        """Whether it takes commands."""
        # another Redis may have the port: only the one with our process id is ours
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as connection:
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(8192)
        except OSError:
            return False
        return f"process_id:{self.process.pid}\r\n".encode() in answer
