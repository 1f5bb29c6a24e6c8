"""A real Asterisk of our own: configured, started, answering SIP and ARI, and stopped without a trace.

asterisk = Asterisk(AsteriskSettings(sip_port=5060, http_port=8088, ari_password=..., softphone_password=...))
asterisk.start()
...
asterisk.stop()
"""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import secrets
import socket
from pathlib import Path
from typing import Any

from callers.sip_message import options_request
from config import ROOT, STATE
from devstack.asterisk_config import AsteriskSettings, folders, local_files
from devstack.processes import ChildProcess, ProcessFailed, free_tcp_port, free_udp_port
from devstack.run_folder import RunFolder

READY_DEADLINE_S = 30.0
STOP_GRACE_S = 10.0
ARI_USER = "pronto"


def settings_on_free_ports(**changes: Any) -> AsteriskSettings:
    """Settings with ports that are free now and new passwords; `changes` are fields of AsteriskSettings."""
    # Several Asterisk on one machine draw from different thousands of ports; where they meet, Asterisk takes the next.
    sip_port = free_udp_port()
    first_rtp_port = 10_000 + sip_port % 20 * 1_000
    settings = AsteriskSettings(
        sip_port=sip_port,
        http_port=free_tcp_port(),
        ari_password=secrets.token_urlsafe(24),
        softphone_password=secrets.token_urlsafe(12),
        rtp_ports=(first_rtp_port, first_rtp_port + 999),
    )
    return dataclasses.replace(settings, **changes)


class Asterisk:
    """One Asterisk. `settings` says where it listens; `run_dir` holds its configuration, log and recordings."""

    def __init__(
        self,
        settings: AsteriskSettings,
        recordings_dir: Path | None = None,
        state_dir: Path = STATE,
        deployed_dir: Path = ROOT / "asterisk_conf",
    ):
        """`recordings_dir`: where recordings shall lie; by default in the run folder, gone with it. `state_dir` holds
        the program (asterisk/bin/asterisk and so on, see scripts/fetch_packages.sh), `deployed_dir` the
        configuration."""
        self.settings = settings
        self.ari_url = f"http://127.0.0.1:{settings.http_port}"
        self._folder = RunFolder("ast")
        self.run_dir = self._folder.path
        self.recordings_dir = recordings_dir or self.run_dir / "spool" / "recording"
        self._program = state_dir / "asterisk"
        self._deployed = deployed_dir
        self.process = ChildProcess(
            "asterisk",
            [str(self._program / "bin" / "asterisk"), "-C", str(self.run_dir / "etc" / "asterisk.conf"), "-f"],
            self.run_dir / "console.log",
        )

    def start(self) -> None:
        """Returns when ARI and SIP answer. Raises ProcessFailed with the log; nothing is left then."""
        try:
            self._folder.create()
            self._write_files()
            self.process.start()
            self.process.wait_until(self._is_ready, READY_DEADLINE_S)
        except ProcessFailed as failure:
            log = self.log()
            self.stop(grace_s=0.5)  # while it starts, Asterisk does not listen to SIGTERM
            raise ProcessFailed(f"{failure}\n{log}") from None
        except BaseException:
            self.stop()
            raise

    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Ends the process, with the calls that it has, and removes the run folder."""
        self.process.stop(grace_s)
        self._folder.remove()

    def log(self) -> str:
        """Warnings and errors since the start; empty when there were none."""
        messages = self.run_dir / "log" / "messages"
        return messages.read_text(encoding="utf-8", errors="replace") if messages.exists() else ""

    def get(self, path: str) -> Any:
        """The JSON answer of GET /ari/`path`. For checks and start-up; the controller has its own client.
        Raises OSError when nobody answers, ProcessFailed for any status but 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port, timeout=2.0)
        token = base64.b64encode(f"{ARI_USER}:{self.settings.ari_password}".encode()).decode()
        try:
            connection.request("GET", f"/ari/{path}", headers={"Authorization": f"Basic {token}"})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ProcessFailed(f"GET /ari/{path}: HTTP {answer.status} {body.decode(errors='replace')}")
        return json.loads(body)

    def _write_files(self) -> None:
        for folder in folders(self.run_dir).values():
            Path(folder).mkdir(parents=True, exist_ok=True)
        self.recordings_dir.mkdir(parents=True, exist_ok=True)
        in_spool = self.run_dir / "spool" / "recording"
        if self.recordings_dir != in_spool:
            in_spool.symlink_to(self.recordings_dir.resolve())
        deployed = {path.name: path.read_text(encoding="utf-8") for path in self._deployed.glob("*.conf")}
        modules, data = self._program / "modules", self._program / "data"
        for name, text in local_files(deployed, self.settings, self.run_dir, modules, data).items():
            path = self.run_dir / "etc" / name
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")

    def _is_ready(self) -> bool:
        # Asterisk goes on without a port it cannot have, and whoever has it may well answer in its place.
        if "Address already in use" in self.log():
            raise ProcessFailed("asterisk: a port is in use already")
        return self._ari_answers() and self._sip_answers()

    def _ari_answers(self) -> bool:
        try:
            return bool(self.get("asterisk/ping").get("ping") == "pong")
        except (OSError, http.client.HTTPException, ProcessFailed):
            # 401, 404 and the like while modules are loading; what stays wrong runs into the deadline and shows the log
            return False

    def _sip_answers(self) -> bool:
        address = (self.settings.address, self.settings.sip_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.5)
            try:
                probe.connect(address)
                probe.send(options_request(address, probe.getsockname()))
                return probe.recv(4096).startswith(b"SIP/2.0 ")
            except OSError:
                return False
