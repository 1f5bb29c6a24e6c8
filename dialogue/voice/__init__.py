"""How turns are taken by voice: listening, barge-in, silences, keys. Pure.

`handle` is the whole of it, (flow, dialogue, event) -> (dialogue, actions); `table` says what may happen when.
"""

from dialogue.voice.state import Dialogue, PlaybackUnderWay
from dialogue.voice.table import handle

__all__ = ["Dialogue", "PlaybackUnderWay", "handle"]
