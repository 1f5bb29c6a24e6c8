"""Secrets that flows and webhooks name: files of one line each in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SECRET = re.compile(r"[a-z0-9_]{1,60}")


class NoSecret(LookupError):
    """A secret that is not there; the message is its name."""


def secret_of(folder: Path, name: str) -> str:
    """The one line of a file of the folder of secrets. Raises NoSecret."""
    if not _SECRET.fullmatch(name):
        raise NoSecret("a secret has no such name")
    try:
        text = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoSecret(f"there is no secret {name}") from error
    if not text or not text.isprintable() or not text.isascii():
        raise NoSecret(f"secret {name} is not one line of plain characters")
    return text


def header_of(folder: Path, parts: Iterable[Any]) -> str:
    """A header of a flow: texts, and references to secrets as `{"secret": name}`. Raises NoSecret."""
    return "".join(part if isinstance(part, str) else secret_of(folder, str(part["secret"])) for part in parts)
