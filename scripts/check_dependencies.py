"""Asks the advisory services whether a pinned package has a known vulnerability, with pip-audit.

    python scripts/check_dependencies.py            0: none known, or nobody could be asked (which is said); 1: found

Where no service is within reach (a mirror without PyPI's JSON, no network) nothing is known: that is said in one line
and is no failure, so that a build without a network passes and one with a network does not pass with a vulnerability.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("all", "torch")
"""The files of locks/ that hold every package."""
SERVICES = ("pypi", "osv")
DEADLINE_S = 300


def pins() -> list[str]:
    """`name==version`, with its marker, of every locked package; without hashes, which torch has not."""
    text = "".join((ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8") for name in LOCKS)
    return [match[1] for match in re.finditer(r"^([\w.-]+==.*?) ?\\?$", text, re.MULTILINE)]


def asked(service: str) -> dict[str, Any] | str:
    """pip-audit's report on the locked packages, or why there is none."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write("\n".join(pins()))
        wanted.flush()
        command = [
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--timeout", "10"),
            *("--format", "json", "--progress-spinner", "off", "--disable-pip", "--no-deps"),
            *("--requirement", wanted.name),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        except subprocess.TimeoutExpired:
            return f"no answer within {DEADLINE_S} s"
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1][:200]
    return report


def judged(report: dict[str, Any]) -> tuple[list[str], int, int]:
    """(a line per vulnerability, packages that were looked up, packages that the service does not know)."""
    packages = report.get("dependencies", [])
    known = [one for one in packages if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {fault['id']}" + (f", fixed in {', '.join(fixes)}" if fixes else "")
        for one in known
        for fault in one.get("vulns", [])
        for fixes in [fault.get("fix_versions", [])]
    ]
    return lines, len(known), len(packages) - len(known)


def main() -> int:
    """The exit status."""
    reasons = []
    for service in SERVICES:
        report = asked(service)
        if isinstance(report, str):
            reasons.append(f"{service}: {report}")
            continue
        lines, looked_up, unknown = judged(report)
        if not looked_up:
            reasons.append(f"{service}: knows none of the {unknown} packages")
            continue
        for line in lines:
            print(line, file=sys.stderr)
        print(f"dependencies: {looked_up} looked up at {service}, {unknown} unknown, {len(lines)} vulnerabilities")
        return 1 if lines else 0
    print(f"dependencies: NOT CHECKED, no advisory service is within reach ({'; '.join(reasons)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
