"""A PostgreSQL of our own: on a free loopback port, in a temporary folder, gone when it is stopped.

PostgreSQL refuses to run as root: for root it runs as `nobody`, to whom the folder is given.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from config import STATE
from devstack.processes import ChildProcess, ProcessFailed, free_tcp_port, wait_for
from devstack.run_folder import RunFolder

READY_DEADLINE_S = 30.0
UNPRIVILEGED = "nobody"


class PostgresServer:
    """`start`, use `url` or `new_database`, `stop`. `restart` finds the data again, after a kill too."""

    def __init__(self, port: int = 0, state_dir: Path = STATE):
        """`port` 0: a free one."""
        self.port = port or free_tcp_port()
        self._folder = RunFolder("postgres")
        self._programs = state_dir / "postgresql" / "bin"
        self.data_dir = self._folder.path / "data"
        self._password = secrets.token_hex(16)
        self._databases = 0
        self.process = self._process()

    @property
    def url(self) -> str:
        """Of the database that is there from the start, for DATABASE_URL."""
        return self._url("postgres")

    def start(self) -> None:
        """Makes a data folder and returns when the server answers. Raises ProcessFailed."""
        try:
            self._folder.create()
            self._make_data()
            self.restart()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """The same data again, after the process has ended. Raises ProcessFailed."""
        if not self._folder.path.is_dir() or self.process.exit_status is not None:
            self.process = self._process()
        self.process.start()
        self.process.wait_until(self.answers, READY_DEADLINE_S)

    def stop(self) -> None:
        """Ends the process, whoever is connected, and removes its folder."""
        self.halt(signal.SIGINT)
        self.process.stop()
        self._folder.remove()

    def halt(self, how: int) -> None:
        """Ends the process by SIGINT (at once, in order) or SIGQUIT (as if it had crashed); the data stays."""
        if self.process.exit_status is None and self._started:
            os.kill(self.process.pid, signal.SIGCONT)
            os.kill(self.process.pid, how)
            wait_for(lambda: self.process.exit_status is not None, 10.0)

    def pause(self) -> None:
        """Nobody is answered any more, connections stay open: SIGSTOP to the server and to what serves connections."""
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        """The end of a pause."""
        self._signal_all(signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it takes connections, by its own word: another PostgreSQL may have the port."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"records_{self._databases}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://pronto:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def _started(self) -> bool:
        return self.process.started_s > 0

    def _process(self) -> ChildProcess:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "40",
            "shared_buffers": "32MB",
            "jit": "off",
            "fsync": "off",  # what it holds is gone with the folder anyway
            "timezone": "GMT",  # the only one that needs no files of the machine
            "log_timezone": "GMT",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.data_dir), *options]
        return ChildProcess("postgres", [*_as_unprivileged(), *command], self._folder.path / "postgres.log")

    def _make_data(self) -> None:
        if not (self._programs / "postgres").exists():
            raise ProcessFailed(f"postgres: no program {self._programs / 'postgres'} (run `make setup`)")
        password = self._folder.path / "password"
        password.write_text(self._password, encoding="utf-8")
        if os.geteuid() == 0:
            self._programs = _within_reach(self._programs, self._folder.path)
            self.process = self._process()
            user = pwd.getpwnam(UNPRIVILEGED)
            for path in (password, self._folder.path):
                os.chown(path, user.pw_uid, user.pw_gid)
        command = [
            *_as_unprivileged(),
            *(str(self._programs / "initdb"), "-D", str(self.data_dir), "--username", "pronto"),
            *("--auth", "scram-sha-256", "--pwfile", str(password)),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ]
        done = subprocess.run(command, cwd=self._folder.path, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProcessFailed(f"initdb ended with status {done.returncode}\n{done.stdout}{done.stderr}")

    def _signal_all(self, number: int) -> None:
        for pid in (self.process.pid, *_children(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):  # one of its children may end at any time
                os.kill(pid, number)


def _as_unprivileged() -> list[str]:
    """What a command line begins with so that its program does not run as root, and still dies with us."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(UNPRIVILEGED)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    # the kernel forgets the death signal of a process that changes its user
    return ["setpriv", *identity, "--", "setpriv", "--pdeathsig", "KILL", "--"]


def _within_reach(programs: Path, folder: Path) -> Path:
    """The programs where everybody may read them: beside us when ours lie in a home that is closed to others."""
    real = (programs / "postgres").resolve()
    if all(parent.stat().st_mode & 0o001 for parent in real.parents):
        return programs
    copy = folder / "programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    copy.chmod(0o755)
    return copy / "bin"


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
