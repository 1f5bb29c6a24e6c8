"""Child processes of the one-machine stack: started with a log file, waited for until they answer, always stopped.

A child gets a session of its own, so that Ctrl-C in the terminal reaches only us and we stop the children in order.
Where the machine has `setpriv`, a child also dies with us when we are killed without a chance to clean up. The kernel
ties this to the thread that starts the child: one started beside the main thread is asked to end with its thread.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack.watchdog import Heart


class ProcessFailed(RuntimeError):
    """A child could not be started, ended too early or did not become ready; the message ends with its log."""


class ChildProcess:
    """One child. `start`, `wait_until`, `stop`; `stop` may be called at any time and more than once."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_path: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        heart: Heart | None = None,
    ):
        """`environment` is added to ours, `log_path` receives the output and errors; it runs in `folder`, or ours."""
        self._folder = folder
        self.heart = heart
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._environment = {**(environment or {}), **(heart.environment if heart else {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.started_s = 0.0
        """When it was started last, in seconds of `time.monotonic()`."""

    @property
    def pid(self) -> int:
        """The process id. Raises ProcessFailed before `start`."""
        if self._process is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs or before it was started; negative: ended by that signal."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Starts the child. Raises ProcessFailed when its program is not there."""
        guard = shutil.which("setpriv")
        last_signal = "KILL" if threading.current_thread() is threading.main_thread() else "TERM"
        command = [guard, "--pdeathsig", last_signal, "--", *self._command] if guard else self._command
        if shutil.which(self._command[0]) is None:
            raise ProcessFailed(f"{self.name}: no program {self._command[0]} (run `make setup`)")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.started_s = time.monotonic()
        if self.heart:
            self.heart.forget()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment},
                start_new_session=True,
                cwd=self._folder,
            )

    def wait_until(self, ready: Callable[[], bool], deadline_s: float) -> None:
        """Asks `ready` every 10 ms. Raises ProcessFailed when the child ends or `deadline_s` passes first."""

        def settled() -> bool:
            return self.exit_status is not None or ready()

        if not wait_for(settled, deadline_s):
            raise ProcessFailed(f"{self.name} was not ready after {deadline_s:g} s\n{self.log_tail()}")
        if self.exit_status is not None:
            raise ProcessFailed(f"{self.name} ended with status {self.exit_status} while starting\n{self.log_tail()}")

    def stop(self, grace_s: float = 5.0) -> int | None:
        """SIGTERM, then SIGKILL after `grace_s`. Returns the exit status, None when it was never started.

        Raises RuntimeError on an event loop: it would stand still meanwhile.
        """
        _may_wait_here()
        if self.heart:
            self.heart.close()
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the log, for an error message."""
        if not self.log_path.exists():
            return f"(no log at {self.log_path})"
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:]) or "(its log is empty)"


def wait_for(condition: Callable[[], bool], deadline_s: float) -> bool:
    """Asks `condition` every 10 ms until it holds. False when it did not hold by `deadline_s`.

    Raises RuntimeError on an event loop: it would stand still meanwhile.
    """
    _may_wait_here()
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _may_wait_here() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # no loop in this thread
        return
    raise RuntimeError("this waits and would hold up the event loop: call it by asyncio.to_thread")


def free_tcp_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, address: str = "127.0.0.1") -> bool:
    """Whether nobody listens on this TCP port at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was closed a moment ago is free
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_udp_port(address: str = "127.0.0.1") -> int:
    """A UDP port that nobody is bound to at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
