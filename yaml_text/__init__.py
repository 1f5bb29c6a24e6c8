"""YAML as people write it, with libyaml where it is there: ten times as fast, which every restart of a service notices.

Pure but for `read_utf8`: text in. libyaml would end the whole process on a file that is nested some ten thousand times,
so the depth is looked at first, in its events, without recursion.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 50
_ODD_INDENT = re.compile(r"^ *([^\S \t\r\n\v\f])", re.MULTILINE)


class NotUtf8(ValueError):
    """The bytes of a file are no UTF-8; the text says where, and what to do."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(f"line {line} is no UTF-8 (byte {byte:#04x}): save the file as UTF-8")
        self.line = line


def read_utf8(path: Path) -> str:
    """The text of a file that people write, as `Path.read_text` gives it. Raises NotUtf8, and OSError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NotUtf8(error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]) from None


def place_of(error: Exception) -> tuple[int, str]:
    """The line of a fault, 0 where there is none, and what is wrong: of an OSError, a NotUtf8 or a YAMLError."""
    if isinstance(error, NotUtf8):
        return error.line, str(error)
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return 0 if mark is None else int(mark.line) + 1, f"no YAML: {problem}" if problem else str(error)


def compose(text: str) -> yaml.Node | None:
    """The root node, None for an empty text. Raises yaml.YAMLError (MarkedYAMLError where the place is known), also
    for what is nested deeper than any file of ours."""
    refuse_odd_indents(text)
    try:
        _refuse_depth(text)
        root: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except UnicodeEncodeError:
        raise yaml.YAMLError("holds half a character") from None
    return root


def refuse_odd_indents(text: str) -> None:
    """Raises MarkedYAMLError for a line that begins with a space which is none to YAML (no-break, thin): it would be a
    part of the line's first word, and the fault be told of a word that looks right."""
    for match in _ODD_INDENT.finditer(text):
        mark = yaml.Mark("", 0, text.count("\n", 0, match.end()), 0, None, 0)
        problem = f"indented with U+{ord(match[1]):04X}, which is no plain space"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark: Any = event.start_mark  # a class of libyaml's own
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
