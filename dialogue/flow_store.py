"""The flows in force: read from their folders, watched, and replaced when an edit is good. Shell.

New calls take `current(name)`; a call in progress keeps the Flow object that it began with. A bad edit changes nothing
and is reported once; a bad file at the start costs nothing but its own flow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from audio_prompts.catalogue import BadCatalogue, lengths_ms, lengths_of_audio, read_catalogue
from dialogue.flow import Flow
from dialogue.flow_loader import BadFlow, faults_of_sub_flow, read_flow
from dialogue.flow_names import Known, SubFlowText
from dialogue.flow_yaml import Fault
from dialogue.hours.hours_file import BadHours, read_hours
from dialogue.hours.opening_hours import Hours
from knowledge_file import BadKnowledge, read_knowledge
from yaml_text import NotUtf8, compose, place_of, read_utf8

A_FLOW = re.compile(r"^(flow|states)\s*:", re.MULTILINE)  # beside intents, guards and other files of a language
A_SUBFLOW = re.compile(r"^subflow\s*:", re.MULTILINE)
HOURS = re.compile(r"^(hours|exceptions)\s*:", re.MULTILINE)
VERSIONS_KEPT = 50


@dataclass(frozen=True)
class Reload:
    """What a look at the files brought: names of flows that changed, the faults of files that were refused, and names
    of flows that are in force no more because their file is gone."""

    changed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class FlowStore:
    """Every flow below `flows_dir` (`<language>/<name>.yaml`), checked against intents there and prompts.

    `stays`: a flow that is not out of force when its file is gone: the one of callers for whom there is no other.
    """

    def __init__(self, flows_dir: Path, prompts_dir: Path, stays: str = "") -> None:
        self._flows_dir = flows_dir
        self._prompts_dir = prompts_dir
        self._flows: dict[str, Flow] = {}
        self._versions: dict[tuple[str, str], Flow] = {}
        self._stays = stays
        self._seen: tuple[object, ...] = ()
        self._missed: frozenset[str] = frozenset()
        self.faults: tuple[str, ...] = ()
        """What is wrong with the files as they were when they were last looked at."""

    def load(self) -> Reload:
        """Reads every flow. A bad file costs its flow, no other one; where intents or prompts of a language cannot be
        read, its flows come into force without a check of these names."""
        self._seen = self._stamp()
        flows, faults = self._read(whatever=True)
        if not flows and not faults:
            faults = [Fault(str(self._flows_dir), 0, "", "holds no flow (<language>/<name>.yaml)")]
        self.faults = tuple(str(fault) for fault in faults)
        return Reload(self._adopt(flows), self.faults)

    def wanting(self) -> tuple[str, ...]:
        """The flows of which there is a file, or that must stay, and no version in force."""
        wanted = {name for name, _ in self._files()} | ({self._stays} - {""})
        return tuple(sorted(wanted - set(self._flows)))

    def names(self) -> tuple[str, ...]:
        """The flows in force, as `fr/heating`."""
        return tuple(sorted(self._flows))

    def current(self, name: str) -> Flow:
        """The version of `fr/heating` in force. Raises KeyError for a name that no file has."""
        return self._flows[name]

    def version(self, name: str, version: str) -> Flow | None:
        """A version that was in force since this process began or was recalled, or None."""
        return self._versions.get((name, version))

    def has_file(self, name: str) -> bool:
        """Whether there is a file of that name, good or bad."""
        return (self._flows_dir / f"{name}.yaml").exists()

    def author(self, name: str) -> str:
        """Whose file a flow is, as the system names them; empty where nobody can tell."""
        try:
            return (self._flows_dir / f"{name}.yaml").owner()
        except (OSError, KeyError):
            return ""

    def recall(self, name: str, text: str) -> Flow:
        """Knows an earlier text of `fr/heating` again, whose file may be gone; what is in force stays in force.

        Raises BadFlow when it does not go with the intents and prompts of today.
        """
        path = self._flows_dir / f"{name}.yaml"
        known = replace(known_beside(path, self._prompts_dir)[0], any_hours=True)
        flow = read_flow(text, _shown(path), known)
        self._versions[(name, flow.version)] = flow
        return flow

    def restore(self, name: str, text: str) -> None:
        """Puts an earlier text in force again, until the file is good. Raises BadFlow as `recall` does."""
        self._adopt({name: self.recall(name, text)})

    def refresh(self) -> Reload:
        """Looks at the files (milliseconds; call it every second) and replaces what changed and is good.

        A flow whose file is missing twice in a row is not in force any more; editors and checkouts replace files.
        """
        stamp = self._stamp()
        if stamp == self._seen and not self._missed:
            return Reload()
        missing = frozenset(name for name in self._flows if not self.has_file(name))
        gone = tuple(sorted((missing & self._missed) - {self._stays}))
        for name in gone:
            del self._flows[name]
        self._missed = missing - set(gone) - {self._stays}
        if stamp == self._seen:
            return Reload(gone=gone)
        self._seen = stamp
        flows, faults = self._read()
        if self._stays in missing:
            faults.append(Fault(f"{self._stays}.yaml", 0, "", "is gone; it is the default flow, and stays in force"))
        self.faults = tuple(str(fault) for fault in faults)
        return Reload(self._adopt(flows), self.faults, gone)

    def _adopt(self, flows: dict[str, Flow]) -> tuple[str, ...]:
        changed = tuple(name for name, flow in flows.items() if self._flows.get(name) != flow)
        self._flows.update(flows)
        for name in changed:
            self._versions[(name, flows[name].version)] = flows[name]
        for key in list(self._versions)[:-VERSIONS_KEPT]:
            del self._versions[key]
        return changed

    def _read(self, whatever: bool = False) -> tuple[dict[str, Flow], list[Fault]]:
        """The good flows, and every fault. `whatever`: also of a language whose intents or prompts cannot be read."""
        flows: dict[str, Flow] = {}
        faults = [Fault(_shown(path), 0, "", reason) for path, reason in misplaced(self._flows_dir)]
        surroundings: dict[str, tuple[Known, list[Fault]]] = {}
        for name, path in self._files():
            if path.parent.name not in surroundings:
                surroundings[path.parent.name] = known_beside(path, self._prompts_dir)
            known, around = surroundings[path.parent.name]
            faults.extend(around)
            faults.extend(fault for name in known.subflows for fault in faults_of_sub_flow(name, known))
            faults.extend(fault for bad in (*known.bad_hours.values(), *known.knowledge.values()) for fault in bad)
            try:
                flow = read_file(path, replace(known, any_hours=whatever))
            except BadFlow as error:
                faults.extend(error.faults)
            else:
                if whatever or not around:
                    flows[name] = flow
        return flows, sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.reason))

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._flows_dir.glob("*/*.yaml")):
            if is_flow(path):
                yield f"{path.parent.name}/{path.stem}", path

    def _stamp(self) -> tuple[object, ...]:
        """Changes when any file does that a flow depends on."""
        folders = (
            *self._flows_dir.rglob("*.[yY]*[lL]"),
            *self._flows_dir.glob("*/*.md"),
            *self._prompts_dir.glob("*/*.yaml"),
        )
        built = (*self._prompts_dir.glob("*/.built.json"), *self._prompts_dir.glob("*/*.wav"))
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
    return _begins(path, A_FLOW) and not _begins(path, A_SUBFLOW)


def _begins(path: Path, what: re.Pattern[str]) -> bool:
    try:
        return what.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def read_file(path: Path, known: Known) -> Flow:
    """The flow of a file. Raises BadFlow, also when the file cannot be read."""
    try:
        text = read_utf8(path)
        edited = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, NotUtf8) as error:
        line, reason = place_of(error)
        raise BadFlow([Fault(_shown(path), line, "", f"cannot be read: {reason}")]) from error
    return read_flow(text, _shown(path), known, edited)


def known_beside(path: Path, prompts_dir: Path) -> tuple[Known, list[Fault]]:
    """The intents, FAQs and prompts that a flow file may name, and the faults of the files that cannot be read: of
    prompts the audio tells then, and intents are not checked."""
    folder = path.parent
    prompts = prompts_dir / folder.name
    faults: list[Fault] = []
    texts: Mapping[str, str] = {}
    try:
        lengths, texts = lengths_ms(prompts), read_catalogue(prompts / "prompts.yaml").texts
    except FileNotFoundError:  # a language of which nothing was recorded: its flows say texts
        lengths = lengths_of_audio(prompts)
    except (BadCatalogue, OSError) as error:
        faults.append(Fault(_shown(prompts / "prompts.yaml"), 0, "", str(error)))
        lengths = lengths_of_audio(prompts)
    try:
        intents, faqs = intent_names(folder / "intents.yaml"), intent_names(folder / "faqs.yaml")
    except BadFlow as error:
        faults.extend(error.faults)
        known = Known(frozenset(), frozenset(), lengths, texts, folder.name, any_intent=True)
    else:
        known = Known(intents, faqs, lengths, texts, folder.name)
    hours, bad = hours_beside(folder)
    subflows, unread = subflows_beside(folder)
    known = replace(known, hours=hours, bad_hours=bad, subflows=subflows, knowledge=knowledge_beside(folder))
    return known, faults + unread


def knowledge_beside(folder: Path) -> dict[str, tuple[Fault, ...]]:
    """The knowledge files of a folder of flows by name, and what is wrong in each: the intent service answers from
    them, and from an earlier text where the newest is bad."""
    found: dict[str, tuple[Fault, ...]] = {}
    for path in sorted(folder.glob("*.md")):
        found[path.stem] = ()
        try:
            read_knowledge(read_utf8(path))
        except BadKnowledge as error:
            found[path.stem] = tuple(Fault(_shown(path), line, "", reason) for line, reason in error.faults)
        except (OSError, NotUtf8) as error:
            line, reason = place_of(error)
            found[path.stem] = (Fault(_shown(path), line, "", f"cannot be read: {reason}"),)
    return found


def subflows_beside(folder: Path) -> tuple[dict[str, SubFlowText], list[Fault]]:
    """The sub-flows of a folder of flows by the names of their files, and the faults of those that cannot be read."""
    found: dict[str, SubFlowText] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        if _begins(path, A_SUBFLOW):
            try:
                found[path.stem] = SubFlowText(_shown(path), read_utf8(path))
            except (OSError, NotUtf8) as error:
                line, reason = place_of(error)
                faults.append(Fault(_shown(path), line, "", f"cannot be read: {reason}"))
    return found, faults


def hours_beside(folder: Path) -> tuple[dict[str, Hours], dict[str, tuple[Fault, ...]]]:
    """The opening hours of a folder of flows by the names of their files, and what is wrong with those refused."""
    good: dict[str, Hours] = {}
    bad: dict[str, tuple[Fault, ...]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if is_flow(path) or _begins(path, A_SUBFLOW) or not _begins(path, HOURS):
            continue
        try:
            good[path.stem] = read_hours(read_utf8(path), _shown(path))
        except BadHours as error:
            bad[path.stem] = error.faults
        except (OSError, NotUtf8) as error:
            line, reason = place_of(error)
            bad[path.stem] = (Fault(_shown(path), line, "", f"cannot be read: {reason}"),)
    return good, bad


def misplaced(flows_dir: Path) -> Iterator[tuple[Path, str]]:
    """Files that look like ours and are read by nobody, with the reason."""
    for path in sorted(flows_dir.rglob("*")):
        if path.suffix.lower() in (".yaml", ".yml") and path.suffix != ".yaml" and path.is_file():
            yield path, f"is not read: call it {path.stem}.yaml"
        elif path.suffix == ".yaml" and len(path.relative_to(flows_dir).parts) != 2 and _begins(path, A_FLOW):
            yield path, f"is not read: flows are {flows_dir.name}/<language>/<name>.yaml"


def intent_names(path: Path) -> frozenset[str]:
    """The intents of a file; the intent service checks the rest of it. A language without FAQs has no faqs.yaml."""
    if path.name == "faqs.yaml" and not path.exists():
        return frozenset()
    try:
        root = compose(read_utf8(path))
    except (OSError, NotUtf8, yaml.YAMLError) as error:
        line, reason = place_of(error)
        raise BadFlow([Fault(_shown(path), line, "", f"intents cannot be read: {reason}")]) from error
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
