"""A temporary folder that is gone when its process is gone, even one that was killed.

The owner holds a lock on a file in the folder; the kernel lets go of it when the owner dies, however it dies. Whoever
makes the next folder removes those that nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "pronto-run-"
# A folder is made first and locked then: one younger than this may be about to be locked.
SETTLED_S = 60.0


class RunFolder:
    """`path` is known at once and short (a UNIX socket's path is at most 108 bytes); `create` makes it."""

    def __init__(self, kind: str, parent: Path | None = None):
        self._parent = parent or Path(tempfile.gettempdir())
        self.path = self._parent / f"{PREFIX}{kind}-{secrets.token_hex(4)}"
        self._lock: int | None = None

    def create(self) -> None:
        """Makes the folder, for our eyes only, and removes those of owners that died."""
        for folder in self._parent.glob(f"{PREFIX}*"):
            _remove_if_abandoned(folder)
        self.path.mkdir(mode=0o700)
        self._lock = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Removes the folder; may be called again, and before `create`."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _remove_if_abandoned(folder: Path) -> None:
    # somebody else's folder, or one that is being removed at this moment, is left alone
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime < SETTLED_S:
            return
        lock = os.open(folder / "lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
