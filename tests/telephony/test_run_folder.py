"""Temporary folders of owners that are alive stay, those of owners that died go."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from devstack.run_folder import RunFolder

OWNER = """
import sys, time
from pathlib import Path
from devstack.run_folder import RunFolder
folder = RunFolder("test", Path(sys.argv[1]))
folder.create()
print(folder.path, flush=True)
sys.stdin.read()
"""


def make_old(folder: Path) -> None:
    os.utime(folder, (0, 0))


def test_a_folder_is_private_and_goes_when_it_is_removed(tmp_path: Path) -> None:
    folder = RunFolder("test", tmp_path)
    assert not folder.path.exists()
    folder.create()
    (folder.path / "file").write_text("x")
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_killed_owner_is_swept_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    theirs = Path(owner.stdout.readline().strip())
    make_old(theirs)
    first = RunFolder("test", tmp_path)
    first.create()
    assert theirs.exists()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    make_old(theirs)
    second = RunFolder("test", tmp_path)
    second.create()
    assert sorted(tmp_path.iterdir()) == sorted([first.path, second.path])
    first.remove()
    second.remove()


def test_a_folder_that_is_being_made_is_left_alone(tmp_path: Path) -> None:
    unlocked = tmp_path / "pronto-run-test-0"
    unlocked.mkdir()
    (unlocked / "lock").touch()
    folder = RunFolder("test", tmp_path)
    folder.create()
    assert unlocked.exists()
    make_old(unlocked)
    other = RunFolder("test", tmp_path)
    other.create()
    assert not unlocked.exists()
    folder.remove()
    other.remove()
