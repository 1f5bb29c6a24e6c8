"""Compiles the C files of this folder: `python -m compiled.build`. Without a compiler it says so and ends well.

Any C compiler that knows GCC's extensions does: $CC, cc, gcc or clang. Where the machine lets a program choose, the
functions that matter are made for several kinds of processor: an image runs well on a machine that did not build it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from compiled.library import FOLDER, library_path, sources

FLAGS = ("-O3", "-std=gnu11", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")
LAST_RESORT = ("-DONE_KIND",)
"""For a compiler that cannot make a function for several kinds of processor: half as fast, still ahead of Python."""
LONGEST_S = 120.0


def compilers() -> list[list[str]]:
    """Commands that may compile, the preferred one first."""
    chosen = [shlex.split(os.environ["CC"])] if os.environ.get("CC") else []
    return chosen + [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]


def build(target: Path) -> str:
    """Compiles to `target` in one step, so that nobody loads half a file; what went wrong, empty when nothing did."""
    problem = "no C compiler"
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    for more in ((), LAST_RESORT):
        for command in compilers():
            problem = _compile([*command, *FLAGS, *more, *map(str, sources()), "-o", str(unfinished), "-lm"])
            if not problem:
                unfinished.replace(target)
                return ""
    unfinished.unlink(missing_ok=True)
    return problem


def _compile(call: list[str]) -> str:
    try:
        done = subprocess.run(call, capture_output=True, text=True, errors="replace", timeout=LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:300]
    return f"{call[0]}: {done.stderr[-300:] or done.returncode}" if done.returncode else ""


def main() -> int:
    """Builds what is not there yet and removes what older sources left."""
    target = library_path()
    for old in FOLDER.glob("pronto-*.so"):
        if old != target:
            old.unlink()
    if target.exists():
        return 0
    problem = build(target)
    if problem:
        print(f"[compiled] not built ({problem}): Python does its work, at twice the cost per call", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
