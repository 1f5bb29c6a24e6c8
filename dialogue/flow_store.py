"""The flows in force: read from their folders, watched, and replaced when an edit is good. Shell.

New calls take `current(name)`; a call in progress keeps the Flow object that it began with. A bad edit changes nothing
and is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from audio_prompts.catalogue import BadCatalogue, lengths_ms
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, read_flow
from dialogue.flow_names import Known
from dialogue.flow_yaml import Fault
from yaml_text import compose

A_FLOW = re.compile(r"^(flow|states)\s*:", re.MULTILINE)  # beside intents, guards and other files of a language
VERSIONS_KEPT = 50


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
        self._versions: dict[tuple[str, str], Flow] = {}
        self._seen: tuple[object, ...] = ()

    def load(self) -> None:
        """Reads every flow. Raises flow_loader.BadFlow with all faults of all files: refuse to start."""
        self._seen = self._stamp()
        flows, faults = self._read()
        if not flows and not faults:
            faults = [Fault(str(self._flows_dir), 0, "", "holds no flow (<language>/<name>.yaml)")]
        if faults:
            raise BadFlow(faults)
        self._adopt(flows)

    def names(self) -> tuple[str, ...]:
        """The flows in force, as `fr/heating`."""
        return tuple(sorted(self._flows))

    def current(self, name: str) -> Flow:
        """The version of `fr/heating` in force. Raises KeyError for a name that no file has."""
        return self._flows[name]

    def version(self, name: str, version: str) -> Flow | None:
        """A version that was in force since this process began, or None; for calls taken up after a restart."""
        return self._versions.get((name, version))

    def refresh(self) -> Reload:
        """Looks at the files (milliseconds; call it every second) and replaces what changed and is good."""
        stamp = self._stamp()
        if stamp == self._seen:
            return Reload()
        self._seen = stamp
        flows, faults = self._read()
        return Reload(self._adopt(flows), tuple(str(fault) for fault in faults))

    def _adopt(self, flows: dict[str, Flow]) -> tuple[str, ...]:
        changed = tuple(name for name, flow in flows.items() if self._flows.get(name) != flow)
        self._flows.update(flows)
        for name in changed:
            self._versions[(name, flows[name].version)] = flows[name]
        for key in list(self._versions)[:-VERSIONS_KEPT]:
            del self._versions[key]
        return changed

    def _read(self) -> tuple[dict[str, Flow], list[Fault]]:
        flows: dict[str, Flow] = {}
        faults: list[Fault] = []
        surroundings: dict[str, Known] = {}
        for name, path in self._files():
            try:
                if path.parent.name not in surroundings:
                    surroundings[path.parent.name] = known_beside(path, self._prompts_dir)
                flows[name] = read_file(path, surroundings[path.parent.name])
            except BadFlow as error:
                faults.extend(error.faults)
        return flows, sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.reason))

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._flows_dir.glob("*/*.yaml")):
            if is_flow(path):
                yield f"{path.parent.name}/{path.stem}", path

    def _stamp(self) -> tuple[object, ...]:
        """Changes when any file does that a flow depends on."""
        folders = (*self._flows_dir.glob("*/*.yaml"), *self._prompts_dir.glob("*/*.yaml"))
        built = self._prompts_dir.glob("*/.built.json")
        stamps = []
        for path in sorted((*folders, *built)):
            try:
                stat = path.stat()
            except OSError:
                continue  # removed meanwhile
            stamps.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(stamps)


def is_flow(path: Path) -> bool:
    """Whether a YAML file is meant to be a flow, good or bad."""
    try:
        return A_FLOW.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def read_file(path: Path, known: Known) -> Flow:
    """The flow of a file. Raises BadFlow, also when the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        edited = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFlow([Fault(_shown(path), 0, "", f"cannot be read: {error}")]) from error
    return read_flow(text, _shown(path), known, edited)


def known_beside(path: Path, prompts_dir: Path) -> Known:
    """The intents, FAQs and prompts that a flow file may name. Raises BadFlow when they cannot be read themselves."""
    folder = path.parent
    prompts = prompts_dir / folder.name
    try:
        lengths = lengths_ms(prompts)
    except (BadCatalogue, OSError) as error:
        raise BadFlow([Fault(_shown(prompts / "prompts.yaml"), 0, "", str(error))]) from error
    return Known(intent_names(folder / "intents.yaml"), intent_names(folder / "faqs.yaml"), lengths)


def intent_names(path: Path) -> frozenset[str]:
    """The intents of a file; the intent service checks the rest of it. A language without FAQs has no faqs.yaml."""
    if path.name == "faqs.yaml" and not path.exists():
        return frozenset()
    try:
        root = compose(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadFlow([Fault(_shown(path), 0, "", f"intents cannot be read: {error!r}")]) from error
    named = dict(_entries(root)).get("intents")
    if named is None:
        raise BadFlow([Fault(_shown(path), 0, "", "intents cannot be read: there is no `intents`")])
    return frozenset(name for name, _ in _entries(named))


def _entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping with the keys as they are written; none of anything else."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            yield str(key.value), value


def _shown(path: Path) -> str:
    """A path as faults show it: from the folder of flows on, when it is below the working directory."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
