"""`make unit` shares the tests out so that what starts a whole stack is started once."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.search(r"\.venv/bin/pytest (.*) \$\(ARGS\)", (ROOT / "Makefile").read_text())


def test_whole_stacks_run_in_one_process_and_every_file_in_one() -> None:
    assert COMMAND is not None
    options = COMMAND[1].replace("$(WORKERS)", "3").split()
    files = ["tests/test_names.py", "tests/test_imports.py", "tests/test_config.py", "tests/protocol/test_version_1.py"]
    command = [sys.executable, "-m", "pytest", *options, "-v", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    ran = re.findall(r"^\[(gw\d)\].* PASSED (tests/[\w/]+\.py)", done.stdout, re.MULTILINE)
    workers: dict[str, set[str]] = {}
    for worker, file in ran:
        workers.setdefault("stacks" if file.count("/") == 1 else file, set()).add(worker)
    assert len(ran) > 20, done.stdout + done.stderr
    assert all(len(found) == 1 for found in workers.values()), workers
