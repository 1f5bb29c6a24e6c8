"""How numbers, units and money are read. Pure."""

from __future__ import annotations

import re
from typing import TypeAlias

from sayable.numbers import LIMIT, cardinal, ordinal, year
from sayable.words import CODES, Words

Match: TypeAlias = re.Match[str]
_JOINING = frozenset("e o di a da in su per con tra fra più meno o al alla alle del della sul che non è ogni".split())


class SaidNumbers:
    """What is counted, in one language. A method that returns None says that it is not what it looks like."""

    def __init__(self, language: str, words: Words) -> None:
        self.language, self.words = language, words
        comma, group = (",", r"[ .]") if words.decimal_comma else (r"\.", ",")
        self.number = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)(?:{comma}\d+)?"
        if words.decimal_comma:  # 12.5 is a decimal too, where three digits would be thousands
            self.number = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+(?:,\d+)?|\d+(?:,\d+|\.\d{{1,2}}(?!\d))?)"

    def amount(self, text: str) -> tuple[int, str]:
        """The whole part and the decimals of a written number."""
        digits = text.replace(" ", "")
        if self.words.decimal_comma:
            if re.fullmatch(r"\d+\.\d{1,2}", digits):
                digits = digits.replace(".", ",")
            digits = digits.replace(".", "").replace(",", ".")
        else:
            digits = digits.replace(",", "")
        whole, _, rest = digits.partition(".")
        return int(whole), rest

    def count(self, number: int, feminine: bool = False) -> str:
        """A whole number."""
        return cardinal(number, self.language, feminine) if number < LIMIT else self.digits(str(number))

    def digits(self, text: str) -> str:
        """Digit by digit."""
        return " ".join(cardinal(int(digit), self.language) for digit in text if digit.isdigit())

    def plain_number(self, text: str, feminine: bool = False) -> str:
        """A number with or without decimals; with a zero before it, or very long, digit by digit."""
        if re.fullmatch(r"0\d+|\d{10,}", text):
            return self.digits(text)
        whole, rest = self.amount(text)
        said = self.count(whole, feminine and not rest)
        if not rest:
            return said
        if self.language == "en":
            return f"{said} {self.words.point} {self.digits(rest)}"
        zeros = len(rest) - len(rest.lstrip("0"))
        tail = [cardinal(0, self.language)] * zeros
        if rest.strip("0"):
            tail.append(self.count(int(rest)) if len(rest) - zeros <= 3 else self.digits(rest[zeros:]))
        return f"{said} {self.words.point} {' '.join(tail)}"

    def _number(self, match: Match) -> str:
        following = re.match(r"\s([^\W\d_]+)", match.string[match.end() :])
        feminine = following is not None and following[1].lower() in self.words.feminine
        if self.language == "it" and match[2] == "1" and not match[1] and following:
            return italian_one(following[1].lower(), feminine)
        sign = f"{self.words.minus} " if match[1] else ""
        if self.language == "en" and re.fullmatch(r"(1[1-9]|20)\d\d", match[2]):
            before = re.search(r"([A-Za-z]+),?\s(?:\d{1,2}(?:st|nd|rd|th)?,?\s)?$", match.string[: match.start()])
            names = {*map(str.lower, self.words.months), "in", "since", "until", "year", "from", "by"}
            if before and before[1].lower() in names:
                return year(int(match[2]), "en")
        return sign + self.plain_number(match[2], feminine)

    def _span(self, match: Match) -> str | None:
        """The first of two numbers, where the second one has a unit or a currency."""
        return f"{self.plain_number(match[1])} {self.words.to} "

    def _range(self, match: Match) -> str | None:
        if match[1].startswith("0") or match[2].startswith("0") or int(match[1]) >= int(match[2]):
            return None
        return f"{self.count(int(match[1]))} {self.words.to} {self.count(int(match[2]))}"

    def _fraction(self, match: Match) -> str:
        said = self.words.halves.get(match[0])
        return said or f"{self.count(int(match[1]))} {self.words.over} {self.count(int(match[2]))}"

    def _percent(self, match: Match) -> str:
        sign = self.words.minus + " " if match[1] in ("-", "−") else self.words.plus + " " if match[1] else ""
        return f"{sign}{self.plain_number(match[2])} {self.words.percent}"

    def _rank_of_degree(self, match: Match) -> str | None:
        """ "al 3° piano": a degree sign for that of a rank, behind an article and before a word."""
        article = re.search(
            r"\b(il|al|del|dal|nel|sul|un|la|alla|della|dalla|nella|sulla|una)\s$", match.string[: match.start()], re.I
        )
        if article is None or not 0 < int(match[1]) < 1_000:
            return None
        return ordinal(int(match[1]), "it", feminine=article[1].lower().endswith("a"))

    def _rank(self, match: Match) -> str | None:
        ending = match[2].lower()
        feminine = ending in ("re", "ère", "ere", "ª", "a", "nde")
        return ordinal(int(match[1]), self.language, feminine) if 0 < int(match[1]) < LIMIT else None

    def _unit(self, match: Match) -> str:
        one, many = self.words.units[match[3]]
        whole, rest = self.amount(match[2])
        is_one = (whole < 2 if self.language == "fr" else whole == 1 and not rest) if whole or rest else True
        is_one = is_one if self.language == "fr" else whole == 1 and not rest
        name = one if is_one else many
        feminine = name.split()[0] in self.words.feminine
        sign = self.words.minus + " " if match[1] else ""
        number = self.plain_number(match[2], feminine)
        if self.language == "it" and number == "uno":
            number = "un"
        return f"{sign}{number} {name}"

    def _degrees(self, match: Match) -> str:
        one, many = self.words.degrees
        whole, rest = self.amount(match[2])
        name = one if whole < 2 and (self.language == "fr" or (whole == 1 and not rest)) else many
        sign = self.words.minus + " " if match[1] else ""
        scale = {"C": " Celsius", "F": " Fahrenheit"}.get((match[3] or "").upper(), "")
        return f"{sign}{self.plain_number(match[2])} {name}{scale}"

    # --- money --------------------------------------------------------------------------------------------------------

    def money(self, text: str, sign: str, scale: str = "") -> str:
        """An amount; hundredths as one says them."""
        name, part = self.words.money[CODES.get(sign.upper(), sign)]
        whole, rest = self.amount(text)
        if scale:
            of = {"fr": " d'" if name[1][0] in "aeiou" else " de ", "it": " di ", "en": " "}[self.language]
            if scale in "kK":
                return f"{self.plain_number(text)} {self.count(1_000)} {name[1]}".replace("un mille", "mille", 1)
            large = {"fr": ("million", "millions"), "it": ("milione", "milioni"), "en": ("million", "million")}
            return f"{self.plain_number(text)} {large[self.language][whole >= 2]}{of}{name[1]}"
        if len(rest) > 2:
            return f"{self.plain_number(text)} {name[1]}"
        cents = int(rest.ljust(2, "0")) if rest else 0
        if whole == 0 and cents:
            return f"{self._counted(cents, part)}"
        said = self._counted(whole, name)
        if not cents:
            return said
        small = self.count(cents)
        return f"{said} e {small}" if self.language == "it" else f"{said} {small}"

    def _counted(self, number: int, forms: tuple[str, str]) -> str:
        is_one = number < 2 if self.language == "fr" else number == 1
        name = forms[0] if is_one else forms[1]
        feminine = name.split()[0] in self.words.feminine or name.startswith("sterlin")
        words = self.count(number, feminine)
        if self.language == "it" and words == "uno":
            words = "un"
        if self.language == "fr" and number >= 10**6 and number % 10**6 == 0:
            return f"{words} {'d’' if name[0] in 'aeiou' else 'de '}{name}".replace("’", "'")
        if self.language == "it" and number >= 10**6 and number % 10**6 == 0:
            return f"{words} di {name}"
        return f"{words} {name}"

    def _money_behind(self, match: Match) -> str:
        sign = self.words.minus + " " if match[1] else ""
        return sign + self.money(match[2], match[4], match[3] or "")

    def _money_before(self, match: Match) -> str:
        sign = self.words.minus + " " if match[1] else ""
        return sign + self.money(match[3], match[2], match[4] or "")

    def _money_inside(self, match: Match) -> str:
        return self.money(f"{match[1]}{',' if self.words.decimal_comma else '.'}{match[3]}", match[2])


def italian_one(word: str, feminine: bool) -> str:
    """One of what `word` names: the article where it is a thing, the number where it is a word of the sentence."""
    if word in _JOINING:
        return "uno"
    if feminine or (word.endswith("a") and not word.endswith(("ma", "ta"))):
        return "un'" if word[0] in "aeiou" else "una"
    return "uno" if re.match(r"s[^aeiouàèéìòù]|z|gn|p[sn]|x|y", word) else "un"
