"""docs/flows.md names every key of the grammar, so that it stays true."""

from pathlib import Path

import pytest

from dialogue.flow_actions import ACTION_KEYS, GIVEN_KEYS
from dialogue.flow_forms import FORM_KEYS, MEMBER_KEYS, RECAP_KEYS
from dialogue.flow_loader import FLOW_KEYS, STATE_KEYS
from dialogue.flow_steps import BAND_KEYS, CORRECTION_KEYS, KEYPAD_KEYS, LADDER_KEYS, LISTEN_KEYS, STEP_KEYS
from dialogue.flow_subflows import RUN_KEYS, SUBFLOW_KEYS
from dialogue.flow_tables import SLOT_KEYS
from dialogue.scores import ACTIONS, CHECKS
from dialogue.slots import SLOT_TYPES

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "flows.md").read_text(encoding="utf-8")
KEYS = sorted(
    {
        *FLOW_KEYS,
        *STATE_KEYS,
        *STEP_KEYS,
        *LISTEN_KEYS,
        *LADDER_KEYS,
        *KEYPAD_KEYS,
        *CORRECTION_KEYS,
        *BAND_KEYS,
        *ACTION_KEYS,
        *GIVEN_KEYS,
        *SLOT_TYPES,
        *SLOT_KEYS,
        *FORM_KEYS,
        *MEMBER_KEYS,
        *RECAP_KEYS,
        *SUBFLOW_KEYS,
        *RUN_KEYS,
        *ACTIONS,
        *CHECKS,
    }
)


@pytest.mark.parametrize("key", KEYS)
def test_the_key_is_explained(key: str) -> None:
    assert f"`{key}`" in TEXT or f"{key}:" in TEXT or f"`{key}:" in TEXT
