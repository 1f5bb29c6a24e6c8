"""A changed copy is what `dataclasses.replace` makes, and the value before stays as it was."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.changing import changed
from dialogue.conversation import Conversation
from dialogue.voice.state import Dialogue


@given(st.dictionaries(st.sampled_from([field.name for field in fields(Conversation)]), st.text()))
def test_it_is_what_replace_makes(values: dict[str, str]) -> None:
    before = Conversation(call_id="c1", slots={"zip": "75011"})
    assert changed(before, **values) == replace(before, **values)  # type: ignore[arg-type]
    assert before == Conversation(call_id="c1", slots={"zip": "75011"})
    assert hash(type(changed(before, **values))) == hash(Conversation)


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="Dialogue has no fase"):
        changed(Dialogue(), fase="new")


@pytest.mark.parametrize("cls", [Conversation, Dialogue])
def test_nothing_is_checked_on_making_these(cls: type) -> None:
    """A class with `__post_init__` would be copied unchecked."""
    assert not hasattr(cls, "__post_init__")
