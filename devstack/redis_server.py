"""A Redis of our own: on a free loopback port, in a temporary folder, gone when it is stopped."""

from __future__ import annotations

import hashlib
import secrets
import socket
from pathlib import Path

from config import ROOT, STATE
from devstack.processes import ChildProcess, free_tcp_port
from devstack.run_folder import RunFolder

READY_DEADLINE_S = 10.0
USERS = ("controller", "receiver", "bot", "text", "browser", "operator")
USERS_FORM = ROOT / "deploy" / "redis" / "users.acl.in"


def as_user(url: str, user: str) -> str:
    """The URL for another of USERS, from the operator's `url`; the same where there are no users."""
    return url.replace("operator", user)


class RedisServer:
    """`start`, use `url`, `stop`. Nothing is written to disk unless `data_dir` is given."""

    def __init__(self, port: int = 0, data_dir: Path | None = None, state_dir: Path = STATE, users_of: str = ""):
        """`port` 0: a free one. `data_dir` keeps the append-only file, so that a later start finds the data again.

        `users_of`: with the users of the deployment of that cell, and nobody else; `url` is the operator's then.
        """
        self.port = port or free_tcp_port()
        self._folder = RunFolder("redis")
        token = secrets.token_hex(8)
        self._passwords = {user: f"{user}-{token}" for user in USERS} if users_of else {}
        self._cell = users_of
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
            *(("--aclfile", str(self._users_file)) if users_of else ()),
        ]
        self.process = ChildProcess("redis-server", command, self._folder.path / "redis.log")

    @property
    def url(self) -> str:
        """For redis.asyncio.from_url and REDIS_URL."""
        login = f"operator:{self._passwords['operator']}@" if self._passwords else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    @property
    def _users_file(self) -> Path:
        return self._folder.path / "users.acl"

    def start(self) -> None:
        """Returns when Redis answers. Raises ProcessFailed."""
        try:
            self._folder.create()
            self._data_dir.mkdir(parents=True, exist_ok=True)
            if self._passwords:
                text = USERS_FORM.read_text(encoding="utf-8").replace("@CELL@", self._cell)
                for user, password in self._passwords.items():
                    text = text.replace(f"@{user.upper()}@", hashlib.sha256(password.encode()).hexdigest())
                self._users_file.write_text(text, encoding="utf-8")
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
                if self._passwords:
                    connection.sendall(f"AUTH operator {self._passwords['operator']}\r\n".encode())
                    connection.recv(64)
                connection.sendall(b"INFO server\r\n")
                answer = connection.recv(8192)
        except OSError:
            return False
        return f"process_id:{self.process.pid}\r\n".encode() in answer
