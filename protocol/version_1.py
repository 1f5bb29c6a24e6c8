"""What releases of protocol 1 say, as messages of version 2, and back. Pure: JSON bodies in, JSON bodies out.

Version 1 had no `v`, named prompts and nothing else to say (PlayPrompts), and no playback that could be added to. An
upgrade goes service by service: for a while the two versions talk to each other, and a bot manager answers a call in
the version that its controller began it with.
"""

from __future__ import annotations

from typing import Any

NEW_FIELDS = {
    "CallStarted": ("channel_id", "direction", "variables"),
    "PlaybackFinished": ("heard",),
    "Listen": ("awaited", "choices", "state", "asks", "known"),
}
REASONS = ("caller_hung_up", "bot_hung_up", "transferred", "lost")


def up(body: dict[str, Any]) -> dict[str, Any]:
    """A body of version 1 as one of version 2. A call's id was its channel's."""
    if body.get("type") == "PlayPrompts":
        rest = {name: value for name, value in body.items() if name != "prompts"}
        if "prompts" in body:
            names = body["prompts"]
            rest["items"] = [{"kind": "prompt", "name": name} for name in names] if isinstance(names, list) else names
        return {**rest, "type": "Say", "v": 1}
    if body.get("type") == "CallStarted":
        return {"channel_id": body.get("call_id"), **body, "v": 1}
    return {**body, "v": 1}


def down(body: dict[str, Any]) -> dict[str, Any]:
    """A body of version 2 as one of version 1. Raises ValueError for what version 1 has no words for."""
    kind = body["type"]
    old = {name: value for name, value in body.items() if name not in ("v", *NEW_FIELDS.get(kind, ()))}
    if kind == "Append":
        raise ValueError("version 1 cannot add to a playback")
    if kind == "Say":
        if body["open"] or any(item["kind"] != "prompt" for item in body["items"]):
            raise ValueError("version 1 plays recorded prompts only")
        del old["items"], old["open"], old["parting"]
        return {**old, "type": "PlayPrompts", "prompts": [item["name"] for item in body["items"]]}
    if kind == "CallEnded" and body["reason"] not in REASONS:
        return {**old, "reason": "lost"}
    return old
