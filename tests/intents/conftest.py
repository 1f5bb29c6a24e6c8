"""Small phrase files, and the service as a process of its own on them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL_MAIN = """\
language: fr
polite: [merci]
intents:
  "yes":
    only: [oui, bien sûr]
    phrases: [oui, [bien sûr, oui bien sûr], d'accord, ok d'accord, tout à fait, oui tout à fait]
  "no":
    phrases: [non, [pas du tout, non pas du tout], non merci, je ne veux pas, non je ne veux pas]
  human:
    strict: true
    phrases:
      - [je veux parler à un conseiller, passez-moi un conseiller]
      - [un conseiller s'il vous plaît, je voudrais un conseiller]
      - [je veux parler à un humain, passez-moi un humain]
      - [un humain s'il vous plaît, je voudrais un humain]
"""
SMALL_FAQS = """\
language: fr
intents:
  faq1:
    phrases: [combien ça coûte, ça coûte combien, quel est le prix, c'est quoi le prix, le prix s'il vous plaît]
  faq2:
    phrases: [ça fait du bruit, est-ce que c'est bruyant, c'est bruyant, et le bruit, il y a du bruit]
"""
SMALL_STRANGERS = (
    "language: fr\nphrases: [il pleut, le chat dort, une pizza, mon train part, où est mon colis, bon appétit]\n"
)


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A flows folder with a small French language."""
    folder = tmp_path / "flows" / "fr"
    folder.mkdir(parents=True)
    (folder / "intents.yaml").write_text(SMALL_MAIN, encoding="utf-8")
    (folder / "faqs.yaml").write_text(SMALL_FAQS, encoding="utf-8")
    (folder / "out_of_scope.yaml").write_text(SMALL_STRANGERS, encoding="utf-8")
    return folder.parent


@dataclass(frozen=True)
class Service:
    """A running service."""

    url: str
    flows: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> tuple[int, str]:
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path: str, body: object) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, text = self._call(urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}))
        return status, json.loads(text)

    def request(self, method: str, path: str) -> tuple[int, Any]:
        status, text = self._call(urllib.request.Request(self.url + path, method=method))
        return status, json.loads(text)

    def wait_until(self, condition: Callable[[], bool], limit_s: float = 200.0) -> None:
        """Asks again and again until the condition holds; fails after `limit_s`."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the service ended"
            try:
                if condition():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass  # not listening yet
            time.sleep(0.05)
        raise AssertionError("did not come true in time")

    @staticmethod
    def _call(request: urllib.request.Request) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(flows: Path, tmp_path: Path) -> Iterator[Service]:
    """The service without an encoder on the small French language, ready."""
    port = free_port()
    environment = {
        **os.environ,
        "FLOWS_DIR": str(flows),
        "INTENT_ENCODER": "none",
        "INTENT_LANGUAGES": "fr",
        "INTENT_CACHE_DIR": str(tmp_path / "cache"),
        "INTENT_PORT": str(port),
        "INTENT_RELOAD_S": "0.1",
    }
    with (tmp_path / "service.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "intent_service"], cwd=ROOT, env=environment, stderr=log)
    running = Service(f"http://127.0.0.1:{port}", flows, process)
    try:
        running.wait_until(lambda: running.get("/ready")[0] == 200)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)
