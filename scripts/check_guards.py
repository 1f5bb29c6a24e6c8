"""Takes each guard of docs/security.md out of a copy of the repository and runs the test that is said to hold it.

    python scripts/check_guards.py [WORD]           only guards whose test or file has WORD in its name

0: every test failed without its guard. The table is tests/security/guards.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.security.guards import GUARDS, Guard  # noqa: E402

LIMIT_S = 120


def copy_of_the_repository(folder: Path) -> None:
    """What git has, with what setup made beside it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).suffix == ".bin":
            target.symlink_to(ROOT / name)
        elif (ROOT / name).is_file():
            shutil.copy(ROOT / name, target)
    for made in (".venv", ".pronto", "audio_prompts/.played"):
        (folder / made).symlink_to((ROOT / made).resolve())
    for wave in (ROOT / "audio_prompts").glob("*/*.wav"):
        (folder / wave.relative_to(ROOT)).symlink_to(wave)


def fails_without(guard: Guard, folder: Path) -> tuple[bool, str]:
    """Whether the guard's test fails in a copy without it, and the last line that pytest said."""
    file = folder / guard.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(guard.text, guard.without, 1), encoding="utf-8")
    # in a folder of its own: no cache of another run, no plugin of a test that is not asked for
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", guard.test]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        last = (done.stdout.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        # below 0: the process died, which is what some guards are against; a test that could not begin proves nothing
        return (done.returncode == 1 and " failed" in f" {last}") or done.returncode < 0, last
    except subprocess.TimeoutExpired:
        return True, f"no end within {LIMIT_S} s"
    finally:
        file.write_text(whole, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """The exit status."""
    chosen = [one for one in GUARDS if not arguments or arguments[0] in one.test or arguments[0] in one.file]
    held = 0
    with tempfile.TemporaryDirectory(prefix="pronto-guards-") as name:
        copy_of_the_repository(Path(name))
        for guard in chosen:
            began = time.monotonic()
            fails, last = fails_without(guard, Path(name))
            held += fails
            took_s = time.monotonic() - began
            print(f"{'ok  ' if fails else 'OPEN'} {took_s:5.1f} s  {guard.file}: {guard.test}  ({last})", flush=True)
    print(f"{held} of {len(chosen)} guards are held by their test")
    return 0 if held == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
