"""The flows in force: read from their folders, watched, and replaced when an edit is good. Shell.

New calls take `current(name)`; a call in progress keeps the Flow object that it began with. A bad edit changes nothing
and is reported once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot_manager.flow import Flow


@dataclass(frozen=True)
class Reload:
    """What a look at the files brought: names of flows that changed, and the faults of files that were refused."""

    changed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class FlowStore:
    """Every flow below `flows_dir` (`<language>/<name>.yaml`), checked against intents there and prompts."""

    def __init__(self, flows_dir: Path, prompts_dir: Path) -> None:
        self._flows_dir = flows_dir
        self._prompts_dir = prompts_dir
        self._flows: dict[str, Flow] = {}

    def load(self) -> None:
        """Reads every flow. Raises flow_loader.BadFlow with all faults of all files: refuse to start."""
        raise NotImplementedError

    def current(self, name: str) -> Flow:
        """The version of `fr/heating` in force. Raises KeyError for a name that no file has."""
        return self._flows[name]

    def version(self, name: str, version: str) -> Flow | None:
        """A version that was in force since this process began, or None; for calls taken up after a restart."""
        raise NotImplementedError

    def refresh(self) -> Reload:
        """Looks at the files (milliseconds; call it every second) and replaces what changed and is good."""
        raise NotImplementedError
