"""Every example of docs/flows.md is read and played, with what tests/flows/examples.yaml puts around it; the flow that
the page makes from an empty file is checked, played and talked to as its reader would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known, SubFlowText
from dialogue.hours.hours_file import read_hours
from dialogue.rehearsal import Resolver
from dialogue.scores import play, read_scores

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")
AROUND: list[dict[str, Any]] = yaml.load(
    (ROOT / "tests" / "flows" / "examples.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader
)
"""Every scalar is text, as in flows."""
REST: dict[str, Any] = {
    "flow": "example",
    "language": "fr",
    "too_long": "bye",
    "trouble": {"say": "hello", "then": "bye"},
    "defaults": {"no_input": {"say": "hello", "then": "bye"}, "no_match": {"say": "hello", "then": "bye"}},
    "states": {"bye": {"say": "goodbye", "hangup": "true", "outcome": "done"}},
}


@dataclass(frozen=True)
class Example:
    """A block of YAML, under its heading."""

    heading: str
    line: int
    text: str


def examples() -> list[Example]:
    found, heading, lines = [], "", PAGE.splitlines()
    for number, line in enumerate(lines):
        heading = line.removeprefix("## ") if line.startswith("## ") else heading
        if line == "```yaml":
            end = lines.index("```", number)
            found.append(Example(heading, number + 2, "\n".join(lines[number + 1 : end]) + "\n"))
    return found


EXAMPLES = examples()
FIRST = "From an empty file to a call, in ten minutes"
WHOLE = [example for example in EXAMPLES if example.heading == FIRST]
"""Those that are whole files of the first flow: their first line names the file."""
PARTS = [example for example in EXAMPLES if example not in WHOLE]
HOURS = next(example.text for example in PARTS if example.text.startswith("hours:"))
SUBFLOWS = {
    found[1]: SubFlowText("docs/flows.md", example.text)
    for example in PARTS
    if (found := re.search(r"^subflow: (\w+)", example.text, re.MULTILINE))
}


def merged(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both; what the first has comes before."""
    found: dict[str, Any] = {**other, **first}
    for name in first.keys() & other.keys():
        if isinstance(first[name], Mapping) and isinstance(other[name], Mapping):
            found[name] = {**other[name], **first[name]}
    return found


def around(example: Example) -> dict[str, Any]:
    """Its entry: of those of its heading the one in the same place. Without one it must stand on its own."""
    place = [one for one in PARTS if one.heading == example.heading].index(example)
    entries = [entry for entry in AROUND if entry["heading"] == example.heading and "whole" not in entry]
    return entries[place] if place < len(entries) else {"with": {}, "steps": []}


def test_every_example_has_its_entry() -> None:
    entries = [entry["heading"] for entry in AROUND for _ in range(int(entry.get("whole", 1)))]
    assert [example.heading for example in EXAMPLES] == entries
    assert len(WHOLE) == 4


@pytest.mark.parametrize("example", PARTS, ids=lambda one: f"line {one.line}")
def test_the_example_is_a_flow_and_goes_as_it_says(
    example: Example, known: Known, shipped: dict[str, Flow], resolve: Resolver, tmp_path: Path
) -> None:
    path, entry = tmp_path / "example.yaml", around(example)
    if "hours" in entry:
        assert read_hours(example.text, "docs/flows.md").messages
        return
    if "subflow" in entry:  # read with the flow that runs it
        assert entry["subflow"] in SUBFLOWS
        return
    if "scores" in entry:
        path.write_text(example.text, encoding="utf-8")
        scores = read_scores(path)
        assert [play(one, shipped[entry["scores"]], resolve).faults for one in scores] == [()] * len(scores)
        return
    part = yaml.load(example.text, Loader=yaml.BaseLoader)
    whole = merged(merged(part, entry["with"]), REST)
    names = replace(
        known,
        intents=known.intents | {"yes", "no"} | set(entry.get("intents", ())),
        faqs=frozenset(),
        hours={"shop": read_hours(HOURS, "shop")},
        subflows=SUBFLOWS,
        knowledge={"faq": ()},
    )
    flow = read_flow(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "docs/flows.md", names)
    score: dict[str, Any] = {name: entry[name] for name in ("at", "facts", "answers", "steps") if name in entry}
    score["name"] = example.heading
    text = yaml.safe_dump({"flow": "fr/example", "scores": [score]}, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    (one,) = read_scores(path)
    result = play(one, flow, resolve)
    assert result.faults == (), (result.conversation.spoken, result.conversation.noted)


# --- from an empty file to a call -------------------------------------------------------------------------------------


@pytest.fixture
def place(folder: Path) -> Path:
    """Where the reader's files lie: flows beside the shipped intents, a score, a call script."""
    shutil.copytree(ROOT / "flows" / "fr", folder / "flows" / "fr", dirs_exist_ok=True)
    for example in WHOLE:
        path = folder / example.text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    return folder


def pronto(*arguments: str, says: str = "", environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pronto", *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        input=says,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_flow_is_checked_played_and_talked_to(place: Path) -> None:
    flow = ("flow", "--flows-dir", str(place / "flows"), "--prompts-dir", str(place / "prompts"))
    assert "fr/flowers: good; 6 states, 2 of them ask" in pronto(*flow, "check")
    played = pronto(*flow, "test", str(place / "tests" / "flows" / "scores" / "flowers.yaml"))
    assert "1 scores, 0 wrong" in played
    talked = pronto(*flow, "chat", "fr/flowers", "--phrases", says="oui\ndemain à quatorze heures\noui\n")
    assert "outcome ordered" in talked
