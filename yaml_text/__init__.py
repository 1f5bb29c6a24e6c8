"""YAML as people write it, with libyaml where it is there: ten times as fast, which every restart of a service notices.

Pure: text in. libyaml would end the whole process on a file that is nested some ten thousand times, so the depth is
looked at first, in its events, without recursion.
"""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 50


def compose(text: str) -> yaml.Node | None:
    """The root node, None for an empty text. Raises yaml.YAMLError (MarkedYAMLError where the place is known), also
    for what is nested deeper than any file of ours."""
    try:
        _refuse_depth(text)
        root: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except UnicodeEncodeError:
        raise yaml.YAMLError("holds half a character") from None
    return root


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark: Any = event.start_mark  # a class of libyaml's own
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
