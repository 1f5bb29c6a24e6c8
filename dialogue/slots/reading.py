"""What a slot parser found in a text. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class SlotReading:
    """One reading of a caller's words as a slot value.

    `value` is None when nothing fits. `complete`: it can fill the slot. `open`: the caller may well go on and change it
    ("soixante-quinze mille" ...), so it must not be taken before the end of the utterance. `confidence` (0 to 1) is
    about the reading alone, not about the recogniser. `negated`: the text began with a refusal ("non, ..."),
    `corrected`: the caller took back a part and said it anew. `readable` is the value as one reads it back. Of a
    choice from a list: `among` are the values of which one may be meant, `refused`: none is wanted.
    """

    value: str | bool | None = None
    complete: bool = False
    open: bool = False
    confidence: float = 0.0
    negated: bool = False
    corrected: bool = False
    readable: str = ""
    among: tuple[str, ...] = ()
    refused: bool = False

    @property
    def certain(self) -> bool:
        """Whether there is a value that nothing said later in the utterance is expected to change."""
        return self.complete and not self.open

    def with_flags(self, negated: bool, corrected: bool) -> SlotReading:
        """The same reading, told how it was said."""
        if (negated, corrected) == (self.negated, self.corrected):
            return self
        return replace(self, negated=negated, corrected=corrected)


NOTHING = SlotReading()
