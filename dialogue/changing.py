"""A frozen value with some of its fields changed. Pure.

What `dataclasses.replace` does, without calling `__init__` with every field: a dialogue changes a few of some thirty
fields many times in one step. Only for classes without `__post_init__`. A value that was read from a snapshot has no
attribute of its own for what an earlier release did not store, only its class's default.
"""

from __future__ import annotations

from typing import Any, TypeVar

_Value = TypeVar("_Value")


def changed(value: _Value, **fields: Any) -> _Value:
    """A copy of a dataclass instance with other `fields`. Raises TypeError for a field that it has not."""
    known = type(value).__dataclass_fields__.keys()  # type: ignore[attr-defined]
    if not fields.keys() <= known:
        raise TypeError(f"{type(value).__name__} has no {', '.join(sorted(fields.keys() - known))}")
    made = object.__new__(type(value))
    vars(made).update(vars(value))
    vars(made).update(fields)
    return made
