"""`pronto drain SERVICE`: takes a service out of work and waits until what it had begun is finished.

The service goes on to run, not ready, until it is stopped or `--undo` makes it take work again. Exit status 0: it is
empty; 1: it was not within `--within` seconds, or did not answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from config import SERVICES, BadSettings, load
from devstack.stack import PORT_KEYS, STACK_FILE
from pronto.asking import ask

HOST_KEYS = {key: key.replace("_PORT", "_HOST") for key in PORT_KEYS.values()}
LOOK_S = 0.5


def add_parser(subparsers: Any) -> None:
    """Adds `drain`."""
    parser = subparsers.add_parser("drain", help="take a service out of work, wait until it is empty")
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--url", default="", help="its HTTP server (default: of `pronto up`, else of the settings)")
    parser.add_argument("--within", type=float, default=600.0, metavar="SECONDS", help="longest wait (default 600)")
    parser.add_argument("--undo", action="store_true", help="take work again")


def run(args: argparse.Namespace) -> int:
    """Prints how much is left whenever that changes."""
    try:
        url = (args.url or url_of(args.service)).rstrip("/") + "/drain"
        status = _ask("DELETE" if args.undo else "POST", url)
        if args.undo:
            print(f"{args.service} takes work again")
            return 0
        return wait(args.service, url, status, args.within)
    except (OSError, ValueError, BadSettings) as error:
        print(f"pronto drain: {args.service}: {error}", file=sys.stderr)
        return 1


def wait(service: str, url: str, status: dict[str, Any], within_s: float) -> int:
    """Follows the draining to its end."""
    ends_s = time.monotonic() + within_s
    left: object = None
    while True:
        if status["left"] != left:
            left = status["left"]
            print(f"{service} drains: {left} left" if left else f"{service} is empty and takes no new work", flush=True)
        if not left:
            return 0
        if time.monotonic() > ends_s:
            print(f"pronto drain: {service}: {left} left after {within_s:g} s", file=sys.stderr)
            return 1
        time.sleep(LOOK_S)
        status = _ask("GET", url)


def url_of(service: str) -> str:
    """The service of the stack that runs on this machine, else where the settings say. Raises BadSettings."""
    if STACK_FILE.exists():
        return str(json.loads(STACK_FILE.read_text(encoding="utf-8"))["services"][service])
    settings = load(SERVICES[service], {"ARI_PASSWORD": "-", **os.environ})
    key = PORT_KEYS[service]
    host, port = getattr(settings, HOST_KEYS[key].lower()), getattr(settings, key.lower())
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ask(method: str, url: str) -> dict[str, Any]:
    """The status. Raises OSError or ValueError."""
    status = ask(method, url, os.environ.get("PRONTO_TOKEN", ""))
    if not isinstance(status, dict) or "left" not in status:
        raise ValueError(f"{url} answers without a status")
    return status
