"""Every alert fires when it should and not when all is well, and one of them really reaches somebody."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot_manager import metrics
from config import ROOT, STATE
from devstack.processes import ChildProcess, free_tcp_port, wait_for
from observability.drain import Drain
from observability.endpoints import ServiceReport
from observability.http import serve

RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
ALERTS = {rule["alert"]: rule for rule in RULES}
CELL = 'cell="c1"'
BOT = f'{CELL},job="pronto",service="bot_manager"'

CASES: dict[str, tuple[dict[str, str], str, dict[str, str]]] = {
    "ServiceDown": ({f"up{{{BOT}}}": "0x60"}, "5m", {"job": "pronto", "service": "bot_manager"}),
    "AriDisconnected": ({f"pronto_ari_connected{{{CELL}}}": "0x60"}, "5m", {}),
    "CallsHandedOverWithApology": (
        {f'pronto_apologies_total{{{CELL},reason="bot_away"}}': "0+1x60"}, "10m", {"reason": "bot_away"},
    ),
    "CallTaskCrashed": ({f"pronto_call_crashes_total{{{CELL}}}": "0x5 1x60"}, "8m", {}),
    "SlowAnswers": (
        {
            f'pronto_turn_stage_seconds_bucket{{{CELL},stage="answer",le="1.2"}}': "0+1x60",
            f'pronto_turn_stage_seconds_bucket{{{CELL},stage="answer",le="1.6"}}': "0+10x60",
            f'pronto_turn_stage_seconds_bucket{{{CELL},stage="answer",le="+Inf"}}': "0+10x60",
        },
        "20m", {},
    ),
    "CallersRefused": (
        {f'pronto_calls_refused_total{{{CELL},how="busy_prompt"}}': "0x5 1x60"}, "8m", {"how": "busy_prompt"},
    ),
    "TextUnanswered": (
        {f'pronto_text_requests_total{{{CELL},endpoint="query",outcome="model_timeout"}}': "0+1x60"}, "12m", {},
    ),
    "HandoverNotTaken": (
        {f'pronto_text_handover_posts_total{{{CELL},outcome="failed"}}': "0+1x60"}, "12m", {"outcome": "failed"},
    ),
    "TextSocketsFull": (
        {f'pronto_text_requests_total{{{CELL},endpoint="ws",outcome="too_many_sockets"}}': "0x5 1x60"}, "8m",
        {"endpoint": "ws", "outcome": "too_many_sockets"},
    ),
    "StillDraining": ({f"pronto_draining{{{CELL}}}": "1x90"}, "60m", {}),
    "AudioLost": ({f"pronto_audio_lost_total{{{CELL}}}": "0+1x60"}, "10m", {}),
    "PlaybacksFail": ({f'pronto_playbacks_total{{{CELL},state="failed"}}': "0+1x60"}, "10m", {"state": "failed"}),
    "SpeechUnsaid": ({f"pronto_speech_unsaid_total{{{CELL}}}": "0+1x60"}, "10m", {}),
    "SpeechFirstLate": (
        {
            f'pronto_speech_item_first_seconds_bucket{{{CELL},le="0.5"}}': "0+5x60",
            f'pronto_speech_item_first_seconds_bucket{{{CELL},le="1.0"}}': "0+10x60",
            f'pronto_speech_item_first_seconds_bucket{{{CELL},le="+Inf"}}': "0+10x60",
        },
        "20m",
        {},
    ),
    "OrphansSwept": ({f'pronto_orphans_swept_total{{{CELL},type="snoop"}}': "0+1x60"}, "20m", {"type": "snoop"}),
    "OutboxWaits": ({f"pronto_outbox_waiting{{{CELL}}}": "200x60"}, "5m", {}),
    "MessagesLost": ({f"pronto_outbox_dropped{{{CELL}}}": "0x5 3x60"}, "8m", {}),
    "CallRecordsWait": ({f"pronto_call_records_waiting{{{CELL}}}": "2000x60"}, "10m", {}),
    "WebhooksWait": ({f"pronto_webhooks_oldest_seconds{{{CELL}}}": "0+60x60"}, "45m", {}),
    "WebhooksGivenUp": ({f"pronto_webhooks_dead{{{CELL}}}": "0x5 2x60"}, "8m", {}),
    "CallRecordsLost": ({f"pronto_call_records_dropped_total{{{CELL}}}": "0x5 1x60"}, "10m", {}),
    "ServiceNotReady": ({f'pronto_ready{{{CELL},service="bot_manager"}}': "0x60"}, "5m", {"service": "bot_manager"}),
    "ServiceRestarts": (
        {f"process_start_time_seconds{{{BOT}}}": "1000+60x60"}, "10m", {"job": "pronto", "service": "bot_manager"},
    ),
    "RecognitionFails": (
        {
            f'pronto_whisper_posts_total{{{CELL},outcome="text"}}': "0+10x60",
            f'pronto_whisper_posts_total{{{CELL},outcome="timeout"}}': "0+1x60",
        },
        "10m", {},
    ),
    "WhisperErrors": (
        {f'pronto_whisper_requests_total{{{CELL},service="w",instance="w:8080",outcome="error"}}': "0+2x60"},
        "10m", {"service": "w", "instance": "w:8080"},
    ),
    "IntentServiceFails": (
        {f'pronto_intent_requests_total{{{CELL},set="main",result="api_request_error"}}': "0+1x60"}, "10m", {},
    ),
    "StrayEvents": ({f'pronto_stray_events_total{{{CELL},type="DtmfReceived"}}': "0+3x60"}, "20m", {}),
    "CallsNotResumed": ({f"pronto_calls_not_resumed_total{{{CELL}}}": "0x5 1x60"}, "8m", {}),
    "StateNotStored": (
        {
            f'pronto_state_failures_total{{{CELL},what="snapshot"}}': "0+0.5x60",
            f"pronto_snapshot_failures_total{{{CELL}}}": "0+0.5x60",
        },
        "10m", {},
    ),
    "CallersWait": ({f"pronto_hold_prompts_total{{{CELL}}}": "0+1x60"}, "10m", {}),
    "MediaLegsFail": ({f'pronto_media_failures_total{{{CELL},leg="snoop"}}': "0+1x60"}, "15m", {"leg": "snoop"}),
    "AriFails": (
        {f'pronto_ari_errors_total{{{CELL},request="play",status="500"}}': "0+2x60"}, "10m", {"request": "play"},
    ),
    "ControllerReplaced": ({f"pronto_ari_replaced_total{{{CELL}}}": "0x5 1x60"}, "8m", {}),
    "DetectorLate": (
        {f"pronto_vad_late_chunks_total{{{CELL}}}": "0+600x60", f"pronto_active_streams{{{CELL}}}": "20x60"}, "10m", {},
    ),
    "PacketsDropped": (
        {f'pronto_rtp_dropped_total{{{CELL},reason="kernel_buffer_full"}}': "0x5 9x60"}, "8m",
        {"reason": "kernel_buffer_full"},
    ),
    "MalformedMessages": ({f"pronto_malformed_messages{{{CELL}}}": "0x5 1x60"}, "8m", {}),
    "CallRecordsRetried": ({f"pronto_call_records_retried_total{{{CELL}}}": "0+1x60"}, "15m", {}),
    "FilesRefused": ({f"pronto_flow_faults{{{CELL}}}": "2x60"}, "5m", {}),
    "PhrasesRefused": ({f'pronto_intent_reloads{{{CELL},result="refused"}}': "0x5 1x60"}, "8m", {"result": "refused"}),
}  # fmt: skip
"""Alert -> series that make it fire, when it is looked at, and the labels that it has beside cell and severity."""
QUIET = {
    f"up{{{BOT}}}": "1x60",
    f"pronto_ari_connected{{{CELL}}}": "1x60",
    f'pronto_ready{{{CELL},service="bot_manager"}}': "1x60",
    f"process_start_time_seconds{{{BOT}}}": "1000x20 2000x40",  # one restart
    f'pronto_apologies_total{{{CELL},reason="bug"}}': "1x60",
    f"pronto_call_crashes_total{{{CELL}}}": "3x60",
    f'pronto_turn_stage_seconds_bucket{{{CELL},stage="answer",le="1.2"}}': "0+10x60",
    f'pronto_turn_stage_seconds_bucket{{{CELL},stage="answer",le="+Inf"}}': "0+10x60",
    f'pronto_whisper_posts_total{{{CELL},outcome="text"}}': "0+100x60",
    f'pronto_whisper_posts_total{{{CELL},outcome="cancelled"}}': "0+100x60",
    f'pronto_whisper_posts_total{{{CELL},outcome="timeout"}}': "0+1x60",  # one in two hundred
    f'pronto_intent_requests_total{{{CELL},set="main",result="ok"}}': "0+100x60",
    f'pronto_playbacks_total{{{CELL},state="finished"}}': "0+100x60",
    f"pronto_outbox_waiting{{{CELL}}}": "3x60",
    f"pronto_flow_faults{{{CELL}}}": "0x60",
    f"pronto_webhooks_oldest_seconds{{{CELL}}}": "600x60",
    f"pronto_webhooks_dead{{{CELL}}}": "0x60",
    f'pronto_ari_errors_total{{{CELL},request="stop_playback",status="404"}}': "0+9x60",
    f"pronto_vad_late_chunks_total{{{CELL}}}": "0+1x60",
    f"pronto_active_streams{{{CELL}}}": "20x60",
}


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of prometheus, promtool and prometheus-alertmanager."""
    subprocess.run(["sh", str(ROOT / "scripts" / "fetch_packages.sh"), "monitoring"], check=True)
    return STATE / "monitoring" / "bin"


def rendered(alert: str, labels: dict[str, str], value: str = "2") -> dict[str, str]:
    """The annotations as Prometheus writes them."""
    annotations = {
        key: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text).replace("{{ $value }}", value)
        for key, text in ALERTS[alert]["annotations"].items()
    }
    return dict(annotations.items())


def test_every_alert_has_a_case() -> None:
    assert set(CASES) == set(ALERTS)
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}
    assert all({"summary", "effect"} == set(rule["annotations"]) for rule in RULES)


def test_each_alert_fires_when_it_should_with_its_cell_and_else_none(programs: Path, tmp_path: Path) -> None:
    cases: list[dict[str, Any]] = []
    for alert, (series, at, labels) in CASES.items():
        labels = {"cell": "c1", **labels}
        expected = {
            "exp_labels": {**labels, "severity": ALERTS[alert]["labels"]["severity"]},
            "exp_annotations": rendered(alert, labels),
        }
        cases.append(
            {
                "name": alert,
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": [expected]}],
            }
        )
    cases.append(
        {
            "name": "quiet",
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in QUIET.items()],
            "alert_rule_test": [{"eval_time": "50m", "alertname": alert, "exp_alerts": []} for alert in ALERTS],
        }
    )
    text = {"rule_files": [str(ROOT / "deploy/prometheus/alerts.yml")], "evaluation_interval": "15s", "tests": cases}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(text))
    done = subprocess.run(
        [programs / "promtool", "test", "rules", tmp_path / "tests.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
async def told() -> AsyncIterator[tuple[str, asyncio.Queue[dict[str, Any]]]]:
    """A local receiver of alerts: its address, and what it was sent."""
    alerts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        alerts.put_nowait(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/alerts", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_tcp_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}/alerts?key=it's", alerts
    await runner.cleanup()


async def test_a_crash_in_a_service_reaches_a_receiver_through_prometheus_and_alertmanager(
    programs: Path, tmp_path: Path, told: tuple[str, asyncio.Queue[dict[str, Any]]]
) -> None:
    address, alerts = told
    token, service_port, alertmanager_port = "a-token-for-this-test", free_tcp_port(), free_tcp_port()
    (tmp_path / "pronto_token").write_text(token)
    here = tmp_path / "prometheus"
    here.mkdir()
    # as deployed, but for the places and a shorter wait between looks
    text = (ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8")
    for old, new in (
        ("scrape_interval: 10s, evaluation_interval: 10s", "scrape_interval: 500ms, evaluation_interval: 500ms"),
        ("/run/secrets/pronto_token", str(tmp_path / "pronto_token")),
        ("127.0.0.1:9093", f"127.0.0.1:{alertmanager_port}"),
        ("127.0.0.1:8083", f"127.0.0.1:{service_port}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (here / "prometheus.yml").write_text(text)
    (here / "alerts.yml").write_text((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "PRONTO_CELL": "paris-1", "HERE": str(here), "CONF": str(tmp_path),
    }  # fmt: skip
    start = ROOT / "deploy"
    alertmanager = ChildProcess(
        "alertmanager",
        ["sh", str(start / "alertmanager" / "start.sh"), f"--web.listen-address=127.0.0.1:{alertmanager_port}",
         f"--storage.path={tmp_path / 'silences'}"],
        tmp_path / "alertmanager.log",
        environment | {
            "ALERTMANAGER": "prometheus-alertmanager", "ALERT_WEBHOOK_URL": address,
            "CONF": str(tmp_path / "alertmanager.yml"),
        },
    )  # fmt: skip
    prometheus = ChildProcess(
        "prometheus",
        ["sh", str(start / "prometheus" / "start.sh"), f"--web.listen-address=127.0.0.1:{free_tcp_port()}",
         f"--storage.tsdb.path={tmp_path / 'data'}"],
        tmp_path / "prometheus.log",
        environment,
    )  # fmt: skip
    report = ServiceReport(lambda: {}, lambda: (True, ""), Drain(lambda: 0))
    server = await serve(report, "127.0.0.1", service_port, token)
    try:
        alertmanager.start()
        is_up = await asyncio.to_thread(wait_for, lambda: is_listening(alertmanager_port), 30.0)
        assert is_up, alertmanager.log_path.read_text()
        prometheus.start()
        crashes = asyncio.create_task(_crash_now_and_then())
        async with asyncio.timeout(60):
            while (message := await alerts.get())["commonLabels"].get("alertname") != "CallTaskCrashed":
                pass
        crashes.cancel()
        [alert] = message["alerts"]
        assert alert["labels"]["cell"] == "paris-1"
        assert alert["labels"]["service"] == "bot_manager"
        assert alert["annotations"]["effect"] == "one caller heard the apology and was handed over"
        assert token not in json.dumps(message)
    finally:
        await asyncio.to_thread(prometheus.stop)
        await asyncio.to_thread(alertmanager.stop)
        await server.stop()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _crash_now_and_then() -> None:
    """A counter that was never seen lower cannot be told to have grown."""
    while True:
        metrics.CALL_CRASHES.inc()
        await asyncio.sleep(1.0)


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "set ALERT_WEBHOOK_URL or ALERT_EMAIL_TO: alerts would reach nobody"),
        ({"ALERT_EMAIL_TO": "x@example.org"}, "needs ALERT_EMAIL_FROM and ALERT_SMARTHOST"),
        ({"ALERT_WEBHOOK_URL": "http://x\n- y"}, "more than one line"),
    ],
)
def test_alertmanager_does_not_start_where_alerts_would_reach_nobody(
    environment: dict[str, str], reason: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["sh", str(ROOT / "deploy/alertmanager/start.sh")],
        env={"PATH": os.environ["PATH"], "CONF": str(tmp_path / "x.yml"), "ALERTMANAGER": "false", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert reason in done.stderr


def test_mail_needs_no_more_than_its_settings(programs: Path, tmp_path: Path) -> None:
    conf = tmp_path / "alertmanager.yml"
    environment = {
        "ALERT_EMAIL_TO": "on-call@example.org", "ALERT_EMAIL_FROM": "pronto@example.org",
        "ALERT_SMARTHOST": "mail.example.org:587", "ALERT_SMTP_USER": "o'brien", "ALERT_SMTP_PASSWORD": "it's: #1",
    }  # fmt: skip
    subprocess.run(
        ["sh", str(ROOT / "deploy/alertmanager/start.sh")],
        env={"PATH": os.environ["PATH"], "CONF": str(conf), "ALERTMANAGER": "true", **environment},
        check=True,
    )
    written = yaml.safe_load(conf.read_text())
    [mail] = written["receivers"][0]["email_configs"]
    assert (mail["to"], mail["auth_username"], mail["auth_password"]) == ("on-call@example.org", "o'brien", "it's: #1")
    assert conf.stat().st_mode & 0o077 == 0
