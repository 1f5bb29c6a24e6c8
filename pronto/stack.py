"""The one-machine stack: Redis, Asterisk and the five services as child processes, started together, watched, stopped.

    with Stack(StackPlan(run_dir=Path(".pronto/run"))) as stack:
        ... stack.sip_port, stack.redis_url ...

Every service gets free loopback ports (or the ones of the plan), so several stacks live beside each other.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from config import ROOT, STATE
from pronto.asterisk import ARI_USER, Asterisk, settings_on_free_ports
from pronto.processes import ChildProcess, ProcessFailed, free_tcp_port, free_udp_port
from pronto.redis_server import RedisServer

log = logging.getLogger("pronto.stack")

READY_DEADLINE_S = 300.0
"""Long, for the one start after an edit of the intents: they are trained before the first answer."""
WATCH_EVERY_S = 0.2
# The engine's large buffers are otherwise given back to the kernel and faulted in again for every utterance.
WHISPER_ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "OMP_NUM_THREADS": "1"}
SERVICES = ("whisper_service", "intent_service", "bot_manager", "rtp_receiver", "ari_controller")
PORT_KEYS = {
    "whisper_service": "WHISPER_PORT",
    "intent_service": "INTENT_PORT",
    "bot_manager": "BOT_PORT",
    "rtp_receiver": "RECEIVER_PORT",
    "ari_controller": "CONTROLLER_PORT",
}


@dataclass(frozen=True)
class StackPlan:
    """What makes one stack different from the next."""

    run_dir: Path = STATE / "run"
    """Logs of this stack, one file per process."""
    state_dir: Path = STATE
    """Recordings and call records."""
    sip_port: int = 0
    """0: a free one."""
    softphone_password: str = ""
    """Empty: a new one."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment of the services on top of what the stack sets."""
    adviser: str = ""
    """The channel that rings at a hand-off; empty: an echo."""


class Stack:
    """The processes of one stack. `start` returns when every service is ready; `stop` leaves nothing behind."""

    def __init__(self, plan: StackPlan | None = None) -> None:
        self.plan = plan or StackPlan()
        self.cell = "local"
        self.redis = RedisServer()
        changes: dict[str, object] = {"adviser": self.plan.adviser}
        prompt = ROOT / "audio_prompts" / "fr" / "unavailable"
        if prompt.with_suffix(".wav").exists():
            changes["away_prompt"] = str(prompt)
        if self.plan.sip_port:
            changes["sip_port"] = self.plan.sip_port
        if self.plan.softphone_password:
            changes["softphone_password"] = self.plan.softphone_password
        self.recordings_dir = self.plan.state_dir / "recordings"
        self.asterisk = Asterisk(settings_on_free_ports(**changes), recordings_dir=self.recordings_dir)
        self.ports = {service: free_tcp_port() for service in SERVICES}
        self.rtp_port = free_udp_port()
        self.database_url = f"sqlite:///{self.plan.state_dir / 'calls.sqlite'}"
        self.services = {service: self._child(service) for service in SERVICES}
        self.restarts: dict[str, int] = dict.fromkeys(SERVICES, 0)
        self._stopped = threading.Event()
        self._restarting = threading.Lock()
        self._watcher: threading.Thread | None = None

    @property
    def sip_port(self) -> int:
        """Where Asterisk takes calls."""
        return self.asterisk.settings.sip_port

    @property
    def redis_url(self) -> str:
        """The bus of this stack."""
        return self.redis.url

    def url(self, service: str) -> str:
        """The HTTP server of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Starts everything. Raises ProcessFailed with the log of what did not come up; nothing is left then."""
        began = time.monotonic()
        try:
            self.plan.run_dir.mkdir(parents=True, exist_ok=True)
            self.plan.state_dir.mkdir(parents=True, exist_ok=True)
            self.redis.start()
            for service in SERVICES:
                if service != "ari_controller":
                    self.services[service].start()
            self.asterisk.start()
            progress(f"redis and asterisk are up ({time.monotonic() - began:.1f} s)")
            self.services["ari_controller"].start()
            for service in SERVICES:
                self.services[service].wait_until(lambda name=service: self.is_ready(name), READY_DEADLINE_S)  # type: ignore[misc]
                progress(f"{service} is ready ({time.monotonic() - began:.1f} s)")
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="stack-watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Ends every process, the services first, in the order that lets calls end well."""
        with self._restarting:
            self._stopped.set()
        for service in reversed(SERVICES):
            self.services[service].stop()
        if self._watcher is not None:
            self._watcher.join()  # only now: a child ends with the thread that started it
        self.asterisk.stop()
        self.redis.stop()

    def is_ready(self, service: str) -> bool:
        """What the service's `/ready` says; False when it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[service], timeout=2.0)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _child(self, service: str) -> ChildProcess:
        environment = {
            "PRONTO_CELL": self.cell,
            "REDIS_URL": self.redis.url,
            "ARI_URL": self.asterisk.ari_url,
            "ARI_USER": ARI_USER,
            "ARI_PASSWORD": self.asterisk.settings.ari_password,
            "ARI_APP": self.asterisk.settings.app,
            "RTP_HOST": "127.0.0.1",
            "RTP_IP": "127.0.0.1",
            "RTP_PORT": str(self.rtp_port),
            "RECORDINGS_DIR": str(self.recordings_dir),
            "DATABASE_URL": self.database_url,
            "WHISPER_URL": f"{self.url('whisper_service')}/whisper",
            "INTENT_MAIN_URL": f"{self.url('intent_service')}/embedding_main/",
            "INTENT_FAQS_URL": f"{self.url('intent_service')}/embedding_faqs/",
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            **(WHISPER_ALLOCATOR if service == "whisper_service" else {}),
            **{PORT_KEYS[name]: str(port) for name, port in self.ports.items()},
            **self.plan.settings,
        }
        command = [sys.executable, "-m", service]
        return ChildProcess(service, command, self.plan.run_dir / f"{service}.log", environment)

    def _watch(self) -> None:
        """Restarts a service that ended although nobody stopped it."""
        while not self._stopped.wait(WATCH_EVERY_S):
            for service, child in self.services.items():
                with self._restarting:
                    if self._stopped.is_set() or child.exit_status is None:
                        continue
                    self.restarts[service] += 1
                    log.error(
                        "service ended, starting it again", extra={"service": service, "status": child.exit_status}
                    )
                    with contextlib.suppress(ProcessFailed):
                        child.start()
