"""The one-machine stack: Redis, Asterisk and the services as child processes, started together, watched, stopped.

    with Stack(StackPlan(run_dir=Path(".pronto/run"))) as stack:
        ... stack.sip_port, stack.redis_url, stack.restart("bot_manager") ...

Every service gets free loopback ports (or the ones of the plan), so several stacks live beside each other. Whatever
dies is started again, at once the first time and a little later each time that it dies young.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from audio_prompts.catalogue import PLAYED
from config import ROOT, STATE
from devstack.asterisk import ARI_USER, Asterisk, settings_on_free_ports
from devstack.processes import ChildProcess, ProcessFailed, free_tcp_port, free_udp_port, wait_for
from devstack.redis_server import RedisServer, as_user
from devstack.run_folder import RunFolder
from devstack.standbys import Standbys
from devstack.watchdog import Heart
from observability.gate import bearer

log = logging.getLogger("devstack.stack")

READY_DEADLINE_S = 300.0
"""Long, for the one start after an edit of the intents: they are trained before the first answer."""
PLAYED_PROMPTS = ROOT / "audio_prompts" / PLAYED
STACK_FILE = STATE / "run" / "stack.json"
"""Where `pronto up` says which process it is and where its services are, while it runs."""
WATCH_EVERY_S = 0.1
BACK_OFF_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Wait before a start again, by how often the process died young before."""
GROWN_UP_S = 10.0
"""A process that lived so long may die without delay for the next one."""
STOP_GRACE_S = 15.0
"""Longer than any service of the stack takes to finish what it has begun."""
# The engine's large buffers are otherwise given back to the kernel and faulted in again for every utterance.
WHISPER_ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "OMP_NUM_THREADS": "1"}
SERVICES = (
    "whisper_service",
    "speech_service",
    "intent_service",
    "booking_service",
    "bot_manager",
    "text_service",
    "browser_audio",
    "rtp_receiver",
    "ari_controller",
)
IN_WRITING = ("intent_service", "bot_manager", "text_service")
"""What conversations in writing need."""
FROM_BROWSERS = ("whisper_service", "speech_service", "intent_service", "bot_manager", "browser_audio", "rtp_receiver")
"""What calls from web pages need."""
ASTERISK, REDIS = "asterisk", "redis"
# Stopped together, one tier after the other: the controller first, which writes what the calls were; Redis last.
REDIS_USERS = {
    "ari_controller": "controller",
    "rtp_receiver": "receiver",
    "bot_manager": "bot",
    "text_service": "text",
    "browser_audio": "browser",
}
"""The others need no Redis."""
WAIT_FOR_THEIR_TURN = ("bot_manager", "rtp_receiver")
STOP_TIERS = (
    ("ari_controller", "text_service", "browser_audio"),
    ("rtp_receiver", "bot_manager", "intent_service", "booking_service", "speech_service", "whisper_service", ASTERISK),
    (REDIS,),
)
PORT_KEYS = {
    "whisper_service": "WHISPER_PORT",
    "speech_service": "SPEECH_PORT",
    "intent_service": "INTENT_PORT",
    "booking_service": "BOOKING_PORT",
    "bot_manager": "BOT_PORT",
    "text_service": "TEXT_PORT",
    "browser_audio": "BROWSER_PORT",
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
    ports: Mapping[str, int] = field(default_factory=dict)
    """Where a service answers HTTP, by its name; those that are not named take a free port."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment of the services on top of what the stack sets."""
    adviser: str = ""
    """The channel that rings at a hand-off; empty: an echo."""
    trees: Mapping[str, Path] = field(default_factory=dict)
    """Checkouts of other releases that services are started from, by service; the others are started from this one."""
    standby: bool = False
    """A second process of every service waits, loaded, for the end of the first; one that hangs is ended."""
    services: tuple[str, ...] = SERVICES
    """Those that are started; Asterisk is with the controller only."""
    redis_dir: Path | None = None
    """Where Redis keeps its data, so that one that dies comes back with it; None: nothing is kept."""


def back_off(lived_s: float, died_young: int) -> tuple[int, float]:
    """How often a process has now died young in a row, and how long (s) to wait before it is started again."""
    if lived_s > GROWN_UP_S:
        return 0, 0.0
    return died_young + 1, BACK_OFF_S[min(died_young, len(BACK_OFF_S) - 1)]


class Stack:
    """The processes of one stack. `start` returns when every service is ready; `stop` leaves nothing behind."""

    def __init__(self, plan: StackPlan | None = None) -> None:
        self.plan = plan or StackPlan()
        self.cell = "local"
        self.redis = RedisServer(data_dir=self.plan.redis_dir, users_of=self.cell)
        changes: dict[str, object] = {"adviser": self.plan.adviser}
        prompt = PLAYED_PROMPTS / "fr" / "unavailable"
        if prompt.with_suffix(".wav").exists():
            changes["away_prompt"] = str(prompt)
        if self.plan.sip_port:
            changes["sip_port"] = self.plan.sip_port
        if self.plan.softphone_password:
            changes["softphone_password"] = self.plan.softphone_password
        self.recordings_dir = self.plan.state_dir / "recordings"
        self.asterisk = Asterisk(settings_on_free_ports(**changes), recordings_dir=self.recordings_dir)
        self.ports = {service: self.plan.ports.get(service) or free_tcp_port() for service in SERVICES}
        self.parts = RunFolder("parts", Path("/dev/shm"))
        self.rtp_port = free_udp_port()
        self.database_url = f"sqlite:///{self.plan.state_dir / 'calls.sqlite'}"
        self.trees: dict[str, Path] = dict(self.plan.trees)
        """Where the code of a service lies when it is started next, if that is not here: an upgrade changes it."""
        self.services = {service: self._child(service) for service in self.plan.services}
        self.restarts: dict[str, int] = dict.fromkeys((*SERVICES, ASTERISK, REDIS), 0)
        """How often each process was started again because it died."""
        self.standbys = Standbys(self._child) if self.plan.standby else None
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

    @property
    def processes(self) -> dict[str, ChildProcess]:
        """Every process by its name."""
        asterisk = {ASTERISK: self.asterisk.process} if self._takes_calls else {}
        return {**self.services, **asterisk, REDIS: self.redis.process}

    @property
    def _takes_calls(self) -> bool:
        return "ari_controller" in self.services

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Starts everything. Raises ProcessFailed with the log of what did not come up; nothing is left then."""
        began = time.monotonic()
        if not any(PLAYED_PROMPTS.glob("*/*.wav")):
            raise ProcessFailed("no prompt is built, callers would hear nothing: run `bin/pronto prompts build`")
        try:
            self.plan.run_dir.mkdir(parents=True, exist_ok=True)
            self.parts.create()
            self.plan.state_dir.mkdir(parents=True, exist_ok=True)
            self.redis.start()
            for service in self.services:
                if service != "ari_controller":
                    self.services[service].start()
            if self._takes_calls:
                self.asterisk.start()
                progress(f"redis and asterisk are up ({time.monotonic() - began:.1f} s)")
                self.services["ari_controller"].start()
            for service in self.services:
                self.services[service].wait_until(lambda name=service: self.is_ready(name), READY_DEADLINE_S)  # type: ignore[misc]
                progress(f"{service} is ready ({time.monotonic() - began:.1f} s)")
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="stack-watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Ends every process, those that do not need each other at the same time; leaves nothing behind."""
        with self._restarting:
            self._stopped.set()
        if self.standbys:
            self.standbys.stop()
        ends: dict[str, Callable[[], object]] = {name: child.stop for name, child in self.services.items()}
        ends |= {ASTERISK: self.asterisk.stop, REDIS: self.redis.stop}
        with ThreadPoolExecutor(len(ends)) as pool:
            for tier in STOP_TIERS:
                for done in [pool.submit(ends[name]) for name in tier if name in ends]:
                    done.result()
        self.parts.remove()
        if self._watcher is not None:
            self._watcher.join()  # only now: a child ends with the thread that started it

    def restart(self, service: str) -> None:
        """Replaces a service without dropping a call; returns when its successor is ready. Raises ProcessFailed.

        The successor is started beside it, on the same ports, and takes over when it is ready. Two of them do not work
        side by side: a bot manager's successor waits, ready to go, for the lease of the cell, a receiver's for the port
        of RTP. Where the successor does not come up, the old one stays.
        Call it from a thread that outlives the service.
        """
        old, new = self.services[service], self._child(service)
        with self._restarting:  # from now on the watcher looks after the new one
            if self.standbys:
                self.standbys.give_up(service)  # its code is the old one's; it must not take the place of that
            new.start()
            self.services[service] = new
        try:
            if service in WAIT_FOR_THEIR_TURN:
                new.wait_until(lambda: self.is_ready(service, new.pid, "/health"), READY_DEADLINE_S)
                old.stop(STOP_GRACE_S)
            new.wait_until(lambda: self.is_ready(service, new.pid), READY_DEADLINE_S)
            old.stop(STOP_GRACE_S)
        except ProcessFailed:
            with self._restarting:
                if old.exit_status is None:  # nothing was taken from it yet
                    self.services[service] = old
                    new.stop(STOP_GRACE_S)
            raise
        finally:
            if self.standbys:
                self.standbys.want(service)

    def all_stand_by(self, deadline_s: float) -> bool:
        """Waits until a loaded process waits behind every service; False where there is one without. At once where
        nobody is to wait."""
        standbys = self.standbys
        return standbys is None or wait_for(lambda: all(map(standbys.is_waiting, self.services)), deadline_s)

    def is_ready(self, service: str, pid: int | None = None, path: str = "/ready") -> bool:
        """What the service's `/ready` says, that of process `pid` where two share the port; False without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[service], timeout=2.0)
        try:
            if pid is not None:
                # strangers are not told the process's number
                token = {**os.environ, **self.plan.settings}.get("PRONTO_TOKEN", "")
                connection.request("GET", "/health", headers=bearer(token))
                if json.loads(connection.getresponse().read()).get("pid") != pid:
                    return False
            connection.request("GET", path)  # the same connection: the same process
            return connection.getresponse().status == http.client.OK
        except (OSError, ValueError, http.client.HTTPException):
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

    def _child(self, service: str, waits: bool = False) -> ChildProcess:
        tree = self.trees.get(service, ROOT)
        with_standby = self.plan.standby and tree == ROOT  # another release may know nothing of it
        place = {"STANDBY_LOCK": str(self.plan.run_dir / f"{service}.lock"), "STANDBY": str(waits).lower()}
        environment = {
            "PRONTO_CELL": self.cell,
            **({"REDIS_URL": as_user(self.redis.url, REDIS_USERS[service])} if service in REDIS_USERS else {}),
            "ARI_URL": self.asterisk.ari_url,
            "ARI_USER": ARI_USER,
            "ARI_PASSWORD": self.asterisk.settings.ari_password,
            "ARI_APP": self.asterisk.settings.app,
            "RTP_HOST": "127.0.0.1",
            "RTP_IP": "127.0.0.1",
            "RTP_PORT": str(self.rtp_port),
            "RECORDINGS_DIR": str(self.recordings_dir),
            "DATABASE_URL": self.database_url,
            "BOOKING_DATABASE_URL": f"sqlite:///{self.plan.state_dir / 'booking.sqlite'}",
            "RECORDS_SPOOL_DIR": str(self.plan.state_dir / "records"),
            "WHISPER_URL": f"{self.url('whisper_service')}/whisper",
            "SPEECH_URL": self.url("speech_service"),
            "SPEECH_PARTS_DIR": str(self.parts.path),
            "INTENT_MAIN_URL": f"{self.url('intent_service')}/embedding_main/",
            "INTENT_FAQS_URL": f"{self.url('intent_service')}/embedding_faqs/",
            "INTENT_KNOWLEDGE_URL": f"{self.url('intent_service')}/knowledge/",
            "PYTHONPATH": str(tree),
            "PROMPTS_DIR": str(PLAYED_PROMPTS if service == "ari_controller" else ROOT / "audio_prompts"),
            "HF_HUB_OFFLINE": "1",
            "REUSE_PORT": "true",
            "BOT_DRAIN_S": "1",
            **(place if with_standby else {}),
            **(WHISPER_ALLOCATOR if service == "whisper_service" else {}),
            **{PORT_KEYS[name]: str(port) for name, port in self.ports.items()},
            **self.plan.settings,
        }
        command = [sys.executable, "-m", service]
        heart = Heart() if with_standby else None
        return ChildProcess(service, command, self.plan.run_dir / f"{service}.log", environment, tree, heart)

    def _watch(self) -> None:
        """Starts again what ended although nobody stopped it, or lets its standby take its place."""
        young: dict[str, int] = {}
        due: dict[str, float] = {}
        while not self._stopped.wait(WATCH_EVERY_S):
            if self.standbys:
                with self._restarting:
                    if not self._stopped.is_set():
                        self.standbys.look(self.services)
            for name, child in self.processes.items():
                if child.exit_status is None:
                    continue
                if name not in due:
                    young[name], pause_s = back_off(time.monotonic() - child.started_s, young.get(name, 0))
                    due[name] = time.monotonic() + pause_s
                    log.error("process ended", extra={"service": name, "status": child.exit_status})
                with self._restarting:
                    if self._stopped.is_set() or child.exit_status is None:
                        continue
                    if self.processes[name] is not child:
                        continue  # replaced meanwhile
                    if self.standbys and (waiting := self.standbys.promoted(name)):
                        self.services[name] = waiting
                    elif time.monotonic() < due[name]:
                        continue
                    else:
                        with contextlib.suppress(ProcessFailed):
                            child.start()
                    del due[name]
                    self.restarts[name] += 1
