"""Children are waited for, told about when they fail, stopped, and gone when we are."""

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.processes import ChildProcess, ProcessFailed, wait_for

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)
PARENT = """
import sys, time
from pathlib import Path
from devstack.processes import ChildProcess
child = ChildProcess("child", ["sleep", "60"], Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
sys.stdin.read()
"""


def python(code: str, log: Path, **environment: str) -> ChildProcess:
    return ChildProcess("child", [sys.executable, "-c", code], log, environment)


def test_a_child_runs_with_our_environment_and_its_own(tmp_path: Path) -> None:
    child = python(
        "import os; print(os.environ['PATH'] != '', os.environ['OWN'])", tmp_path / "logs" / "log", OWN="yes"
    )
    child.start()
    assert wait_for(lambda: child.exit_status is not None, 20)
    assert (child.stop(), child.log_tail()) == (0, "True yes")


def test_a_child_that_ends_too_early_is_told_with_its_log(tmp_path: Path) -> None:
    child = python("raise SystemExit('no such port')", tmp_path / "log")
    child.start()
    with pytest.raises(ProcessFailed, match=r"status 1 while starting\nno such port"):
        child.wait_until(lambda: False, 20)


def test_a_child_that_is_never_ready_is_told_after_the_deadline(tmp_path: Path) -> None:
    child = ChildProcess("sleeper", ["sleep", "60"], tmp_path / "log")
    child.start()
    with pytest.raises(ProcessFailed, match=r"sleeper was not ready after 0\.05 s\n\(its log is empty\)"):
        child.wait_until(lambda: False, 0.05)
    assert child.stop() == -15
    assert child.stop() == -15


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    child = python(STUBBORN, tmp_path / "log")
    child.start()
    child.wait_until(lambda: child.log_tail() == "deaf", 20)
    assert child.stop(grace_s=0.1) == -9


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    child = ChildProcess("child", [str(tmp_path / "nothing")], tmp_path / "log")
    with pytest.raises(ProcessFailed, match="no program"):
        child.start()
    assert child.stop() is None
    with pytest.raises(ProcessFailed, match="not started"):
        child.pid  # noqa: B018


def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = Path("/proc") / parent.stdout.readline().strip()
    # its guard has done its work once it is the program itself
    assert wait_for(lambda: (child / "cmdline").read_bytes() == b"sleep\x0060\x00", 20)
    parent.kill()
    parent.communicate()

    def is_gone() -> bool:
        # a zombie that nobody has collected yet has ended too
        return not child.exists() or ") Z " in (child / "stat").read_text()

    assert wait_for(is_gone, 20)
