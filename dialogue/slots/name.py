"""Reads a person's name, as it is said, announced, or spelled ("Marie Dupont, D comme Denise U P O N D"). Pure.

No register of names decides: a name is what stands where a name is announced ("je m'appelle"), or alone, and is made of
no other word. How sure that is depends on capitals, on known first names, and on whether it was spelled; what is not
sure is asked or read back. Letters win over what was heard: they replace the word that is most like them.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from dialogue.slots.alphabets import ALPHABETS
from dialogue.slots.lexicon import Lexicon
from dialogue.slots.name_words import NAME_WORDS, NameWords
from dialogue.slots.numbers import is_number_word
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.spelling import LEAST_LETTERS, WrittenWord, letter_at, spelled_at, written_words
from dialogue.slots.words import cut_at_corrections, fold

HYPHENS = {
    language: tuple(phrase for phrase, sign in alphabet.signs if sign == "-")
    for language, alphabet in ALPHABETS.items()
}
MOST_NAMES = 5  # words of a name, particles not counted
_MOST_STRETCHES = 2  # so many names that are not said together are no name
_LIKENS = frozenset({"comme", "come", "for", "as"})
SAME = 0.75  # similarity from which letters spell words that seemed to be none
LIKE_ONE = 0.42  # the same where one word alone was heard
LIKE = 0.5  # similarity from which letters spell a word that was heard
SPELLED, ANNOUNCED, KNOWN, CAPITALS, LONELY, BARE, DOUBTED = 0.95, 0.9, 0.88, 0.9, 0.8, 0.6, 0.5
_ALIKE = ("dt", "iy", "ck", "sz", "cs", "ei")  # letters that are heard for one another
_JOINED = re.compile(r"([ '-])")
_ItemKind: TypeAlias = Literal[
    "name", "spelled", "changed", "announces", "presents", "title", "first", "last", "spells", "behind", "hyphen",
    "skip", "both", "other",
]  # fmt: skip


@dataclass(frozen=True)
class _Item:
    """A piece of what was said. `text`: of a name as it will be written, of letters what they spell."""

    kind: _ItemKind
    text: str = ""
    pause: bool = False
    hyphen: bool = False
    change: tuple[str, str, bool] = ("", "", False)  # with, without or twice; the letter; at the end
    is_known: bool = False
    is_capital: bool = False


@dataclass
class _Stretch:
    """Names that were said together, and what shows that they are a name."""

    by: Literal["bare", "presents", "announces"] = "bare"
    part: Literal["", "first", "last"] = ""
    words: list[str] = field(default_factory=list)
    is_spelled: bool = False
    is_doubted: bool = False
    is_broken: bool = False  # other words stand in the same clause
    known: int = 0
    capitals: int = 0
    is_led: bool = False  # by an article or the like, which may make it a thing ("mon nom de la liste")


def parse_name(text: str, lexicon: Lexicon, previous: str | None = None) -> SlotReading:
    """The name of a text, in the way it is written. `previous`: the name that was read back; letters or a single name
    that are said then replace the part that is most like them.

    Open: whoever says a name may go on with the next one, or with its letters.
    """
    words = NAME_WORDS[lexicon.language]
    pieces, negated = cut_at_corrections(written_words(text), lexicon)
    heard = [word for piece in pieces for word in piece]
    is_cased = any(word.written[:1].isupper() and not word.written.isupper() for word in heard)
    found, corrected = NOTHING, False
    for piece in pieces:
        items = _items(piece, lexicon, words, is_cased, heard[0])
        before = str(found.value) if found.complete else (previous or "")
        reading = _reading(_stretches(items), items, before, is_cased)
        if reading.complete and _is_half_heard(items, lexicon.language):
            reading = replace(reading, confidence=min(reading.confidence, DOUBTED))
        if reading.complete:
            corrected = corrected or found.complete
            found = reading
    return found.with_flags(negated, corrected)


def _is_half_heard(items: Sequence[_Item], language: str) -> bool:
    """Whether somebody spelled, and not all of it was understood: a "comme" that likens no letter, words between
    letters, one or two letters alone."""
    likened = frozenset(word for phrase in ALPHABETS[language].likened for word in phrase.split()) & _LIKENS
    if any(item.kind == "other" and item.text in likened for item in items):
        return True
    spelled = [at for at, item in enumerate(items) if item.kind == "spelled"]
    if not spelled:
        return False
    between = items[spelled[0] : spelled[-1]]
    is_short = sum(len(items[at].text) for at in spelled) < LEAST_LETTERS
    is_announced = any(item.kind == "spells" for item in items)
    return any(item.kind == "other" for item in between) or (is_short and not is_announced)


# --- from words to items ----------------------------------------------------------------------------------------------


def _items(
    piece: Sequence[WrittenWord], lexicon: Lexicon, words: NameWords, is_cased: bool, opening: WrittenWord
) -> list[_Item]:
    texts = _apart(piece)
    items: list[_Item] = []
    position = 0
    while position < len(piece):
        item, position = _next(piece, texts, position, lexicon, words, items, is_cased, opening)
        items.append(item)
    return _joined_by_letters(items)


def _joined_by_letters(items: Sequence[_Item]) -> list[_Item]:
    """The items, with what letters spell as one name where it was heard as several words ("Marie du pont, D U P")."""
    found: list[_Item] = []
    for item in items:
        for size in (3, 2) if item.kind == "spelled" else ():
            before = found[-size:]
            heard = "".join(fold(one.text).replace(" ", "") for one in before if one.kind in ("name", "other"))
            is_one = len(before) == size and all(one.kind in ("name", "other") for one in before)
            if is_one and any(one.kind == "other" for one in before) and _likeness(item.text, heard) > SAME:
                found[-size:] = [_Item("name", capitalised(heard), before[0].pause)]
                break
        found.append(item)
    return found


def _apart(piece: Sequence[WrittenWord]) -> list[str]:
    return [word.text for word in piece]


def _next(
    piece: Sequence[WrittenWord],
    texts: Sequence[str],
    at: int,
    lexicon: Lexicon,
    words: NameWords,
    before: Sequence[_Item],
    is_cased: bool,
    opening: WrittenWord,
) -> tuple[_Item, int]:
    pause = piece[at].pause
    announced = bool(before) and before[-1].kind == "spells"
    spelling = spelled_at(piece, at, lexicon.language, announced)
    if spelling is not None and len(spelling.text) > 1:
        return _Item("spelled", spelling.text, pause), spelling.end
    change = _change(piece, texts, at, lexicon.language, words)
    if change is not None:
        return _Item("changed", pause=pause, change=change[0]), change[1]
    kinds: tuple[tuple[_ItemKind, Sequence[str]], ...] = (
        ("announces", words.announces), ("first", words.first), ("last", words.last), ("spells", words.spells),
        ("presents", words.presents), ("behind", words.behind), ("title", words.titles), ("skip", words.polite),
        ("hyphen", HYPHENS[lexicon.language]),
    )  # fmt: skip
    best: tuple[int, _ItemKind] = (0, "other")
    for kind, phrases in kinds:
        length = _length(texts, at, phrases)
        if length > best[0]:
            best = (length, kind)
    if best[0]:
        return _Item(best[1], pause=pause), at + best[0]
    word = piece[at]
    if word.text in words.both:
        return _Item("both", pause=pause), at + 1
    if _is_inner(piece, at, words, before):
        return _Item("name", capitalised(word.written)), at + 1
    if word.text in lexicon.fillers:
        return _Item("skip", pause=False), at + 1
    return _name(piece, at, lexicon, words, before, is_cased, opening)


def _name(
    piece: Sequence[WrittenWord],
    at: int,
    lexicon: Lexicon,
    words: NameWords,
    before: Sequence[_Item],
    is_cased: bool,
    opening: WrittenWord,
) -> tuple[_Item, int]:
    """A word of a name with the particles before it, or no name at all."""
    follows = bool(before) and before[-1].kind in ("name", "hyphen") and not piece[at].pause
    end = at
    while end < len(piece) and (end == at or not piece[end].pause) and _leads(piece, end, words, is_cased or follows):
        end += 1
    other = _Item("other", piece[at].text, piece[at].pause), at + 1
    if end == len(piece) or (end > at and piece[end].pause):
        return other
    word = piece[end]
    is_capital = is_cased and word.written[0].isupper() and not (word is opening or word.pause)
    is_name = _may_be_name(word, lexicon, words, is_capital, end > at) or (follows and word.text in words.also_names)
    if not is_name or (end > at and is_cased and not is_capital):
        return other
    parts = [_written(piece[n], is_cased, words) for n in range(at, end + 1)]
    text = ""
    for n, part in enumerate(parts):
        elided = piece[at + n - 1].text.endswith("'") if n else False
        text += ("'" if elided else "-" if n and piece[at + n].hyphen else " " if n else "") + part
    is_known = word.text in words.given
    return _Item("name", text, piece[at].pause, piece[at].hyphen, ("", "", False), is_known, is_capital), end + 1


def _leads(piece: Sequence[WrittenWord], at: int, words: NameWords, may_elide: bool) -> bool:
    """Whether a word belongs to the name behind it: "de", "Le", the M' of M'Barek."""
    word = piece[at]
    if word.text in words.particles:
        return True
    behind = piece[at + 1 : at + 2]
    if not (may_elide and behind and word.text.endswith("'")):
        return False
    return behind[0].written[0].isupper() or (word.written.islower() and behind[0].text not in words.no_names)


def _may_be_name(word: WrittenWord, lexicon: Lexicon, words: NameWords, is_capital: bool, is_led: bool) -> bool:
    if word.text.endswith("'") or not word.text.isalpha() or len(word.text) < 2:
        return False
    if word.text in words.particles or word.text in lexicon.fillers:
        return is_capital and not is_led and word.text in words.inner
    if word.text in words.no_names or is_number_word(word, lexicon):
        return is_capital and word.text not in lexicon.yes and len(word.text) > 2
    return True


def _is_inner(piece: Sequence[WrittenWord], at: int, words: NameWords, before: Sequence[_Item]) -> bool:
    """ "Mohamed Ben Ali": a hesitation elsewhere, but not between two names."""
    behind = piece[at + 1 : at + 2]
    is_between = bool(before) and before[-1].kind == "name" and bool(behind) and not piece[at].pause
    return piece[at].text in words.inner and is_between and not behind[0].pause


def _written(word: WrittenWord, is_cased: bool, words: NameWords) -> str:
    if is_cased and word.written[0].isupper() and not (word.written.isupper() and len(word.written) > 1):
        return word.written
    if word.text in words.small and is_cased <= word.written[0].islower():
        return word.written.lower()
    return capitalised(word.written)


def capitalised(text: str) -> str:
    """A name in lower case as one writes it: "o'brien-mcdonald" is O'Brien-McDonald."""
    parts = _JOINED.split(text.lower())
    return "".join(
        f"Mc{part[2:].capitalize()}" if re.match("mc[a-z]{3}", part) else part.capitalize() for part in parts
    )


def _change(
    piece: Sequence[WrittenWord], texts: Sequence[str], at: int, language: str, words: NameWords
) -> tuple[tuple[str, str, bool], int] | None:
    """ "Avec un d à la fin", "sans h", "avec deux n"."""
    for how, phrases in (("with", words.with_letter), ("without", words.without_letter)):
        length = _length(texts, at, phrases)
        if not length:
            continue
        position = at + length
        if how == "with" and position < len(piece) and texts[position] in words.twice:
            how, position = "twice", position + 1
        letter = letter_at(piece, position, language)
        if letter is None:
            continue
        said, position = letter
        if how == "with" and len(said) == 2:
            how, said = "twice", said[0]
        if position < len(piece) and texts[position] == "s":
            position += 1
        if position < len(piece) and texts[position] == "accent":
            continue
        at_end = _length(texts, position, words.at_end)
        return (how, said[0], bool(at_end)), position + at_end
    return None


def _length(texts: Sequence[str], at: int, phrases: Sequence[str]) -> int:
    for phrase in phrases:
        parts = phrase.split()
        if list(texts[at : at + len(parts)]) == parts:
            return len(parts)
    return 0


# --- from items to names ----------------------------------------------------------------------------------------------


def _stretches(items: Sequence[_Item]) -> list[_Stretch]:
    found: list[_Stretch] = []
    now = _Stretch()
    was_other = joins = False

    def close() -> None:
        nonlocal now
        if now.words or now.is_spelled:
            found.append(now)
        now = _Stretch()

    for number, item in enumerate(items):
        match item.kind:
            case "announces" | "presents":
                close()
                now.by, was_other = item.kind, False
            case "first" | "last":
                close()
                now.by, now.part, was_other = "announces", item.kind, False
            case "title":
                if now.words:
                    close()
                if was_other and not item.pause and now.by == "bare":
                    now.is_broken = True  # "passez-moi monsieur Martin"
                else:
                    now.by = "announces"
            case "hyphen":
                joins = bool(now.words)
            case "name":
                is_new = item.pause and bool(now.words) and not _goes_on(items, number, now)
                if is_new:
                    close()
                now.is_broken = now.is_broken or (was_other and not item.pause and now.by == "bare")
                _add_name(now, replace(item, hyphen=item.hyphen or joins))
                was_other = joins = False
            case "spelled":
                if now.words or now.by != "bare" or not found or found[-1].is_broken:
                    _spell(now, item.text)
                else:
                    _spell(found[-1], item.text)
                was_other = False
            case "changed" if now.words:
                text, is_sure = changed(now.words[-1], item.change)
                now.words[-1] = text
                now.is_doubted = now.is_doubted or not is_sure
            case "both":
                follows = items[number + 1 : number + 2]
                if now.words and follows and follows[0].kind == "name":
                    now.is_doubted = True  # "Marie et Paul"
                close()
                was_other = True
            case "other":
                if now.by == "bare" and now.words and not item.pause:
                    now.is_broken = True
                close()
                was_other = True
            case "skip" | "behind" | "spells" | "changed":
                was_other = was_other and not item.pause
    close()
    return found


def _goes_on(items: Sequence[_Item], at: int, now: _Stretch) -> bool:
    """Whether a name behind a pause belongs to those before it: "Dupont, Marie" - each a single one."""
    follows = items[at + 1 : at + 2]
    is_single = not follows or follows[0].kind in ("spelled", "behind", "skip", "spells", "changed")
    return len(now.words) == 1 and is_single


def _add_name(now: _Stretch, item: _Item) -> None:
    if item.hyphen and now.words:
        now.words[-1] += f"-{item.text}"
    elif now.words and fold(now.words[-1]) == fold(item.text):
        now.is_doubted = now.is_doubted or not item.pause  # said twice, or Martin Martin
    else:
        now.words.append(item.text)
    now.known += item.is_known
    now.is_led = now.is_led or (not item.is_capital and (" " in item.text or "'" in item.text))
    now.capitals += item.is_capital


def _spell(now: _Stretch, letters: str) -> None:
    """Letters take the place of the words that are most like them; they are a name of their own where none is."""
    ends = [fold("".join(now.words[at:])) for at in range(len(now.words))]
    if letters == fold(letters) and re.sub(r"[^a-z]", "", letters) in [re.sub(r"[^a-z]", "", end) for end in ends]:
        now.is_spelled = True  # "Ben Ali, B E N A L I"
        return
    for word in letters.split(" "):
        sounds = [_likeness(word, other) for other in now.words]
        best = max(range(len(sounds)), key=lambda n: (sounds[n], n)) if sounds else -1
        least = LIKE_ONE if len(now.words) == 1 else LIKE
        if best >= 0 and sounds[best] >= least:
            now.is_doubted = now.is_doubted or fold(word)[:1] != fold(now.words[best])[:1]
            now.words[best] = _kept_accents(word, now.words[best])
        elif len(now.words) > 1 and now.is_spelled is False and len(letters.split(" ")) == 1 and sounds[-1] >= LIKE / 2:
            now.words[-1] = capitalised(word)
        else:
            now.words.append(capitalised(word))
    now.is_spelled = True


def _likeness(letters: str, word: str) -> float:
    one, other = fold(letters), fold(word)
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return ratio if one[:1] == other[:1] else ratio * 0.8


def _kept_accents(letters: str, word: str) -> str:
    """Letters without accents and blanks have those of the word that was heard, where they are the same."""
    plain = unicodedata.normalize("NFC", letters)
    if plain != fold(plain):
        return capitalised(letters)
    if plain == fold(word) or plain == re.sub(r"[^a-z]", "", fold(word)):
        return word
    son = re.match(r"(ben|bin)(?=" + re.escape(fold(word)) + "$)", plain)  # "Ben" alone may be a hesitation
    if son is not None:
        return f"{capitalised(son[1])} {word}"
    lead = re.match(r"(\w+)[ ']", word)  # "de Sousi", spelled D E S O U S A
    if lead is not None and plain.startswith(fold(lead[1])) and plain.isalpha():
        return word[: lead.end()] + capitalised(plain[len(lead[1]) :])
    return capitalised(letters)


def changed(word: str, change: tuple[str, str, bool]) -> tuple[str, bool]:
    """A word with a letter more, less or other, and whether it is clear where: "Dupont", with a d, is "Dupond"."""
    how, letter, at_end = change
    low = fold(word)
    if len(low) != len(word):
        return word, False
    places = [n for n, other in enumerate(low) if other == letter]
    if how == "without":
        return (word[: places[0]] + word[places[0] + 1 :], True) if len(places) == 1 else (word, not places)
    if how == "twice":
        if letter * 2 in low:
            return word, True
        places = [place for place in places if place]  # no name begins so
        return (word[: places[0]] + letter + word[places[0] :], True) if len(places) == 1 else (word, False)
    if at_end:
        if low[-1] == letter:
            return word, True
        swaps = any({low[-1], letter} == set(pair) for pair in _ALIKE)
        return (word[:-1] if swaps else word) + letter, True
    others = [n for n, other in enumerate(low) if any({other, letter} == set(pair) for pair in _ALIKE)]
    if letter in "dt" and low[-1] in "dt":
        others = [len(low) - 1]
    elif places:
        return word, True
    if len(others) != 1:
        return word, False
    capital = letter.upper() if word[others[0]].isupper() else letter
    return word[: others[0]] + capital + word[others[0] + 1 :], True


# --- the reading ------------------------------------------------------------------------------------------------------


def _reading(stretches: Sequence[_Stretch], items: Sequence[_Item], previous: str, is_cased: bool) -> SlotReading:
    labelled = {stretch.part: stretch for stretch in stretches if stretch.part}
    if len(labelled) == 2:
        first, last = labelled["first"], labelled["last"]
        least = min(_confidence(first, is_cased), _confidence(last, is_cased))
        return _made([*first.words, *last.words], max(least, LONELY))
    rated = [(stretch, _confidence(stretch, is_cased)) for stretch in stretches]
    rated = [pair for pair in rated if pair[1] > 0]
    if not rated:
        return _only_changed(items, previous)
    order = {"bare": 0, "presents": 1, "announces": 2}
    best, confidence = max(rated, key=lambda pair: (pair[0].is_spelled, bool(pair[0].part), order[pair[0].by], pair[1]))
    if len({" ".join(stretch.words) for stretch, _ in rated}) > _MOST_STRETCHES and not best.part:
        confidence = min(confidence, DOUBTED)
    words = best.words
    if previous and len(words) == 1 and " " in previous:
        words, is_sure = _replaced(previous, words[0], best)
        confidence = confidence if is_sure else min(confidence, DOUBTED)
    elif best.part and (others := [s for s, _ in rated if not s.part and s.by == "announces"]):
        one, other = (
            (best, others[-1]) if best.part == "first" else (others[-1], best)
        )  # "mon nom est", "mon prénom est"
        words = [*one.words, *other.words]
    return _made(words, confidence)


def _confidence(stretch: _Stretch, is_cased: bool) -> float:
    """How surely a stretch is a name; 0: it is none."""
    count = len(stretch.words)
    if not count or count > MOST_NAMES:
        return 0.0
    lower = is_cased and not stretch.capitals and not stretch.is_spelled
    match stretch.by:
        case "announces":
            sure = ANNOUNCED if stretch.known or stretch.capitals else LONELY if count > 1 else 0.75
            is_thing = count == 1 and stretch.is_led
            sure = BARE if (lower or is_thing) and not stretch.known else sure
        case "presents":
            sure = CAPITALS if stretch.known or stretch.capitals >= 2 else DOUBTED if not lower else 0.0
            if count == 1:
                sure = LONELY if stretch.known else 0.74 if stretch.capitals else 0.0
        case "bare":
            if stretch.is_broken and not stretch.is_spelled:
                return 0.0
            sure = KNOWN if stretch.known or stretch.capitals else BARE
            if count == 1:
                sure = LONELY if stretch.known else 0.55
            if lower and count > 1 and not stretch.known:
                sure = 0.0
    if stretch.is_spelled:
        sure = SPELLED
    return min(sure, DOUBTED) if stretch.is_doubted else sure


def _replaced(previous: str, word: str, stretch: _Stretch) -> tuple[list[str], bool]:
    """The name that was read back with one part said anew."""
    parts = previous.split(" ")
    if stretch.part:
        return ([word, *parts[1:]] if stretch.part == "first" else [parts[0], word]), True
    alike = [_likeness(word, part) for part in parts]
    best = max(range(len(parts)), key=lambda n: alike[n])
    if alike[best] < LIKE:
        return [word], True
    return [*parts[:best], _kept_accents(fold(word), word), *parts[best + 1 :]], True


def _only_changed(items: Sequence[_Item], previous: str) -> SlotReading:
    """ "Non, avec un d": what was read back, with another letter."""
    changes = [item.change for item in items if item.kind == "changed"]
    if not previous or not changes:
        return NOTHING
    *parts, last = previous.split(" ")
    text, is_sure = changed(last, changes[-1])
    return _made([*parts, text], LONELY if is_sure else DOUBTED) if text != last else NOTHING


def _made(words: Sequence[str], confidence: float) -> SlotReading:
    name = " ".join(dict.fromkeys(words))
    if sum(character.isalpha() for character in name) < 2:
        return NOTHING
    return replace(SlotReading(name, True, True, confidence), readable=name)
