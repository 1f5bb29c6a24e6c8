"""`pronto up`: the whole stack on this machine, for a softphone, until Ctrl-C. SIGHUP replaces every service, one after
the other, without dropping a call."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, Literal

from config import STATE, BadSettings
from devstack.processes import ProcessFailed
from devstack.recogniser import settings_for_people
from devstack.shop_behind import with_shop
from devstack.stack import SERVICES, STACK_FILE, Stack, StackPlan

DEMO: Final = "the demo model: a closed list of phrases of synthetic voices, not people"


def add_parser(subparsers: Any) -> None:
    """Adds `up`."""
    parser = subparsers.add_parser("up", help="run the whole stack for a softphone until Ctrl-C")
    parser.add_argument("--sip-port", type=int, default=5060, help="UDP port of Asterisk (default 5060)")
    parser.add_argument("--adviser", default="", help="channel that rings at a hand-off, for example PJSIP/softphone")
    parser.add_argument(
        "--no-standby", action="store_true", help="save the memory of the processes that wait to take over"
    )


def run(args: argparse.Namespace) -> int:
    """Runs until SIGINT or SIGTERM."""
    password = softphone_password(STATE / "softphone.password")
    settings = settings_for_people(os.environ)
    plan = StackPlan(
        sip_port=args.sip_port,
        softphone_password=password,
        adviser=args.adviser,
        settings=settings,
        standby=not args.no_standby,
    )
    try:
        stack = Stack(with_shop(plan, os.environ))
    except (BadSettings, ProcessFailed) as error:
        print(f"pronto up: {error}", file=sys.stderr)
        return 2 if isinstance(error, BadSettings) else 1
    wanted: SimpleQueue[Literal["stop", "renew"]] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: wanted.put("stop"))
    signal.signal(signal.SIGHUP, lambda *_: wanted.put("renew"))
    try:
        stack.start(lambda line: print(f"[stack] {line}", flush=True))
        print(
            f"\nCall Pronto with a softphone:\n"
            f"  account   softphone   password {password}\n"
            f"  server    127.0.0.1:{stack.sip_port} (UDP)   codecs PCMU, PCMA, G.722\n"
            f"  dial      600 to talk to the bot, 900 for the adviser\n"
        )
        model = settings.get("WHISPER_MODEL") or os.environ.get("WHISPER_MODEL")
        print(f"Or call from a browser: {stack.url('browser_audio')}/call/call.html\n")
        print(f"It understands with {model or DEMO}.\n")
        for service in SERVICES:
            print(f"  {service:16} {stack.url(service)}  (/health /ready /metrics)")
        services = {service: stack.url(service) for service in SERVICES}
        STACK_FILE.write_text(json.dumps({"pid": os.getpid(), "services": services}), encoding="utf-8")
        print("\nCtrl-C ends it.", flush=True)
        while wanted.get() == "renew":
            for service in SERVICES:
                try:
                    stack.restart(service)
                    print(f"[stack] {service} is replaced", flush=True)
                except ProcessFailed as error:  # an edit that it refuses, say: live calls must not end for that
                    print(f"[stack] {service} is not replaced: {error}", file=sys.stderr, flush=True)
    except ProcessFailed as error:
        print(f"pronto up: {error}", file=sys.stderr)
        return 1
    finally:
        STACK_FILE.unlink(missing_ok=True)
        stack.stop()
    return 0


def softphone_password(path: Path) -> str:
    """The password of the softphone account: made once, kept readable by the owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
