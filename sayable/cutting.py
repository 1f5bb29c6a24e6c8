"""Where a text may be cut for a voice: at sentences, the first time at a clause, also while it is written. Pure.

No cut falls inside of what belongs together: 1.234,50, 14:30, M. Dupont, www.pronto.example, p.ex., J. S. Bach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

FIRST_CLAUSE: Final = 16
"""Characters from which a first clause is worth being said alone: below, a voice begins and waits."""
LONGEST: Final = 200
"""A sentence that is longer is cut at its last clause, or at its last word, before."""
ABBREVIATIONS: Final = frozenset(
    # what is followed by more: a full stop behind these ends no sentence
    "m mm mme mmes mlle mlles dr drs pr me st ste av bd bld boul imm bât res rés appt apt ch rte n° no tél tel fax "
    "réf ref "
    "p pp vol art al ex env max min cf hab cap j.-c "
    "sig sigg dott dott.ssa prof avv ing geom arch rag on egr gent spett sig.ra sig.na sign v.le p.zza c.so pag num nr "
    "mr mrs ms mx jr sr hon rev gen col sgt capt lt mt rd ave blvd ln sq ct vs approx dept est fig inc ltd co corp "
    "e.g i.e p.ex p.es ca".split()
)
_END = re.compile(r"[.!?…]+[\"'»”’)\]]*(?=\s|$)|\n+")
_CLAUSE = re.compile(r"[,;:](?=\s)|\s[–—-](?=\s)|[)»](?=\s)")
_LAST_WORD = re.compile(r"(\S+?)\.+[\"'»”’)\]]*$")
_INITIALS = re.compile(r"(?:\w\.)+\w|\w|\d{1,2}")


@dataclass(frozen=True)
class Cut:
    """One piece of a text, from `begin` up to `end` in it, with what it ends in."""

    text: str
    begin: int
    end: int
    ends_sentence: bool


def cut(text: str, first_clause: int = 0) -> list[Cut]:
    """The whole text in pieces. `first_clause`: the first piece ends at the first clause of so many characters or
    more; 0: at its sentence."""
    cutter = Cutter(first_clause)
    return [*cutter.add(text), *cutter.end()]


@dataclass
class Cutter:
    """A text that is still being written: `add` what comes, `end` when nothing more will."""

    first_clause: int = FIRST_CLAUSE
    _rest: str = ""
    _at: int = 0
    _begun: bool = field(default=False)

    def add(self, text: str) -> list[Cut]:
        """The pieces that are whole now. A sentence's end counts once something stands behind it."""
        self._rest += text
        return self._pieces(last=False)

    def end(self) -> list[Cut]:
        """The pieces that are left."""
        return self._pieces(last=True)

    def _pieces(self, *, last: bool) -> list[Cut]:
        found = []
        while (size := self._next(last)) is not None:
            piece, ends = self._rest[:size], bool(_END.search(self._rest[:size].rstrip()))
            self._rest = self._rest[size:]
            if piece.strip():
                begin = self._at + len(piece) - len(piece.lstrip())
                found.append(Cut(piece.strip(), begin, self._at + len(piece.rstrip()), ends))
                self._begun = True
            self._at += size
        return found

    def _next(self, last: bool) -> int | None:
        """Where the next piece ends."""
        text = self._rest
        if not text:
            return None
        sentence = _sentence_end(text, last)
        if not self._begun and self.first_clause and (clause := _clause_end(text, self.first_clause)):
            return min(clause, sentence or clause)
        if sentence is None and not last and len(text) <= LONGEST:
            return None
        size = sentence if sentence is not None else len(text)
        return size if size <= LONGEST else _within(text)


def _sentence_end(text: str, last: bool) -> int | None:
    for match in _END.finditer(text):
        if match.end() == len(text) and not last:
            return None  # more may belong to it
        if match.group().startswith(".") and not match.group().startswith("..") and _goes_on(text, match):
            continue
        return match.end()
    return None


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Whether a full stop belongs to an abbreviation, an initial or a number of a list."""
    behind = text[match.end() :].lstrip()
    if not behind:
        return False
    word = _LAST_WORD.search(text[: match.end()])
    if word is None:
        return False
    bare = word.group(1).lstrip("\"'«“‘([").lower().replace("’", "'").rpartition("'")[2]
    if bare in ABBREVIATIONS:
        return True
    if _INITIALS.fullmatch(bare):
        # an initial, or "1." at the beginning of an item; a sentence may end in a number: "... le 3. Ensuite ..."
        return not bare.isdigit() or match.start() - len(bare) == 0 or behind[0].islower()
    return behind[0].islower()


def _clause_end(text: str, least: int) -> int | None:
    return next((match.end() for match in _CLAUSE.finditer(text) if match.end() >= least), None)


def _within(text: str) -> int:
    """The last clause, else the last word, that ends before LONGEST."""
    clauses = [match.end() for match in _CLAUSE.finditer(text, 0, LONGEST)]
    if clauses and clauses[-1] > LONGEST // 3:
        return clauses[-1]
    space = text.rfind(" ", 1, LONGEST)
    return space if space > 0 else LONGEST
