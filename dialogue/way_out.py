"""The way out of a call whose own dialogue cannot go on: the flow's apology and where it hands the caller. Pure."""

from __future__ import annotations

import forms
from dialogue.flow import Flow


def way_out(flow: Flow) -> tuple[tuple[str, ...], str]:
    """Prompts to say and the extension to transfer to (empty: hang up), from the flow's `trouble: then`.

    Only recorded prompts: what reading out a value and speaking a text need may be what broke.
    """
    step = flow.trouble.then
    say, extension, name = step.say, step.transfer, step.goto
    for _ in flow.states:  # at most every state once
        state = flow.states.get(name)
        if state is None:
            break
        say, extension, name = say + state.say, state.transfer, state.goto
    return tuple(prompt for prompt in say if forms.is_prompt(prompt)), extension
