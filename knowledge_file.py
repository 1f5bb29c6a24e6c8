"""Reads a knowledge file: questions and their answers, in Markdown beside the flows. Pure.

    ### Dove si parcheggia?
    ### C'è un parcheggio vicino?
    In via Verdi, a due minuti da qui, il parcheggio è gratuito.

A heading of the third level is a question, what is below it up to the next is its answer. Headings that follow each
other are ways of asking the same; other headings, comments and what stands before the first question are for the
people who write the file. Flows and the intent service read the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_ENTRIES = 1_000
MOST_QUESTION = 200  # characters
MOST_WORDS = 40
"""Of an answer: it is said aloud, and nobody keeps more in mind."""
_QUESTION = re.compile(r"###(?!#)\s*(?P<text>.*?)\s*#*\s*")
_HEADING = re.compile(r"#{1,6}(\s.*)?")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOT_SAID = (
    (re.compile(r"^\s*(?:[-*+]|\d+[.)])\s"), "a list is nothing that can be said: write sentences"),
    (re.compile(r"(?:https?://|www\.)\S"), "an address of the web is nothing that can be said"),
    (re.compile(r"^\s*\||^\s*```"), "tables and code are nothing that can be said"),
)
_MARKS = re.compile(r"(\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True)
class KnownAnswer:
    """An answer, and the ways of asking for it. `line` is that of the first question, from 1."""

    questions: tuple[str, ...]
    answer: str
    line: int


class BadKnowledge(ValueError):
    """A file that is refused; `faults` are line and reason of all that is wrong in it."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"line {line}: {reason}" for line, reason in faults))


def read_knowledge(text: str) -> tuple[KnownAnswer, ...]:
    """The entries of a Markdown text, in its order. Raises BadKnowledge."""
    faults: list[tuple[int, str]] = []
    entries = tuple(_entries(_without_comments(text).splitlines(), faults))
    asked: dict[str, int] = {}
    for entry in entries:
        for question in entry.questions:
            first = asked.setdefault(question.casefold(), entry.line)
            if first != entry.line:
                faults.append((entry.line, f"the question {question!r} stands in line {first} already"))
    if not entries and not faults:
        faults.append((1, "there is no question: a line that begins with ###"))
    if len(entries) > MOST_ENTRIES:
        faults.append((entries[MOST_ENTRIES].line, f"more than {MOST_ENTRIES} answers"))
    if faults:
        raise BadKnowledge(sorted(faults))
    return entries


def _without_comments(text: str) -> str:
    """The text with the lines of its comments empty."""
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text.removeprefix("\ufeff"))


def _entries(lines: list[str], faults: list[tuple[int, str]]) -> Iterator[KnownAnswer]:
    questions: list[str] = []
    answer: list[str] = []
    begins = 0

    def entry() -> Iterator[KnownAnswer]:
        words = _MARKS.sub(r"\2", " ".join(answer)).split()
        if questions and not words:
            faults.append((begins, f"the question {questions[-1]!r} has no answer"))
        elif questions:
            if len(words) > MOST_WORDS:
                faults.append(
                    (begins, f"the answer has {len(words)} words, and nobody listens to more than {MOST_WORDS}")
                )
            yield KnownAnswer(tuple(questions), " ".join(words), begins)

    for number, line in enumerate(lines, 1):
        question = _QUESTION.fullmatch(line.strip())
        if question is not None:
            if answer or not questions:
                yield from entry()
                questions, answer, begins = [], [], number
            text = _MARKS.sub(r"\2", question["text"])
            if not any(letter.isalnum() for letter in text) or len(text) > MOST_QUESTION:
                faults.append((number, f"a question has 1 to {MOST_QUESTION} characters, and a word"))
            questions.append(text)
        elif _HEADING.fullmatch(line.strip()):
            yield from entry()
            questions, answer = [], []
        elif questions and line.strip():
            faults += [(number, why) for pattern, why in _NOT_SAID if pattern.search(line)]
            answer.append(line)
    yield from entry()
