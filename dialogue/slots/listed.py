"""Reads which of a few things that were just said is meant: "la deuxième", "con Giulia", "the ten o'clock one". Pure.

Things are records. One is named by its place ("the last one"), by the value of one of its fields as one says it, or by
both; what names several is never guessed: the reading tells which are meant, so that those can be asked about. "Aucun"
refuses all. A mention that none of them has ("celle de huit heures") is no choice of any.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from dialogue.slots.date_time import VOCABULARIES
from dialogue.slots.lexicon import Lexicon
from dialogue.slots.listed_words import LISTED_WORDS, ListedWords
from dialogue.slots.moments.marks import Day, DayPart, Hour, Marks
from dialogue.slots.moments.mentions import Mentions
from dialogue.slots.moments.normal import normal
from dialogue.slots.numbers import natural, number_runs, readings
from dialogue.slots.reading import NOTHING, SlotReading
from dialogue.slots.words import find_phrase, without_fillers, words_of
from dialogue.slots.yes_no import parse_yes_no

EXACT, SHIFTED, PARTLY = 0.95, 0.92, 0.9
CLOSE_ENOUGH = 0.84  # similarity of a misheard name
BARE_YES_NO = 0.95
STRANGER = 0.6  # one of several is called as nothing is
DATED, TIMED = ("date", "moment", "date_time"), ("time", "moment", "date_time")
NUMBERS, DIGITS = ("integer", "decimal", "money"), ("digits", "telephone", "postcode")
MOST_MISHEARD = 25  # words; who says more names something exactly, or nothing
LEAST_TAIL = 4  # so many last digits of a longer number name it
Numbers = frozenset[int]


@dataclass(frozen=True)
class ListedField:
    """One field of a record: its kind and value as they are kept, and the words for it where it has such."""

    kind: str
    value: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """A record that may be chosen: its number in the list, from 1, and the fields that it may be chosen by."""

    number: int
    fields: tuple[ListedField, ...]


@dataclass
class _Found:
    """What a text names: `sets` of options by what they were named by, `ruled_out`, and whether something was named
    that none of them has."""

    sets: dict[str, set[int]] = field(default_factory=dict)
    ruled_out: set[int] = field(default_factory=set)
    elsewhere: bool = False
    confidence: float = EXACT
    is_open: bool = False

    def add(self, what: str, numbers: Iterable[int], denied: bool, confidence: float = EXACT) -> None:
        named = set(numbers)
        if denied:
            self.ruled_out |= named
            return
        if named:
            self.sets.setdefault(what, set()).update(named)
            self.confidence = min(self.confidence, confidence)


def parse_listed(
    text: str, lexicon: Lexicon, options: Sequence[Option], offered: int, now: datetime, region: str
) -> SlotReading:
    """The number of the one option that a text names, as text. Places count among the first `offered` ones, which were
    said (0: none was); values among all. `among` holds the numbers of several of which one may be meant, `refused`
    tells that none is wanted. After a correction ("la première, non, la deuxième") the last one counts.
    """
    words = LISTED_WORDS[lexicon.language]
    yes_no = parse_yes_no(text, lexicon)
    reader = _Reader(lexicon, words, options, offered, now, region)
    plain = reader.normal(words.pronouns.sub("", text.lower()))
    pieces = list(_pieces(plain, lexicon))
    reader.words_said = text if len(pieces) == 1 else ""
    found = NOTHING
    for piece in pieces:
        reading = reader.piece(piece)
        if reading.complete or reading.among or reading.refused:
            found = reading
    if found.complete or found.among:
        return found.with_flags(yes_no.value is False, len(pieces) > 1)
    bare = yes_no.complete and yes_no.confidence >= BARE_YES_NO
    if found.refused or (bare and yes_no.value is False and not reader.elsewhere):
        return SlotReading(confidence=EXACT, negated=True, refused=True)
    if bare and yes_no.value is True and len(options) == 1 and not reader.elsewhere:
        return SlotReading(str(options[0].number), True, yes_no.open, yes_no.confidence)
    return NOTHING.with_flags(yes_no.value is False, False)


def parse_several(
    text: str,
    lexicon: Lexicon,
    options: Sequence[Option],
    offered: int,
    now: datetime,
    region: str,
    kept: Sequence[str] = (),
) -> SlotReading:
    """The numbers of all options that a text names, with spaces between, in the order in which they were named.

    The longest names come first ("taglio e piega" is one where there is such a thing). `kept` were chosen before:
    "anche il colore" adds to them, "senza il colore" takes away. With something in the list of names that nothing is
    called, little is certain, so that it is asked or read back. `refused` as in `parse_listed`.
    """
    words = LISTED_WORDS[lexicon.language]
    reader = _Reader(lexicon, words, options, offered, now, region)
    plain = reader.normal(words.no_joins.sub("", words.pronouns.sub("", text.lower())))
    found: list[str] = []
    ruled_out: list[str] = []
    confidence = EXACT
    for piece in _pieces(plain, lexicon):
        named, denied, sure = reader.several(piece.split())
        if named or denied:
            found, ruled_out, confidence = named, denied, sure
    tokens = set(plain.split())
    if tokens & words.adds:
        found = [*kept, *(number for number in found if number not in kept)]
    elif (ruled_out or tokens & words.removes) and kept:
        gone = {*ruled_out, *(found if tokens & words.removes else ())}
        swapped = [number for number in found if number not in gone]
        found = [number for number in (*kept, *swapped) if number not in gone]
    if found:
        is_open = bool(plain.split()) and plain.split()[-1] in (lexicon.dangling | words.joins | words.adds)
        return SlotReading(" ".join(dict.fromkeys(found)), True, is_open, confidence)
    yes_no = parse_yes_no(text, lexicon)
    is_no = yes_no.complete and yes_no.value is False and yes_no.confidence >= BARE_YES_NO
    if words.none.search(plain) or (is_no and not ruled_out):
        return SlotReading(confidence=EXACT, negated=True, refused=True)
    return NOTHING


def _pieces(plain: str, lexicon: Lexicon) -> Iterator[str]:
    """The text between corrections, without hesitations."""
    tokens = [token for token in plain.split() if token not in lexicon.fillers]
    piece: list[str] = []
    at = 0
    while at < len(tokens):
        length = find_phrase(tokens, lexicon.corrections, at)
        if length and not _is_mere_denial(tokens, at, length):
            yield " ".join(piece)
            piece = []
            at += length
        else:
            piece.append(tokens[at])
            at += 1
    yield " ".join(piece)


def _is_mere_denial(tokens: Sequence[str], at: int, length: int) -> bool:
    """An English "no" before what it denies ("no 1 of them")."""
    return length == 1 and tokens[at] == "no" and tokens[at + 1 : at + 2] == ["1"]


class _Reader:
    """Reads pieces of a text as names of options."""

    def __init__(
        self, lexicon: Lexicon, words: ListedWords, options: Sequence[Option], offered: int, now: datetime, region: str
    ) -> None:
        self.lexicon = lexicon
        self.words = words
        self.options = options
        self.offered = [option.number for option in options[:offered]]
        self.now = now.replace(tzinfo=None)
        self.zone = now.tzinfo if isinstance(now.tzinfo, ZoneInfo) else ZoneInfo("UTC")
        self.region = region
        self.times = VOCABULARIES[lexicon.language]
        self.marks = Marks()
        self.elsewhere = False
        self.words_said = ""
        """The text as it was said, where it is of one piece: numbers from a hundred on are read from that."""
        kinds = {one.kind for option in options for one in option.fields}
        self.has_days, self.has_times = bool(kinds & {*DATED}), bool(kinds & {*TIMED})

    def normal(self, text: str) -> str:
        return normal(text, self.times, self.marks, self.now.date(), self.region)

    def called(self, words: str) -> str:
        """The words of a value as they stand in normal text."""
        return _called(words, self.lexicon.language, self.region)

    def piece(self, plain: str) -> SlotReading:
        """What one piece names."""
        found = _Found()
        tokens = plain.split()
        if not tokens:
            return NOTHING
        if self.words.none.search(plain):
            return SlotReading(confidence=EXACT, refused=True)
        marked = Mentions(plain, self.times, self.marks, self.now, self.zone).find().split()
        self._places(marked, found)
        self._moments(marked, plain, found)
        self._numbers(plain, found)
        self._texts(tokens, found)
        if not found.sets and not found.ruled_out:
            self._misheard(tokens, found)
        self.elsewhere = self.elsewhere or found.elsewhere
        if found.elsewhere:
            return NOTHING
        return self._reading(found, set(tokens), tokens[-1] in self.lexicon.dangling)

    def _reading(self, found: _Found, said: set[str], dangles: bool) -> SlotReading:
        everything = {option.number for option in self.options}
        if found.sets:
            common = set.intersection(*found.sets.values()) - found.ruled_out
            left = common or set.union(*found.sets.values()) - found.ruled_out
        elif found.ruled_out:
            left = set(self.offered) - found.ruled_out
            if not left:
                return SlotReading(confidence=EXACT, refused=True)
            if len(left) > 1 or not said & self.words.other:
                return self._among(left)
        else:
            return NOTHING
        if len(left) != 1:
            return self._among(left) if left and left != everything else NOTHING
        return SlotReading(str(next(iter(left))), True, dangles or found.is_open, found.confidence)

    def _among(self, numbers: set[int]) -> SlotReading:
        return SlotReading(among=tuple(str(number) for number in sorted(numbers)))

    def several(self, tokens: list[str]) -> tuple[list[str], list[str], float]:
        """The numbers that a piece names, those that it denies, and how certain that is."""
        phrases = sorted(
            ((tuple(self.called(said).split()), option.number) for option in self.options for said in _said(option)),
            key=lambda pair: -len(pair[0]),
        )
        named: dict[int, int] = {}  # number -> where it is named
        denied: dict[int, int] = {}
        taken = [""] * len(tokens)
        for phrase, number in phrases:
            for at in range(len(tokens) - len(phrase) + 1):
                is_free = not any(taken[at : at + len(phrase)])
                if phrase and is_free and tuple(tokens[at : at + len(phrase)]) == phrase:
                    taken[at : at + len(phrase)] = ["x"] * len(phrase)
                    (denied if self._denied(tokens, at) else named).setdefault(number, at)
        confidence = EXACT
        for at, token in enumerate(tokens):
            if not taken[at] and len(token) >= 4 and token not in self.words.light and self._is_in_list(tokens, at):
                number, ratio = self._nearest(token)
                taken[at] = "x" if ratio >= CLOSE_ENOUGH else ""
                if ratio >= CLOSE_ENOUGH:
                    named.setdefault(number, at)
                    confidence = min(confidence, 0.88 * ratio)
        if not named and not denied:
            found = _Found()
            self._places(tokens, found)
            return [str(n) for n in sorted(found.sets.get("place", ()))], [str(n) for n in found.ruled_out], EXACT
        if named and self._has_strangers(tokens, taken):
            confidence = STRANGER
        order = sorted(named, key=lambda number: named[number])
        return [str(number) for number in order], [str(number) for number in denied], confidence

    def _is_in_list(self, tokens: list[str], at: int) -> bool:
        """Whether a word stands where a name would: at the beginning, or behind "and" or a comma."""
        while at and tokens[at - 1] in self.words.light and tokens[at - 1] not in self.words.joins:
            at -= 1
        return not at or tokens[at - 1] == "," or tokens[at - 1] in self.words.joins

    def _nearest(self, token: str) -> tuple[int, float]:
        """The option whose name of one word is most like a word."""
        best, number = 0.0, 0
        for option in self.options:
            for said in _said(option):
                ratio = difflib.SequenceMatcher(None, token, self.called(said)).ratio()
                best, number = max((best, number), (ratio, option.number))
        return number, best

    def _without_moments(self, tokens: list[str], taken: list[str]) -> tuple[list[str], list[str]]:
        """Both without what says when: the "and" of "half past three" ("tre e mezza") joins no things."""
        marked = Mentions(" ".join(tokens), self.times, self.marks, self.now, self.zone).find().split()
        left: list[int] = []
        for token in marked:
            at = left[-1] + 1 if left else 0
            if token in tokens[at:]:
                left.append(tokens.index(token, at))
        return [tokens[at] for at in left], [taken[at] for at in left]

    def _has_strangers(self, tokens: list[str], taken: list[str]) -> bool:
        """Whether one of the things that are joined by "and" is called as nothing is."""
        tokens, taken = self._without_moments(tokens, taken)
        segments: list[list[int]] = [[]]
        for at, token in enumerate(tokens):
            if (token in self.words.joins or token == ",") and not taken[at]:
                segments.append([])
            else:
                segments[-1].append(at)
        if not any(token in self.words.joins and not taken[at] for at, token in enumerate(tokens)):
            return False
        for segment in segments:
            left = [tokens[at] for at in segment if tokens[at] not in self.words.light | self.words.adds]
            is_named = any(taken[at] for at in segment)
            first = tokens[segment[0]] if segment else ""
            is_else = first in self.words.leads or first.isdigit()  # "alle otto e trenta con Giulia"
            marked = Mentions(" ".join(left), self.times, self.marks, self.now, self.zone).find()
            is_time = any(word[0] in "DHPTSM" and word[1:].isdigit() for word in marked.split())
            if not is_named and not is_else and not is_time and 1 <= len(left) <= 2:
                return True
        return False

    # --- by place ---

    def _places(self, marked: list[str], found: _Found) -> None:
        words, offered = self.words, self.offered
        for at, token in enumerate(marked if offered else ()):
            denied = self._denied(marked, at)
            before = marked[at - 1] if at else ""
            if token.endswith("#") and token[:-1].isdigit():
                self._place(int(token[:-1]), found, denied)
            elif token.isdigit() and before in words.position:
                self._place(int(token), found, denied)
            elif token in words.first and before in ("", "la", ","):
                self._place(1, found, denied)
            elif token in words.last:
                place = -2 if before in words.before_last else -1
                found.add("place", offered[place : len(offered) + place + 1], denied)
            elif token in words.before_last and token not in self.times_words:
                found.add("place", offered[-2:-1], denied)
            elif token in words.middle and len(offered) == 3:
                found.add("place", offered[1:2], denied)
        bare = [token for token in marked if token not in words.light and token != ","]
        if len(bare) == 1 and bare[0].isdigit():
            self._bare(int(bare[0]), found)

    @property
    def times_words(self) -> frozenset[str]:
        """Words of `before_last` that stand elsewhere too ("avant dix heures")."""
        return frozenset({"avant"})

    def _place(self, number: int, found: _Found, denied: bool) -> None:
        found.add("place", self.offered[number - 1 : number] if number else (), denied)
        found.elsewhere |= not 1 <= number <= len(self.offered) and not denied

    def _bare(self, number: int, found: _Found) -> None:
        """A number alone: a place, or a value."""
        named = set(self.offered[number - 1 : number] if number else ())
        for option in self.options:
            for one in option.fields:
                clock, day = _time_of(one), _date_of(one)
                is_hour = clock is not None and clock.minute == 0 and clock.hour % 12 == number % 12 and number < 25
                is_day = day is not None and day.day == number and day >= self.now.date()
                is_year = day is not None and day < self.now.date() and number in (day.year, day.year % 100)
                is_same = one.kind in NUMBERS and _is_number(one.value, [number])
                if (is_hour and (number < 13 or (clock and clock.hour == number))) or is_day or is_year or is_same:
                    named.add(option.number)
        found.add("bare", named, denied=False)

    # --- by time and day ---

    def _moments(self, marked: list[str], plain: str, found: _Found) -> None:
        for at, token in enumerate(marked):
            if len(token) < 2 or token[0] not in "DHP" or not token[1:].isdigit():
                continue
            mark, denied = self.marks.of(token), self._denied(marked, at)
            match mark:
                case Hour() if self.has_times:
                    self._hour(mark, found, denied)
                    if at > 1 and marked[at - 1] in self.words.either and marked[at - 2].isdigit():  # "9 ou 10 heures"
                        other = int(marked[at - 2])
                        if other < 24:
                            self._hour(Hour(time(other)), found, denied)
                case DayPart() if self.has_times:
                    self._timed(found, denied, partial(_in_part, part=mark))
                case Day() if mark.of_month is not None and (self.offered or self.has_days):
                    named = {n for n, day in self._days() if day.day == mark.of_month}
                    place = self.offered[mark.of_month - 1 : mark.of_month]
                    found.add("day" if named else "place", named | set(place), denied)
                    found.elsewhere |= not named and not place and not denied
                case Day() if self.has_days:
                    by_name = mark.weekday if self._is_bare_weekday(mark, plain) else None
                    named = {n for n, day in self._days() if _is_day(mark, day, by_name)}
                    found.add("day" if by_name is None else "weekday", named, denied)
                    found.elsewhere |= not named and not denied

    def _is_bare_weekday(self, mark: Day, plain: str) -> bool:
        """Whether "Tuesday" is any Tuesday: no number is said with it, and it is not further away than the next."""
        if mark.first is None or mark.first > self.now.date() + timedelta(days=7):
            return False
        number = rf"(?<!\ba )(?<!\balle )(?<!\bat )\b{mark.first.day}\b(?!#? (?:heures?|h|ore|o'|am|pm)\b)"
        return re.search(number, plain) is None

    def _hour(self, hour: Hour, found: _Found, denied: bool) -> None:
        at = hour.start

        def fits(clock: time) -> bool:
            if hour.end is not None:
                return at <= clock <= hour.end
            same_half = clock == at
            return same_half or (not hour.fixed and clock.minute == at.minute and clock.hour % 12 == at.hour % 12)

        self._timed(found, denied, fits)
        if not at.minute and not denied:  # "neuf heures" ... "et demie"
            found.is_open |= any(clock.minute and clock.hour % 12 == at.hour % 12 for _, clock in self._clocks())

    def _timed(self, found: _Found, denied: bool, fits: Callable[[time], bool]) -> None:
        named = {number for number, clock in self._clocks() if fits(clock)}
        found.add("time", named, denied, SHIFTED)
        found.elsewhere |= not named and not denied

    def _clocks(self) -> list[tuple[int, time]]:
        each = [(option.number, _time_of(one)) for option in self.options for one in option.fields]
        return [(number, clock) for number, clock in each if clock is not None]

    def _days(self) -> list[tuple[int, date]]:
        each = [(option.number, _date_of(one)) for option in self.options for one in option.fields]
        return [(number, day) for number, day in each if day is not None]

    # --- by numbers and names ---

    def _numbers(self, plain: str, found: _Found) -> None:
        fields = {at for option in self.options for at, one in enumerate(option.fields)}
        runs = number_runs(without_fillers(words_of(self.words_said or plain), self.lexicon), self.lexicon)
        if not runs:
            return
        each = [readings(run, self.lexicon.language, 24) for run in runs]
        best = [digits.text for one in each if (digits := natural(one)) is not None]
        strings = {"".join(best), *best, *(digits.text for one in each for digits in one.values())}
        whole = [int(digits) for digits in best if len(digits) < 16]
        for at in fields:
            named: set[int] = set()
            exact: set[int] = set()  # to the cent
            for option in self.options:
                one = option.fields[at]
                is_same = one.kind in NUMBERS and _is_number(one.value, whole)
                if is_same and one.value.partition(".")[2].strip("0"):
                    exact.add(option.number)
                kept = "".join(c for c in one.value if c.isdigit()) if one.kind in DIGITS else ""
                is_same |= bool(kept) and any(
                    kept == said or (len(said) >= LEAST_TAIL and kept.endswith(said.lstrip("0") or said))
                    for said in strings
                )
                day = _date_of(one)
                is_same |= day is not None and day < self.now.date() and day.year in whole
                if is_same:
                    named.add(option.number)
            named = exact or named
            if named and not (len(self.options) > 1 and len(named) == len(self.options)):
                found.add(f"number {at}", named, denied=False)

    def _texts(self, tokens: list[str], found: _Found) -> None:
        """Names and other words: who has all words of a value goes before who has some of them."""
        for at in range(max((len(option.fields) for option in self.options), default=0)):
            whole: dict[int, frozenset[str]] = {}
            some: dict[int, int] = {}
            positions: list[int] = []
            for option in self.options:
                for value in self._wordings(option.fields[at]):
                    hits = [place for place, token in enumerate(tokens) if token in value]
                    if not hits:
                        continue
                    positions += hits
                    if value <= set(tokens):
                        whole[option.number] = max(whole.get(option.number, frozenset()), value, key=len)
                    some[option.number] = max(some.get(option.number, 0), len(value & set(tokens)))
            named = {n for n, value in whole.items() if not any(value < other for other in whole.values())}
            if not named and some:
                named = {n for n, count in some.items() if count == max(some.values())}
            if named:
                denied = all(self._denied(tokens, place) for place in positions)
                found.add(f"text {at}", named, denied, EXACT if whole else PARTLY)

    def _wordings(self, one: ListedField) -> list[frozenset[str]]:
        """The words of each way to say a value, without those that mean nothing by themselves."""
        if one.kind not in ("text", "name", "choice"):
            return []
        each = (frozenset(self.called(words).split()) - self.words.light - {","} for words in (one.value, *one.words))
        return [words for words in each if words]

    def _misheard(self, tokens: list[str], found: _Found) -> None:
        best: dict[int, float] = {}
        heard = tokens[:MOST_MISHEARD]
        for option in self.options:
            for one in option.fields:
                for value in self._wordings(one):
                    for word in value:
                        for token in heard:
                            if len(word) >= 4 and len(token) >= 4 and token not in self.words.light:
                                ratio = difflib.SequenceMatcher(None, token, word).ratio()
                                best[option.number] = max(best.get(option.number, 0.0), ratio)
        top = max(best.values(), default=0.0)
        if top >= CLOSE_ENOUGH:
            denied = any(token in self.words.deniers for token in tokens)
            found.add("misheard", {n for n, ratio in best.items() if ratio == top}, denied, 0.88 * top)

    def _denied(self, tokens: Sequence[str], at: int) -> bool:
        """Whether a denial stands before a mention, with light words between at most."""
        while at and tokens[at - 1] in self.words.light and tokens[at - 1] not in self.words.deniers:
            at -= 1
        return bool(at) and tokens[at - 1] in self.words.deniers


@lru_cache(maxsize=4_000)
def _called(words: str, language: str, region: str) -> str:
    return normal(words, VOCABULARIES[language], Marks(), date.min.replace(year=2000), region)


def _said(option: Option) -> Iterator[str]:
    """The names of an option."""
    for one in option.fields:
        if one.kind in ("text", "name", "choice"):
            yield from (one.value, *one.words)


# --- values -----------------------------------------------------------------------------------------------------------


def _time_of(one: ListedField) -> time | None:
    if one.kind not in TIMED:
        return None
    text = one.value.partition("/")[0]
    try:
        if one.kind == "time":
            return time.fromisoformat(text).replace(tzinfo=None)
        return datetime.fromisoformat(text).time() if "T" in text else None
    except ValueError:
        return None


def _date_of(one: ListedField) -> date | None:
    if one.kind not in DATED:
        return None
    try:
        return date.fromisoformat(one.value[:10])
    except ValueError:
        return None


def _is_day(mark: Day, day: date, weekday: int | None) -> bool:
    """Whether a day was named: by its name (`weekday`), its date, or its date without a year."""
    if mark.first is None:
        return False
    if mark.last is not None:
        return mark.first <= day <= mark.last
    if weekday is not None:
        return day.weekday() == weekday
    is_same = (day.month, day.day) == (mark.first.month, mark.first.day)
    return is_same and (not mark.has_year or day.year % 100 == mark.first.year % 100)


def _in_part(clock: time, part: DayPart) -> bool:
    """Parts of the day as one speaks of times that were offered: the morning ends at noon, the evening not at all."""
    begin = time(0) if part.end <= time(12) else time(12) if part.start <= time(14) else part.start
    return begin <= clock and (clock < part.end or part.end >= time(18))


def _is_number(value: str, said: Sequence[int]) -> bool:
    whole, _, cents = value.partition(".")
    if not whole.isdigit() or int(whole) not in said:
        return False
    return not cents.strip("0") or int(cents) in said
