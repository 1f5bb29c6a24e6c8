"""What the answer cache needs of the flows, read from their files whenever one has changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from text_service.answers import FlowNote

CALM_S: Final = 60.0
"""So long after an edit nothing is kept: the bot manager may not have read it yet."""
_WORLD: Final = re.compile(r"^(?:hours|actions|facts)\s*:|\b(?:now|call|hours)\.[a-z]", re.MULTILINE)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")


def flow_names(folder: Path) -> list[str]:
    """The flows below a folder, `<language>/<name>`."""
    return [
        f"{path.parent.name}/{path.stem}"
        for path in sorted(folder.glob("*/*.yaml"))
        if re.search(r"^flow\s*:", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    ]


class FlowNotes:
    """Notes of the flows below a folder, with the prompts below another."""

    def __init__(self, flows_dir: Path, prompts_dir: Path) -> None:
        self._flows_dir = flows_dir
        self._prompts_dir = prompts_dir
        self._known: dict[str, tuple[str, FlowNote]] = {}

    def __call__(self, flow: str) -> FlowNote | None:
        """The note of a flow; None where it cannot be read."""
        try:
            state = self._state(flow)
            if self._known.get(flow, ("",))[0] != state:
                text = (self._flows_dir / f"{flow}.yaml").read_text(encoding="utf-8")
                said = "\n".join(_COMMENT.sub("", line) for line in text.splitlines())
                note = FlowNote(state, not _WORLD.search(said), frozenset(_WORD.findall(said)))
                self._known[flow] = (state, note)
        except (OSError, UnicodeDecodeError):
            return None
        return self._known[flow][1]

    def is_calm(self, flow: str, at: float) -> bool:
        """Whether nothing was edited for a while before `at`, seconds since the epoch."""
        try:
            return all(at - path.stat().st_mtime >= CALM_S for path in self._files(flow))
        except OSError:
            return False

    def _files(self, flow: str) -> Iterator[Path]:
        language = flow.partition("/")[0]
        yield from sorted((self._flows_dir / language).glob("*.yaml"))
        yield self._prompts_dir / language / "prompts.yaml"

    def _state(self, flow: str) -> str:
        seen = hashlib.sha256()
        for path in self._files(flow):
            stat = path.stat()
            seen.update(f"{path.name}:{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino};".encode())
        return seen.hexdigest()
