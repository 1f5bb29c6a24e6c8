"""Reads an e-mail address as callers say it or a recogniser writes it ("marie point roy arobase free point fr"). Pure.

Between the words that are said for signs stand names, letters that are spelled, and numbers. What is one word or two,
a domain that nobody knows, and one that is nearly a known one are asked. Addresses are kept in lower case.
"""

from __future__ import annotations

import difflib
import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from dialogue.slots.alphabets import ALPHABETS
from dialogue.slots.email_words import EMAIL_WORDS, ENDINGS, MISHEARD_ENDINGS, PROVIDERS, EmailWords
from dialogue.slots.lexicon import Lexicon
from dialogue.slots.numbers import is_number_word, natural, readings
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.spelling import WrittenWord, spelled_at
from dialogue.slots.words import MAX_CHARACTERS, Word, cut_at_corrections, fold

MOST_LOCAL, MOST_ADDRESS, MOST_LABEL = 64, 254, 63
"""RFC 5321, 4.5.3.1; RFC 1035, 2.3.4."""
WRITTEN, SPOKEN, MIXED, DOUBTED = 0.95, 0.9, 0.85, 0.65
_MOST_DIGITS = 24
_MOST_NUMBER_WORDS = 12  # of one number; bounds the work on garbage
NEAR = 0.8  # similarity to a known domain from which it is rather that
_TOKEN = re.compile(r"\d+|[@_+.,;:!?…-]|[^\W\d_]+['’ʼ`´]|[^\W\d_]+")
_LOCAL = re.compile(r"[a-z0-9_](?:[a-z0-9_+-]|\.(?!\.))*(?<![.])")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PAUSES = frozenset(",;:!?…")
_E_MAIL = re.compile(r"\be-mail", re.IGNORECASE)
_PartKind: TypeAlias = Literal["sign", "word", "letters", "digits", "together", "around"]


@dataclass(frozen=True)
class _Part:
    """A piece of an address: its characters, and whether the recogniser wrote it hard beside the one before."""

    kind: _PartKind
    text: str = ""
    glued: bool = False
    written: bool = False  # the sign stood there itself
    doubted: bool = False


def parse_email(text: str, lexicon: Lexicon, previous: str | None = None) -> SlotReading:
    """The address of a text, in lower case. To what was read back (`previous`) a domain alone ("non, arobase free point
    fr"), or a name alone, replaces that half."""
    words = EMAIL_WORDS[lexicon.language]
    pieces, negated = cut_at_corrections(_tokens(text), lexicon)
    found, corrected, is_begun = NOTHING, False, False
    for piece in pieces:
        parts = _parts(piece, lexicon, words)
        before = str(found.value) if found.complete else (previous or "")
        reading = _address(parts) or _half(parts, before)
        is_begun = is_begun or any(part.kind == "sign" for part in parts)
        if reading is not None:
            corrected = corrected or found.complete
            found = reading
    if not found.complete and is_begun:
        found = SlotReading(None, open=True)
    return found.with_flags(negated, corrected)


# --- from text to parts -----------------------------------------------------------------------------------------------


def _tokens(text: str) -> list[WrittenWord]:
    """Words, digits and signs. `hyphen`: nothing stands between it and the token before; a full stop that ends a
    sentence, and other punctuation, is a pause."""
    plain = _E_MAIL.sub("email", unicodedata.normalize("NFC", text[:MAX_CHARACTERS]))
    found: list[WrittenWord] = []
    end, pause = 0, False
    for match in _TOKEN.finditer(plain):
        said = match[0]
        before, after = plain[: match.start()], plain[match.end() :]
        ends_sentence = said == "." and bool(before) and not before[-1].isspace() and (not after or after[0].isspace())
        if said in _PAUSES or ends_sentence:
            pause, end = True, match.end()
            continue
        glued = match.start() == end and bool(found) and not pause and not found[-1].text.endswith("'")
        found.append(WrittenWord(fold(said), glued, pause, said.rstrip("'’ʼ`´")))
        end, pause = match.end(), False
    return found


def _parts(piece: Sequence[WrittenWord], lexicon: Lexicon, words: EmailWords) -> list[_Part]:
    found: list[_Part] = []
    position = 0
    texts = [word.text for word in piece]
    while position < len(piece):
        part, position = _next(piece, texts, position, lexicon, words, found)
        if part is not None:
            found.append(part)
    return found


def _next(
    piece: Sequence[WrittenWord],
    texts: Sequence[str],
    at: int,
    lexicon: Lexicon,
    words: EmailWords,
    before: Sequence[_Part],
) -> tuple[_Part | None, int]:
    word = piece[at]
    if word.text in "@._+-":
        is_between = word.text == "-" and word.hyphen and _spells(piece, at)
        return (None if is_between else _Part("sign", word.text, word.hyphen, written=True)), at + 1
    if _is_preposition(piece, texts, at, words, before):
        return _Part("around"), at + 1
    named = _named_letters(piece, texts, at, lexicon, words, before)
    if named is not None:
        return named
    spelled = _letters(piece, at, lexicon)
    sign, length = _longest(texts, at, words.signs)
    if spelled is not None and spelled[1] - at > length:
        return _Part("letters", spelled[0], word.hyphen), spelled[1]
    if length:
        return _Part("sign", sign), at + length
    for phrases, part in ((words.together, _Part("together")), (words.nothing, None)):
        _, length = _longest(texts, at, dict.fromkeys(phrases, ""))
        if length:
            return part, at + length
    is_beside = _is_beside_sign(texts, at, words, before)
    if word.text in words.around and not is_beside and not word.hyphen:
        return _Part("around"), at + 1
    if is_number_word(word, lexicon):
        run, end = _number_run(piece, at, lexicon)
        digits = natural(readings(run, lexicon.language, _MOST_DIGITS))
        if digits is not None:
            return _Part("digits", digits.text, word.hyphen), end
    if word.text.endswith("'"):
        return (_Part("word", word.text[:-1]) if is_beside else _Part("around")), at + 1
    kind: _PartKind = "letters" if len(word.text) == 1 else "word"
    return _Part(kind, word.text, word.hyphen), at + 1


def _is_preposition(
    piece: Sequence[WrittenWord], texts: Sequence[str], at: int, words: EmailWords, before: Sequence[_Part]
) -> bool:
    """ "Mi scriva a c.rossi": a word of one letter that leads to the address, and is none of its letters."""
    word = piece[at]
    if word.written in ("à", "À", "è", "È"):
        return True
    is_led = bool(before) and before[-1].kind == "around" and word.text in words.around and len(word.text) == 1
    ends = at + 1 == len(piece) or texts[at + 1] in "@._+-" or bool(_longest(texts, at + 1, words.signs)[1])
    return is_led and not ends and not word.written.isupper()


def _named_letters(
    piece: Sequence[WrittenWord],
    texts: Sequence[str],
    at: int,
    lexicon: Lexicon,
    words: EmailWords,
    before: Sequence[_Part],
) -> tuple[_Part, int] | None:
    """All words up to the next sign as letters, where each names one ("effe erre"); one alone may be a word as well."""
    end = at
    alphabet = ALPHABETS[lexicon.language]
    letters = ""
    while end < len(piece) and piece[end].text not in "@._+-" and not _longest(texts, end, words.signs)[1]:
        text = piece[end].text
        letter = (
            text if len(text) == 1 and text.isalpha() and piece[end].written != "à" else alphabet.letters.get(text, "")
        )
        if not letter or piece[end].hyphen:
            return None
        letters, end = letters + letter, end + 1
    is_led = bool(before) and before[-1].kind == "sign"
    if not letters or not (is_led or end < len(piece)) or (is_led and end - at == 1 and end == len(piece)):
        return None
    word = piece[at]
    is_word = (
        end - at == 1 and word.text in alphabet.usual_words and word.written.lower() == word.text and len(word.text) > 1
    )
    return _Part("letters", letters, doubted=is_word), end


def _number_run(piece: Sequence[WrittenWord], at: int, lexicon: Lexicon) -> tuple[list[Word], int]:
    """The number words from here on, hyphens between them ("vingt-deux") as such."""
    run: list[Word] = []
    end = at
    while end < len(piece) and len(run) < _MOST_NUMBER_WORDS:
        joins = piece[end].text == "-" and piece[end].hyphen and bool(run) and end + 1 < len(piece)
        word = piece[end + 1] if joins else piece[end]
        is_inner = bool(run) and not joins and word.text in lexicon.conjunctions and end + 1 < len(piece)
        if is_inner and is_number_word(piece[end + 1], lexicon):
            run.append(Word(word.text))
            end += 1
            continue
        if not is_number_word(word, lexicon) or (joins and word.is_digits):
            break
        run.append(Word(word.text, joins, word.pause))
        end += 2 if joins else 1
    return run, end


def _letters(piece: Sequence[WrittenWord], at: int, lexicon: Lexicon) -> tuple[str, int] | None:
    """Letters that are spelled, or the name of one that is no other word ("emme", "double v")."""
    end = at
    while end < len(piece) and piece[end].text not in "@._+":
        end += 1
    bare = [word for word in piece[at:end] if word.text != "-"]
    spelling = spelled_at(bare, 0, lexicon.language)
    if spelling is not None:
        last = [n for n in range(at, end) if piece[n].text != "-"][spelling.end - 1]
        return re.sub(r"[^a-z0-9-]", "", fold(spelling.text)), last + 1
    alphabet = ALPHABETS[lexicon.language]
    for phrase, letter in alphabet.long_letters:
        parts = phrase.split()
        if [word.text for word in piece[at : at + len(parts)]] == parts:
            return letter, at + len(parts)
    name = piece[at].text
    if name in alphabet.letters and name not in alphabet.usual_words and len(name) > 2:
        return alphabet.letters[name], at + 1
    return None


def _spells(piece: Sequence[WrittenWord], at: int) -> bool:
    """Whether a hyphen stands between single letters: "m-a-r-i-e"."""
    around = [*piece[max(0, at - 1) : at], *piece[at + 1 : at + 2]]
    return len(around) == 2 and all(len(word.text) == 1 and word.text.isalpha() for word in around)


def _longest(texts: Sequence[str], at: int, phrases: Mapping[str, str]) -> tuple[str, int]:
    """What the longest phrase that begins here stands for, and how many words it covers."""
    best = ("", 0)
    for phrase, stands_for in phrases.items():
        parts = phrase.split()
        if len(parts) > best[1] and list(texts[at : at + len(parts)]) == parts:
            best = (stands_for, len(parts))
    return best


def _is_beside_sign(texts: Sequence[str], at: int, words: EmailWords, before: Sequence[_Part]) -> bool:
    """Whether a sign stands right before a word, or right behind it: "le point goff"."""
    behind = at + 1 < len(texts) and (texts[at + 1] in "@._+-" or bool(_longest(texts, at + 1, words.signs)[1]))
    return behind or (bool(before) and before[-1].kind == "sign")


# --- from parts to an address -----------------------------------------------------------------------------------------


def _address(parts: Sequence[_Part]) -> SlotReading | None:
    """The last address that is whole."""
    found = None
    for at, part in enumerate(parts):
        if part.kind == "sign" and part.text == "@":
            local, domain = _before(parts, at), _behind(parts, at + 1)
            reading = _made(local, domain) if local is not None and domain is not None else None
            if reading is not None and not part.written and _has_written_hyphen(parts):
                reading = replace(reading, confidence=min(reading.confidence, DOUBTED))
            found = reading or found
    return found


def _has_written_hyphen(parts: Sequence[_Part]) -> bool:
    """ "Jean-Pierre arobase ...": a recogniser writes the name so, be the hyphen said or not."""
    return any(part.written and part.text == "-" for part in parts)


@dataclass(frozen=True)
class _Half:
    text: str
    confidence: float


def _before(parts: Sequence[_Part], at: int) -> _Half | None:
    """What stands before the @, back to the first word of a sentence."""
    start = at
    while start and parts[start - 1].kind != "around" and parts[start - 1].text != "@":
        start -= 1
    said = parts[start:at]
    while said and said[0].kind == "sign" and said[0].text != "_":
        said = said[1:]
    return _half_of(said) if said else None


def _half_of(said: Sequence[_Part]) -> _Half:
    """The characters of some parts; two words that no sign joins may be one word, or not."""
    is_together = any(part.kind == "together" for part in said)
    kept = [part for part in said if part.kind != "together"]
    confidence = WRITTEN if all(part.glued or part.written or not n for n, part in enumerate(kept)) else SPOKEN
    if any(part.doubted for part in kept):
        confidence = DOUBTED
    for one, other in itertools.pairwise(kept):
        if "sign" in (one.kind, other.kind) or other.glued or is_together:
            continue
        confidence = min(confidence, DOUBTED if (one.kind, other.kind) == ("word", "word") else MIXED)
    return _Half("".join(part.text for part in kept), confidence)


def _behind(parts: Sequence[_Part], start: int) -> _Half | None:
    """What stands behind the @: labels between dots, up to an ending that no dot follows."""
    labels: list[str] = [""]
    confidence = SPOKEN
    position = start
    is_written = True
    while position < len(parts):
        part = parts[position]
        if part.kind == "sign" and part.text == ".":
            if not labels[-1]:
                return None
            labels.append("")
        elif part.kind in ("together", "around") or part.text == "@":
            if part.kind == "around" or part.text == "@":
                break
        elif len(labels) > 1 and _is_ended(labels, parts, position):
            break
        else:
            labels[-1] += part.text
            confidence = DOUBTED if part.doubted else confidence
        is_written = is_written and (part.glued or part.written or position == start)
        position += 1
    labels = [label for label in labels if label]
    return _known(
        [*labels[:1], *(MISHEARD_ENDINGS.get(label, label) for label in labels[1:])],
        WRITTEN if is_written else confidence,
    )


def _is_ended(labels: Sequence[str], parts: Sequence[_Part], position: int) -> bool:
    """Whether the last label is whole: an ending, behind which comes no dot."""
    last = MISHEARD_ENDINGS.get(labels[-1], labels[-1])
    return last in ENDINGS and not (parts[position].kind == "letters" and last + parts[position].text in ENDINGS)


def _known(labels: list[str], confidence: float) -> _Half | None:
    """A domain with what it is nearly, or with the ending that nobody said."""
    if not labels:
        return None
    name, ending = labels[-2] if len(labels) > 1 else labels[0], ".".join(labels[1:])
    if len(labels) == 1:
        endings = PROVIDERS.get(name, ())
        return _Half(f"{name}.{endings[0]}", DOUBTED) if len(endings) == 1 else None
    if len(labels) <= 3 and labels[0] in PROVIDERS:
        confidence = min(confidence, WRITTEN if ending in PROVIDERS[labels[0]] else DOUBTED)
    elif labels[-1] not in ENDINGS:
        confidence = DOUBTED
    else:
        near = difflib.get_close_matches(labels[0], PROVIDERS, 1, NEAR) if len(labels[0]) > 3 else []
        if near and ending in PROVIDERS[near[0]]:
            labels, confidence = [near[0], *labels[1:]], DOUBTED
    return _Half(".".join(labels), confidence)


def _made(local: _Half, domain: _Half) -> SlotReading | None:
    """An address that may exist, None for any other."""
    address = f"{local.text}@{domain.text}"
    labels = domain.text.split(".")
    is_good = (
        len(local.text) <= MOST_LOCAL
        and len(address) <= MOST_ADDRESS
        and _LOCAL.fullmatch(local.text)
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) and len(label) <= MOST_LABEL for label in labels)
        and re.fullmatch(r"[a-z]{2,24}", labels[-1])
    )
    if not is_good:
        return None
    confidence = min(local.confidence, domain.confidence)
    return SlotReading(address, True, labels[-1] == "co", confidence, readable=address)


def _half(parts: Sequence[_Part], before: str) -> SlotReading | None:
    """The address that was read back with one half said anew: a domain, or what stands before the @."""
    local, _, domain = before.partition("@")
    if not domain or not any(part.kind in ("word", "letters", "digits") for part in parts):
        return None
    at = next((n for n, part in enumerate(parts) if part.text == "@"), None)
    behind = _behind(parts, at + 1) if at is not None else _behind(_without_lead(parts), 0)
    if behind is not None and (at is not None or behind.text.split(".")[0] in PROVIDERS):
        return _made(_Half(local, SPOKEN), _Half(behind.text, min(behind.confidence, SPOKEN)))
    if at is not None and at == len(parts) - 1 and (named := _before(parts, at)) is not None:
        return _made(named, _Half(domain, SPOKEN))
    said = _without_lead(parts)
    if at is None and said and all(part.kind != "around" for part in said):
        named = _half_of(said)
        least = MIXED if any(part.kind == "sign" for part in said) else DOUBTED  # a name or a date has no sign
        return _made(_Half(named.text, min(named.confidence, least)), _Half(domain, SPOKEN))
    return None


def _without_lead(parts: Sequence[_Part]) -> list[_Part]:
    """The parts behind the words that lead to them ("c'est plutôt ...")."""
    start = max((n + 1 for n, part in enumerate(parts) if part.kind == "around"), default=0)
    return list(parts[start:])
