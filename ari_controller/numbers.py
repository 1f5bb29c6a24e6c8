"""Telephone numbers as trunks write them, in one spelling: +33612345678. Pure.

The same caller comes as `+33612345678`, `0033612345678`, `33612345678` or `0612345678`, with parameters of number
portability behind it (RFC 4694: `;npdi;rn=...`) or as a `tel:` address (RFC 3966). What is no telephone number (an
extension, a name, a short code) stays as it is. A number that the caller does not show is empty.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

LONGEST_NUMBER = 64
WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "asserted"})
"""What stands in the place of a number that is not shown; also what Asterisk calls one that it does not know."""
_DIALLED_AS_AT_HOME = {"FR": ("RE", "YT", "GP", "MQ", "GF", "PM")}
"""Regions whose numbers are written like those of another country but have a code of their own."""
_SCHEME = re.compile(r"^(tel|sips?):", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s().\-/\u00a0]+")
_INTERNATIONAL = re.compile(r"\+[0-9]{6,15}")
_DIGITS = re.compile(r"\+?[0-9]{6,17}")


def spelled(written: str, region: str = "") -> str:
    """The one spelling of a number. `region` (FR) tells what a number without a country code is; without it such a
    number stays as it is."""
    text = "".join(sign for sign in written if sign.isprintable()).strip()
    text = _SCHEME.sub("", text).partition(";")[0].partition("@")[0].strip().strip('"<>')
    if text.casefold() in WITHHELD:
        return ""
    digits = _SEPARATORS.sub("", text)
    if not _DIGITS.fullmatch(digits):
        return text[:LONGEST_NUMBER]
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not region:
        return digits if digits.startswith("+") else text[:LONGEST_NUMBER]
    for place in (region, *_DIALLED_AS_AT_HOME.get(region, ())):
        try:
            number = phonenumbers.parse(digits, place)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return digits if _INTERNATIONAL.fullmatch(digits) else text[:LONGEST_NUMBER]
