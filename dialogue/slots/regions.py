"""Countries whose telephone numbers, postal codes and clock a flow's callers use. Pure: data and look-ups."""

from __future__ import annotations

import phonenumbers

REGION_OF_LANGUAGE = {"fr": "FR", "it": "IT", "en": "GB"}
FRENCH_OVERSEAS = ("GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF")
"""Departments and collectivities whose numbers are dialled with 0 and nine digits, as in France, but are not +33."""
TIMEZONES = {
    "FR": "Europe/Paris", "MC": "Europe/Monaco", "BE": "Europe/Brussels", "CH": "Europe/Zurich",
    "LU": "Europe/Luxembourg", "IT": "Europe/Rome", "SM": "Europe/San_Marino", "GB": "Europe/London",
    "IE": "Europe/Dublin", "DE": "Europe/Berlin", "AT": "Europe/Vienna", "ES": "Europe/Madrid",
    "NL": "Europe/Amsterdam", "PT": "Europe/Lisbon", "GP": "America/Guadeloupe", "MQ": "America/Martinique",
    "GF": "America/Cayenne", "RE": "Indian/Reunion", "YT": "Indian/Mayotte", "US": "America/New_York",
    "CA": "America/Toronto",
}  # fmt: skip
"""Where the clock of a region without its own time zone setting stands; of a wide country, its capital's side."""
KNOWN_REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)


def region_of(language: str) -> str:
    """The region that a language tag names ("fr-BE": BE), or that most of its speakers here live in."""
    tag, _, region = language.replace("_", "-").partition("-")
    return region.upper() if region.upper() in KNOWN_REGIONS else REGION_OF_LANGUAGE.get(tag.lower(), "FR")


_CURRENCIES = {"GB": "GBP", "US": "USD", "CH": "CHF", "LI": "CHF"}


def currency_of(region: str) -> str:
    """What one pays with in a region, of the currencies that amounts are read in."""
    return _CURRENCIES.get(region, "EUR")


def timezone_of(region: str) -> str:
    """The time zone of a region's clock."""
    return TIMEZONES.get(region, "Europe/Paris")
