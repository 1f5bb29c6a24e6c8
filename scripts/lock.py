"""Turns the extras of pyproject.toml into locks/: a file per extra, every package at its exact version with its hashes.

    python scripts/lock.py [--upgrade]          what `make lock` runs; --upgrade also raises what the extras do not pin

All files agree with each other: the extra `all` holds everything and is resolved first, the others are parts of it. A
lock is for every Python that pyproject.toml names and says nothing of where packages come from.

torch stands apart, in locks/torch.txt, by version and without a hash: its builds for a processor and for each CUDA are
different files of one version, and which of them is wanted and to be had differs from machine to machine. What torch
needs is locked like the rest; the CUDA libraries that come with its CUDA builds are not.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
EVERYTHING = "all"
_NOT_LOCKED = re.compile(r"torch|triton|(nvidia|cuda)-.*|pip")
"""Packages that locks/torch.txt stands for, and the one that installs them all."""
_ENVIRONMENTS = [
    {"sys_platform": "linux", "platform_machine": machine, "python_version": full[:4], "python_full_version": full}
    for machine in ("x86_64", "aarch64")
    for full in ("3.11.2", "3.11.9", "3.12.9", "3.13.9", "3.14.2")
]
"""What a marker is asked about; 3.11.2 is Debian 12's and lacks what 3.11.3 brought."""
HEADER = "# Made by `make lock` from the extra `{extra}` of pyproject.toml. {what}\n"


def main(arguments: list[str]) -> int:
    """The exit status."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    LOCKS.mkdir(exist_ok=True)
    entries = resolved(EVERYTHING, arguments, None)
    write(EVERYTHING, entries)
    for extra in sorted(set(extras) - {EVERYTHING}):
        write(extra, resolved(extra, [], LOCKS / f"{EVERYTHING}.txt"))
    [torch] = {line for lines in extras.values() for line in lines if line.startswith("torch==")}
    what = "By version alone: see scripts/lock.py."
    (LOCKS / "torch.txt").write_text(f"{HEADER.format(extra='intent-train', what=what)}{torch}\n", "utf-8")
    return 0


def resolved(extra: str, arguments: list[str], within: Path | None) -> list[str]:
    """The entries of an extra's lock, versions taken from `within` or else from the lock that is there."""
    print(f"[lock] {extra} ...", flush=True)
    output = LOCKS / f"{extra}.txt"
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--no-annotate", "--no-header", "--extra", extra, "--output-file", str(output)),
        *(("--constraints", str(within)) if within else ()),
        *(*arguments, "pyproject.toml"),
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    return entries_of(output.read_text("utf-8"))


def entries_of(text: str) -> list[str]:
    """`name==version ... --hash=...` of every package that is locked; a package's lines stay together."""
    entries = re.findall(r"^[A-Za-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
    return [plain(entry) for entry in entries if not _NOT_LOCKED.fullmatch(re.split(r"[=\s]", entry)[0])]


def plain(entry: str) -> str:
    """The entry with the shortest part of its marker that says the same wherever Pronto runs; mostly none."""
    first, *hashes = entry.split(" \\\n")
    pin, _, marker = first.partition(" ; ")
    kept = next((part for part in ("", marker.partition(" and (")[0]) if _same(part, marker)), marker)
    return " \\\n".join([f"{pin} ; {kept}" if kept else pin, *hashes])


def _same(one: str, other: str) -> bool:
    def answers(marker: str) -> list[bool]:
        return [not marker or Marker(marker).evaluate(environment) for environment in _ENVIRONMENTS]

    return answers(one) == answers(other)


def write(extra: str, entries: list[str]) -> None:
    """Writes the lock of one extra."""
    header = HEADER.format(extra=extra, what="Install it with --require-hashes and --no-deps.")
    (LOCKS / f"{extra}.txt").write_text(header + "".join(f"{entry}\n" for entry in entries), "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
