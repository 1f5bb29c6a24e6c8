"""Real processes: the service starts and drains, and HAProxy with the shipped configuration loses no request."""

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx

from config import ROOT, ReceiverSettings, load
from tests.whisper.processes import haproxy, replica, stop
from tests.whisper.serving import SPEECH


def test_the_service_starts_answers_and_ends_cleanly_on_sigterm(random_model: Path) -> None:
    with replica(random_model, WHISPER_DEVICE="cpu") as (process, port):
        answer = httpx.post(f"http://127.0.0.1:{port}/transcribe", files={"audio": SPEECH}, timeout=30)
        assert answer.status_code == 200
        assert stop(process) == 0


def test_bad_settings_and_phrases_refuse_to_start(tmp_path: Path) -> None:
    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **environment}
        command = [sys.executable, "-m", "whisper_service"]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)

    bad = run(WHISPER_MAX_BATCH="0", WHISPER_BATCH_WINDOW_MS="50")
    assert bad.returncode == 2
    assert "WHISPER_MAX_BATCH='0'" in bad.stderr
    assert "WHISPER_BATCH_WINDOW_MS='50'" in bad.stderr
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "hallucinations.yaml").write_text("language: fr\nalways: ['(']\n")
    bad = run(FLOWS_DIR=str(tmp_path))
    assert bad.returncode == 2
    assert "hallucinations.yaml: always, entry 1" in bad.stderr


def test_a_service_that_holds_too_much_memory_ends_for_its_supervisor_to_start_it_again() -> None:
    env = {**os.environ, "WHISPER_PORT": "0", "WHISPER_MAX_MEMORY_MB": "1", "LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-m", "whisper_service"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "too much memory is held" in done.stderr + done.stdout


class Dies(BaseHTTPRequestHandler):
    """Takes a request whole and hangs up without an answer, as a replica that is killed in it."""

    def do_GET(self) -> None:
        """Ready."""
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        """Nothing."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Answers(Dies):
    """Says how much it got."""

    def do_POST(self) -> None:
        """The length of the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(len(body)).encode())


def test_the_longest_utterance_goes_to_the_other_replica_when_one_dies_in_it() -> None:
    samples = load(ReceiverSettings, {}).max_buffer_samples
    hints = [f"mot numéro {number}" for number in range(500)]
    body = json.dumps({"audio": base64.b64encode(bytes(2 * samples + 44)).decode(), "hints": hints}).encode()
    with ExitStack() as stack:
        servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for handler in (Dies, Answers)]
        for server in servers:
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        port = stack.enter_context(haproxy((servers[0].server_port, servers[1].server_port)))
        for _ in range(4):  # the first one is chosen at least once
            answer = httpx.post(f"http://127.0.0.1:{port}/whisper", content=body, timeout=30)
            assert (answer.status_code, answer.text) == (200, str(len(body)))


def test_no_request_is_lost_when_a_replica_is_killed_under_load(random_model: Path) -> None:
    roomy = {
        "WHISPER_DEVICE": "cpu",
        "WHISPER_MAX_BATCH": "16",
        "WHISPER_DEADLINE_MS": "30000",
        "WHISPER_CONTEXT_S": "6",
    }
    killed = Event()
    with (
        replica(random_model, **roomy) as (first, one),
        replica(random_model, **roomy) as (_, two),
        haproxy((one, two)) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):

        def ask(number: int) -> int:
            if number == 30:
                first.kill()
                killed.set()
            return client.post("/transcribe", files={"audio": SPEECH}).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(ask, range(100)))
    assert killed.is_set()
    assert first.returncode == -9
    assert statuses == [200] * 100
