"""How a text is read: rules find what is written in signs, in their order. Pure.

A rule is a pattern and what is said for a match of it; None: it is not what it looks like, and the next rule may have
it. What a rule has said is not read again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from sayable.counted import Match
from sayable.named import SaidNames
from sayable.words import CODES, Words

Rule: TypeAlias = tuple[re.Pattern[str], Callable[[Match], str | None]]
ALONE = r"(?<![\w.,:/@-])"
"""What begins here is not the end of something longer."""


class SignReader(SaidNames):
    """The rules of one language."""

    def __init__(self, language: str, words: Words) -> None:
        super().__init__(language, words)
        self.rules = list(self._rules())

    def read(self, text: str) -> str:
        """The text with everything said that is written in signs."""
        said, at = [], 0
        while at < len(text):
            found = min(
                ((match.start(), number, match) for number, (pattern, _) in enumerate(self.rules)
                 if (match := pattern.search(text, at))),
                default=None,
                key=lambda one: one[:2],
            )  # fmt: skip
            if found is None:
                break
            start = found[0]
            spoken = None
            for pattern, say in self.rules[found[1] :]:
                match = pattern.match(text, start)
                if match is not None and match.end() > start and (spoken := say(match)) is not None:
                    said += [text[at:start], _apart(text[:start], spoken, text[match.end() :])]
                    at = match.end()
                    break
            if spoken is None:
                # none of it: over the whole of what looked so, or over one sign of it
                over = re.compile(r"\w+|.", re.DOTALL).match(text, start)
                end = over.end() if over else start + 1
                said.append(text[at:end])
                at = end
        return "".join(said) + text[at:]

    def _rules(self) -> Iterator[Rule]:
        words, number, lang = self.words, self.number, self.language

        def rule(pattern: str, say: Callable[[Match], str | None], flags: int = 0) -> Rule:
            return re.compile(pattern, flags), say

        money = "|".join(map(re.escape, sorted({*CODES, *words.money}, key=len, reverse=True)))
        named = {
            "fr": r"euros?|dollars?|francs?(?! suisse)",
            "it": r"euro|dollari?|dollaro",
            "en": r"euros?|dollars?|pounds?",
        }
        units = "|".join(map(re.escape, sorted(words.units, key=len, reverse=True)))
        yield rule(r"(?<![\w.@+-])([\w.+-]+)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)", self._email)
        yield rule(
            r"(?<![\w@.])(?:https?://[^\s,;)]+[^\s,;.!?)]|www\.[^\s,;)]+[^\s,;.!?)]|"
            r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:fr|it|com|org|net|eu|uk|io|example|info)(?:/[^\s,;]*[^\s,;.!?])?(?![\w.]\w))",
            self._link,
        )
        for pattern, said in words.abbreviations:
            yield rule(pattern, lambda match, said=said: match.expand(said))  # type: ignore[misc]
        always = {"fr": ("vingt-quatre heures sur vingt-quatre", "sept jours sur sept"),
                  "it": ("ventiquattro ore su ventiquattro", "sette giorni su sette"),
                  "en": ("twenty-four hours a day", "seven days a week")}[lang]  # fmt: skip
        yield rule(rf"{ALONE}24\s?h?/7(?!\d)", lambda _: ", ".join(always))
        yield rule(rf"{ALONE}24\s?h?/24(?!\d)", lambda _: always[0])
        yield rule(rf"{ALONE}7\s?j?/7(?!\d)", lambda _: always[1])
        # dates
        yield rule(r"(?<![\w/-])(\d{4})-(\d\d)-(\d\d)(?![\d-])", self._iso_date)
        yield rule(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?![\d/-]|\.\d)", self._numeric_date)
        yield rule(r"(?<![\d/.])(\d{1,2})(/)(\d\d)()(?![\d/])", self._numeric_date)
        if lang == "fr":
            yield rule(rf"\b1(?:er)?(\s(?:{words.month_names})\b)", self._first_of_month)
        elif lang == "it":
            yield rule(rf"\b1[°º]?(\s(?:{words.month_names})\b)", self._first_of_month)
        else:
            months = words.month_names
            yield rule(
                rf"(?:\b(?P<a>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?(?P<m>{months})|\b(?P<n>{months})\s(?P<b>\d{{1,2}})"
                rf"(?:st|nd|rd|th)?(?!\d))(?:,?\s(?P<y>(?:1[1-9]|20)\d\d)\b)?",
                self._english_date,
            )
        if lang != "en":
            yield rule(r"(?<![\w.])([XVI]{1,5})(e|è|ème)(?=\s[Ss]i)", self._roman)
            yield rule(r"(?<=[a-zà-ÿ]\s)([XVI]{2,5})()(?!\w)", self._roman)
        yield rule(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?(?!\w)", self._account)
        yield rule(r"(?<![\w.,])\d{4}(?: \d{4}){2,4}(?![\w,]|\.\d)", self._account)
        # telephone numbers before all that is shorter
        if lang == "it":
            yield rule(
                r"(?<=[Dd]alle )\d{1,2}(?:[.:]\d\d)?\s?[-–]\s?\d{1,2}(?:[.:]\d\d)?"
                r"(?:(?:,| e) \d{1,2}(?:[.:]\d\d)?\s?[-–]\s?\d{1,2}(?:[.:]\d\d)?)*(?![\d.,:-]*\d)",
                self._spans,
            )
        yield rule(r"(?<![\w.,:/-])(?:\+|00)?\(?\d[\d ().\-/]{6,20}\d(?![\w€$£%]|[.,]\d)", self._telephone)
        if lang != "fr":
            yield rule(r"(?<![\w.,:/-])0\d{1,3}[-/ ]\d{3,6}(?![\w€$£%-]|[.,]\d)", self._local_number)
        # money
        behind = rf"[kKM]?(?:{money})|(?:{named[lang]})\b|(?:{units})(?![\w/])|%|°"
        yield rule(rf"(?<![\w.,/-])({number})\s?[-–]\s?(?={number}\s?(?:{behind}))", self._span)
        yield rule(rf"(?<![\w.,])([-−])?({number})\s?([kKM])?({money})(?!\w)", self._money_behind)
        yield rule(rf"(?<![\w.,])([-−])?({number})()\s({named[lang]})\b(?!\s\d)", self._named_money)
        yield rule(rf"(?<![\w])([-−])?({money})\s?({number})([kKM])?(?!\w)", self._money_before)
        yield rule(r"(?<![\w.,])(\d+)([€$£])(\d\d)(?!\d)", self._money_inside)
        # times
        if lang == "fr":
            yield rule(r"(?<![\w.,:])(\d{1,2})\s?[-–]\s?(\d{1,2})\s?h(?!\w)", self._hours)
        yield rule(r"(?<=[hHmM\d])\s?[-–]\s?(?=\d{1,2}(?:[hH]|:\d))", lambda _: f" {self.words.to} ")
        per = {"fr": ("mois|ans?|jours?|heure|h|semaine|personne|nuit|kg|m²|km", "par"),
               "it": ("mese|anno|giorno|ora|settimana|persona|notte|kg|mq|km", "al"),
               "en": ("month|year|day|hour|week|person|night|kg|km|head", "per")}[lang]  # fmt: skip
        yield rule(rf"(?<=[\w€$£%])\s?/\s?(?=(?:{per[0]})\b)", lambda _: f" {per[1]} ")
        yield rule(r"(?<=\d)\s?[xX×]\s?(?=\d+(?:[.,]\d+)?\s?(?:mm|cm|m|km)\b)", lambda _: f" {self.words.by} ")
        yield rule(r"(?<=\d)\s?[xX×]\s?(?=\d)", lambda _: f" {self.words.signs['×']} ")
        if lang == "fr":
            yield rule(r"(?<![\w.,:])(\d{1,2})\s?[hH]\s?(\d\d)?(?![\w])", self._time)
        if lang == "en":
            yield rule(r"(?<![\w.,:])(\d{1,2})(?:[:.](\d\d))?\s?([AaPp]\.?\s?[Mm]\b\.?)", self._time_of_half)
        if lang == "it":
            yield rule(r"(?<=\b[Oo]re )(\d{1,2})(?:[.:](\d\d))?(?![\d.,:]\d|\d)", self._time)
        yield rule(r"(?<![\w.,:])(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?![\d:])", self._time)
        # numbers with a name
        yield rule(rf"(?<![\w.,])([-−+])?({number})\s?%", self._percent)
        if lang == "it":
            yield rule(r"(?<![\w.,])(\d{1,3})°(?=\s[a-zà-ù])", self._rank_of_degree)
        yield rule(rf"(?<![\w.,])([-−])?({number})\s?°\s?([CF])?(?!\w)", self._degrees)
        yield rule(rf"(?<![\w.,])([-−])?({number})\s?({units})(?![\w/²³])", self._unit)
        endings = {"fr": r"er|re|ère|nde?|e|è?me|ième", "it": r"[°ºª]", "en": r"st|nd|rd|th"}
        yield rule(rf"(?<![\w.,])(\d{{1,4}})({endings[lang]})(?!\w)", self._rank)
        if lang == "en":
            yield rule(r"\b([A-Z]{1,2}\d[A-Z\d]?) (\d[A-Z]{2})\b", self._british_postcode)
            yield rule(r"(?<=\b[A-Z]{2} )\d{5}(?:-\d{4})?(?![\w-])", self._zip)
        if lang == "fr":
            yield rule(r"(?<![\w.,-])(0\d{4})()(?![\w-]|[.,]\d)", self._postcode)
        if lang in ("fr", "it"):
            yield rule(r"(?<![\w.,-])(?:(?<=CAP )|(?=\d{5}\s[A-ZÀ-Ý]))(\d{5})()(?![\w,.]\d|\d)", self._postcode)
        yield rule(r"(?<![\w/.,])(\d{1,2})/(\d{1,3})(?![\d/])", self._fraction)
        yield rule(r"[½¼¾]", self._fraction)
        yield rule(r"(?<![\w.,-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?![\w-]|[.,]\d)", self._range)
        # letters
        yield rule(r"(?<![\w-])(?:[^\W\d_]-){2,}[^\W\d_](?![\w-])", self._spelling)
        yield rule(r"(?<![\w-])(?:[A-ZÀ-Ý] ){2,}[A-ZÀ-Ý](?!\w)", self._spelling)
        yield rule(r"(?<![\w-])(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*(?![\w-])", self._code)
        yield rule(r"(?<![\w-])(?:(?:[A-Z]\.){2,}|[A-Z]{2,6})(?!\w)", self._acronym)
        # numbers
        yield rule(rf"(?<![\w.,])([-−](?=\d))?({number})(?!\w)", self._number)
        yield rule(r"(\d+)()", lambda match: self.plain_number(match[1]))
        signs = "".join(map(re.escape, words.signs))
        yield rule(rf"[{signs}]", lambda match: self.words.signs[match[0]])

    def _named_money(self, match: Match) -> str | None:
        name = match[4].lower()
        sign = next((sign for sign in "€$£" if name in self.words.money[sign][0]), "")
        if not sign:
            return None
        return (self.words.minus + " " if match[1] else "") + self.money(match[2], sign)


def _apart(before: str, said: str, behind: str) -> str:
    """With a blank to what stands beside it, where both are words."""
    head = " " if before[-1:].isalnum() and said[:1].isalnum() else ""
    tail = " " if behind[:1].isalnum() and said[-1:].isalnum() else ""
    return head + said + tail
