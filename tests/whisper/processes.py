"""Whisper replicas and HAProxy as real processes on free ports, for tests and benchmarks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import ROOT

HAPROXY_CONFIG = ROOT / "deploy" / "haproxy" / "haproxy.cfg"


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], within_s: float = 60.0) -> None:
    """Returns when `url` answers 200. Raises RuntimeError when the process ends or time runs out first."""
    until = time.monotonic() + within_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{url} did not answer (exit status {process.poll()})") from None
            time.sleep(0.02)


@contextmanager
def replica(model: Path | str, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """One ready `python -m whisper_service` and its port; stopped with SIGTERM afterwards if it still lives."""
    port = free_port()
    env = {**os.environ, "WHISPER_MODEL": str(model), "WHISPER_PORT": str(port), "LOG_LEVEL": "WARNING", **environment}
    process = subprocess.Popen([sys.executable, "-m", "whisper_service"], cwd=ROOT, env=env)
    try:
        wait_for(f"http://127.0.0.1:{port}/ready", process)
        yield process, port
    finally:
        stop(process)


@contextmanager
def haproxy(ports: tuple[int, int]) -> Iterator[int]:
    """HAProxy from Debian's package with the shipped configuration; the port that it listens on."""
    subprocess.run(["sh", str(ROOT / "scripts" / "fetch_packages.sh"), "haproxy"], check=True)
    port = free_port()
    first, second = (f"127.0.0.1:{number}" for number in ports)
    env = {**os.environ, "WHISPER_BIND": f"127.0.0.1:{port}", "WHISPER_1": first, "WHISPER_2": second}
    program = ROOT / ".pronto" / "haproxy" / "bin" / "haproxy"
    process = subprocess.Popen([program, "-q", "-db", "-f", HAPROXY_CONFIG], env=env)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        yield port
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    """Ends the process with SIGTERM; its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(10)
