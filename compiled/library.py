"""Finds the compiled part: the C files of this folder in, a loaded library out, or None where none was built.

The file's name carries a hash of the sources, so that a library of other sources is never loaded. Who uses it brings
the same thing in Python, and gives the same results without it.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
from functools import cache
from pathlib import Path
from typing import Final

log = logging.getLogger("pronto.compiled")

FOLDER: Final = Path(__file__).resolve().parent


def sources() -> list[Path]:
    """The C files, sorted."""
    return sorted(FOLDER.glob("*.c"))


def library_path() -> Path:
    """Where the library of these sources is, or would be."""
    parts = sorted([*sources(), *FOLDER.glob("*.h")])
    digest = hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()
    return FOLDER / f"pronto-{digest[:16]}.so"


@cache
def library(keeps_lock: bool = False) -> ctypes.CDLL | None:
    """The library; None where there is none. Its functions give Python's lock away, unless they are to keep it: for
    those that take microseconds the changing of threads would cost more."""
    return loaded(library_path(), ctypes.PyDLL if keeps_lock else ctypes.CDLL)


def loaded(path: Path, kind: type[ctypes.CDLL] = ctypes.CDLL) -> ctypes.CDLL | None:
    """The library in a file; None where there is no file, and with a line in the log where it cannot be loaded."""
    if not path.is_file():
        return None
    try:
        return kind(str(path))
    except OSError as error:
        log.warning("compiled part not loaded, Python does its work", extra={"error": repr(error)})
        return None
