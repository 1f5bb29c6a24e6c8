"""`pronto up`: the whole stack on this machine, for a softphone, until Ctrl-C."""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from config import STATE
from pronto.processes import ProcessFailed
from pronto.stack import SERVICES, Stack, StackPlan


def add_parser(subparsers: Any) -> None:
    """Adds `up`."""
    parser = subparsers.add_parser("up", help="run the whole stack for a softphone until Ctrl-C")
    parser.add_argument("--sip-port", type=int, default=5060, help="UDP port of Asterisk (default 5060)")
    parser.add_argument("--adviser", default="", help="channel that rings at a hand-off, for example PJSIP/softphone")


def run(args: argparse.Namespace) -> int:
    """Runs until SIGINT or SIGTERM."""
    password = softphone_password(STATE / "softphone.password")
    stack = Stack(StackPlan(sip_port=args.sip_port, softphone_password=password, adviser=args.adviser))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        stack.start(lambda line: print(f"[stack] {line}", flush=True))
        print(
            f"\nCall Pronto with a softphone:\n"
            f"  account   softphone   password {password}\n"
            f"  server    127.0.0.1:{stack.sip_port} (UDP)   codecs PCMU, PCMA, G.722\n"
            f"  dial      600 to talk to the bot, 900 for the adviser\n"
        )
        for service in SERVICES:
            print(f"  {service:16} {stack.url(service)}  (/health /ready /metrics)")
        print("\nCtrl-C ends it.", flush=True)
        stop.wait()
    except ProcessFailed as error:
        print(f"pronto up: {error}", file=sys.stderr)
        return 1
    finally:
        stack.stop()
    return 0


def softphone_password(path: Path) -> str:
    """The password of the softphone account: made once, kept readable by the owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
