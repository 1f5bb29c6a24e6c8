"""How what has a number or letters for a name is read: telephones, postcodes, codes, accounts, addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sayable.counted import Match
from sayable.moments import SaidMoments
from sayable.numbers import cardinal, ordinal

_SAYABLE = re.compile(
    r"(?:[bcdfgkptv]?[lr]|[bcdfghjklmnpqrstvwz]|ch|ph|sh|th|s[ckmnpqt]r?|qu|gn)?"
    r"[aeiouyàâéèêëîïôûù]+"
    r"(?:(?:[bcdfgklmnprstvz]|ss|ll|ff|tt|nn|mm|rr|st|ch|gn|qu|[bdgkpt]?[lr])[aeiouyàâéèêëîïôûù]+)*"
    r"(?:[bcdfgklmnprstxz]|[lnrmp][cdfgkmnpstz]|[ckpt]s|st|ct|ss|ll|ff|sk|ck|mps|rts|nts|ngt)?",
)
"""Letters in capitals that a voice can say as a word."""
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüìò]", re.IGNORECASE)


class SaidNames(SaidMoments):
    """SaidNames, in one language."""

    def _telephone(self, match: Match) -> str | None:
        text = match[0].strip()
        found = re.findall(r"\d+", text)
        digits = "".join(found)
        if not 8 <= len(digits) <= 15:
            return None
        if not text.startswith(("+", "0", "(")) and not (
            (self.language == "it" and digits[0] == "3" and len(digits) in (9, 10))
            or re.fullmatch(r"\d{3}[-. ]\d{3}[-. ]\d{4}", text)
        ):
            return None
        head = ""
        if text.startswith("+"):
            country = next((code for code in ("33", "39", "44", "1", "41", "32", "34", "49", "352") if
                            digits.startswith(code)), digits[:2])  # fmt: skip
            head = f"{self.words.plus} {self.count(int(country))}"
            digits = digits.removeprefix(country)
            digits = digits.removeprefix("0") if country in ("33", "44") else digits
        elif text.startswith("00"):
            head, digits = f"{self.digits('00')} {self.count(int(digits[2:4]))}", digits[4:]
        return ", ".join(filter(None, (head, *self._groups(digits, found, bool(head)))))

    def _groups(self, digits: str, written: list[str], abroad: bool) -> Iterator[str]:
        if self.language == "fr":
            written_so = [group for group in written if len(group) <= 4] if not abroad else []
            if len(digits) in (9, 10) and not (digits.startswith("08") and "".join(written_so) == digits):
                begin = len(digits) % 2
                groups = [digits[:begin]] * bool(begin) + [digits[i : i + 2] for i in range(begin, len(digits), 2)]
            else:
                groups = (
                    written if "".join(written) == digits else [digits[i : i + 2] for i in range(0, len(digits), 2)]
                )
            for group in groups:
                if len(group) > 4:
                    yield self.digits(group)
                    continue
                zeros = len(group) - len(group.lstrip("0"))
                rest = group[zeros:]
                yield " ".join([*["zéro"] * zeros, *([self.count(int(rest))] if rest else [])])
            return
        groups = written if not abroad and "".join(written) == digits and len(written) > 1 else []
        if not groups:
            size = len(digits)
            cuts = {10: (3, 6), 9: (3, 6), 11: (5, 8)}.get(size, tuple(range(3, size - 1, 3)))
            groups = [digits[a:b] for a, b in zip((0, *cuts), (*cuts, size), strict=True)]
        for group in groups:
            for at in range(0, len(group), 4):
                yield self.digits(group[at : at + 4])

    def _postcode(self, match: Match) -> str:
        digits = match[1]
        if self.language != "fr":
            return self.digits(digits) + match[2]
        if digits.startswith("0"):
            return f"zéro {self.count(int(digits[1:]))}{match[2]}"
        return self.count(int(digits)) + match[2]

    def _british_postcode(self, match: Match) -> str:
        return f"{self._code_said(match[1])}, {self._code_said(match[2])}"

    def spelled(self, text: str) -> str:
        """Letter by letter, with the marks of French and Italian letters."""
        return " ".join(filter(None, (self._letter(letter) for letter in text)))

    def _letter(self, letter: str) -> str:
        low = letter.lower()
        if low in self.words.letters:
            return self.words.letters[low].replace("_", " ")
        marked = {
            "fr": {"é": "e accent aigu", "è": "e accent grave", "ê": "e accent circonflexe", "ë": "e tréma",
                   "ç": "cé cédille", "à": "a accent grave", "ï": "i tréma", "î": "i accent circonflexe",
                   "ô": "o accent circonflexe", "û": "u accent circonflexe", "ù": "u accent grave"},
            "it": {"à": "a accentata", "è": "e accentata", "é": "e accentata", "ì": "i accentata",
                   "ò": "o accentata", "ù": "u accentata"},
            "en": {},
        }[self.language]  # fmt: skip
        return marked.get(low, cardinal(int(letter), self.language) if letter.isdigit() else letter)

    def _spelling(self, match: Match) -> str:
        return ", ".join(self.spelled(letter) for letter in re.findall(r"\w", match[0]))

    def _code(self, match: Match) -> str | None:
        return self._code_said(match[0])

    def _code_said(self, text: str) -> str:
        said = []
        for part in re.findall(r"[^\W\d_]+|\d+", text):
            if not part.isdigit():
                said.append(part if len(part) > 3 and _VOWELS.search(part) else self.spelled(part))
            elif len(part) <= (3 if self.language == "fr" else 2) and not part.startswith("0"):
                said.append(self.count(int(part)))
            else:
                said.append(self.digits(part))
        return " ".join(said)

    def _account(self, match: Match) -> str:
        """An account or a card: four by four."""
        signs = match[0].replace(" ", "")
        return ", ".join(self.spelled(signs[at : at + 4]) for at in range(0, len(signs), 4))

    def _roman(self, match: Match) -> str | None:
        values = [{"I": 1, "V": 5, "X": 10}[sign] for sign in match[1]]
        number = sum(-one if one < other else one for one, other in zip(values, [*values[1:], 0], strict=True))
        is_rank = bool(match[2]) or self.language == "it"
        return ordinal(number, self.language) if is_rank else self.count(number)

    def _local_number(self, match: Match) -> str:
        return ", ".join(self.digits(group) for group in re.findall(r"\d+", match[0]))

    def _zip(self, match: Match) -> str:
        return ", ".join(self.digits(group) for group in re.findall(r"\d+", match[0]))

    def _acronym(self, match: Match) -> str | None:
        text = match[0].replace(".", "")
        around = (
            re.search(r"(\S*)\s$", match.string[: match.start()]),
            re.match(r"\s(\S*)", match.string[match.end() :]),
        )
        shouts = any(found and found[1].isupper() and len(found[1]) > 1 for found in around)
        if len(text) in (3, 4) and not shouts and not _SAYABLE.fullmatch(text.lower()):
            return self.spelled(text)
        if "." in match[0] or text in self.words.acronyms or (len(text) <= 6 and not _VOWELS.search(text)):
            return self.spelled(text)
        return None

    # --- addresses ----------------------------------------------------------------------------------------------------

    def _email(self, match: Match) -> str:
        return f"{self._address(match[1])} {self.words.at} {self._address(match[2])}"

    def _link(self, match: Match) -> str:
        return self._address(re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0]).rstrip("/"))

    def _address(self, text: str) -> str:
        signs = {".": self.words.dot, "-": self.words.dash, "_": self.words.underscore, "/": self.words.slash,
                 "+": self.words.plus, "@": self.words.at}  # fmt: skip
        said = []
        for part in re.findall(r"[^\W\d_]+|\d+|.", text):
            if part.isdigit():
                said.append(self.plain_number(part) if len(part) <= 4 else self.digits(part))
            elif part.isalpha():
                is_long = len(part) > 2 or part in ("le", "la", "de", "di")
                if part.lower() in self.words.spoken_ends and said:
                    said.append(part)
                    continue
                said.append(part if is_long and _VOWELS.search(part) else self.spelled(part))
            else:
                said.append(signs.get(part, " "))
        return " ".join(" ".join(said).split())
