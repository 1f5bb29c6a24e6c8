"""Reads a yes or a no, however politely it is said. Pure.

A yes that is denied in its clause ("c'est pas exact", "I don't think that's correct") is a no; one that is doubted
("not sure", "je ne sais pas si c'est ça") is nothing, and what is nothing is asked again. Neither is ever a yes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from dialogue.slots.denial import DENIALS, Denials
from dialogue.slots.lexicon import Lexicon
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import Word, find_phrase, texts, without_fillers, words_of

Polarity: TypeAlias = bool | Literal["unsure", "denied", "denied_to_no"]
READABLE = {"fr": ("non", "oui"), "it": ("no", "sì"), "en": ("no", "yes")}


def parse_yes_no(text: str, lexicon: Lexicon) -> SlotReading:
    """True, False or nothing. When both are said the last one counts, with little confidence.

    `negated`: a yes was denied or doubted ("c'est pas exact"); whatever that resembles, it is no yes.
    """
    heard = words_of(text)
    words = without_fillers(heard, lexicon)
    if find_phrase(texts(heard), lexicon.yes, 0) == len(heard) > 0:
        words = heard  # "uh huh"
    if not words:
        return NOTHING
    denials = DENIALS[lexicon.language]
    answers: list[Polarity] = []
    covered = 0
    for clause in _clauses(words, denials):
        found, length = _clause(clause, lexicon, denials)
        answers += found
        covered += length
    if not answers:
        return NOTHING
    denied_to_no = "denied_to_no" in answers
    answers = [False if answer == "denied_to_no" else answer for answer in answers]
    value = answers[-1]
    decided = [answer for answer in answers if isinstance(answer, bool)]
    if not isinstance(value, bool) or (value is True and len(decided) < len(answers)):
        denied = "denied" in answers or bool(decided)
        return NOTHING.with_flags(negated=denied, corrected=False)
    mixed = len(set(decided)) > 1 or len(decided) < len(answers)
    confidence = 0.6 if mixed else 0.97 if covered * 2 >= len(words) else 0.85
    return SlotReading(
        value,
        complete=True,
        open=words[-1].text in lexicon.dangling,
        confidence=confidence,
        negated=denied_to_no,
        corrected=mixed,
        readable=READABLE[lexicon.language][value],
    )


def _clauses(words: Sequence[Word], denials: Denials) -> Iterator[list[str]]:
    """Stretches that a denial reaches through: punctuation and "but" end them."""
    clause: list[str] = []
    for word in words:
        if clause and (word.pause or word.text in denials.clause_ends):
            yield clause
            clause = []
        clause.append(word.text)
    if clause:
        yield clause


def _clause(words: Sequence[str], lexicon: Lexicon, denials: Denials) -> tuple[list[Polarity], int]:
    """What one clause answers, in order, and how many words those answers are."""
    answers: list[Polarity] = []
    covered = 0
    denied_at: int | None = None  # where a denial stands that no phrase has taken up
    doubted = False
    position = 0
    while position < len(words):
        yes = find_phrase(words, lexicon.yes, position)
        no = find_phrase(words, lexicon.no, position)
        doubt = find_phrase(words, denials.doubts, position)
        if doubt and doubt >= max(yes, no):
            doubted = True
            is_yes = not denials.certainty.isdisjoint(words[position : position + doubt])
            answers.append("denied" if is_yes else "unsure")
            position += doubt
            continue
        length = max(yes, no)
        if not length:
            if denials.is_denial(words, position):
                denied_at = position
            position += 1
            continue
        phrase = tuple(words[position : position + length])
        answer = _answer(yes > no, phrase, words, position, denied_at, denials)
        if yes <= no and " ".join(phrase) not in denials.plain_no:
            denied_at = position + length - 1  # "je ne pense pas ..." denies what follows too
        if doubted and answer is True:
            answers.append("denied")  # "je ne sais pas si c'est exact"
        elif answer is not None:
            answers.append(answer)
            covered += length
        position += length
    return answers, covered


def _answer(
    is_yes: bool, phrase: tuple[str, ...], words: Sequence[str], position: int, denied_at: int | None, denials: Denials
) -> Polarity | None:
    """What a phrase answers where it stands; None when it is no answer there ("un certo signore", "si vous voulez")."""
    said = " ".join(phrase)
    behind = position + len(phrase)
    if (
        is_yes
        and phrase[0] in denials.subjects
        and words[behind : behind + 1]
        and words[behind] in denials.behind_verbs
    ):
        return "denied_to_no"  # "je confirme pas"
    if not is_yes:
        if denied_at is None or (said in denials.plain_no and words[denied_at] not in denials.neither):
            return False
        return "denied"  # "ce n'est pas faux"
    if denied_at is not None:
        near = position - denied_at <= denials.reach
        return "denied_to_no" if near and said not in denials.doubtful else "denied"
    if said in denials.only_alone and not denials.stands_alone(words, position, len(phrase)):
        return None
    return True
