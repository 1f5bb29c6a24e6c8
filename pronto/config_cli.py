"""`pronto config`: every setting with its key, default and meaning, as text or as the README's table."""

from __future__ import annotations

import argparse
from typing import Any

from config import table


def add_parser(subparsers: Any) -> None:
    """Adds `config`."""
    parser = subparsers.add_parser("config", help="print every setting with its default and meaning")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    rows = table()
    if args.markdown:
        print("| service | setting | default | meaning |\n|---|---|---|---|")
        for service, key, default, doc in rows:
            print(f"| {service} | `{key}` | `{default}` | {doc} |" if default else f"| {service} | `{key}` | | {doc} |")
        return 0
    service_before = ""
    for service, key, default, doc in rows:
        if service != service_before:
            print(f"\n{service}")
        service_before = service
        print(f"  {key:24} {default:28} {doc}")
    return 0
