"""Large sets of spoken values, each read exactly in at least 98 of 100 cases; a failure lists what was misread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from dialogue.slots import parse
from tests.slots.spoken import (
    Case,
    english_dates,
    english_zip_codes,
    french_dates,
    french_phone_numbers,
    french_zip_codes,
    italian_dates,
    italian_zip_codes,
)

NOW = datetime(2026, 11, 20, 10, 15)  # a Friday
LEAST_EXACT = 0.98


def misread(cases: Sequence[Case], slot_type: str, language: str, region: str = "FR") -> list[str]:
    found = []
    for case in cases:
        reading = parse(slot_type, case.said, language, now=NOW, region=region)
        if reading.value != case.meant or not reading.complete:
            found.append(f"{case.said!r}: {reading.value}, meant {case.meant}")
    return found


@pytest.mark.parametrize(
    ("cases", "slot_type", "language", "region"),
    [
        (french_zip_codes(300, seed=1), "zip_code", "fr", "FR"),
        (french_zip_codes(300, seed=20), "zip_code", "fr", "FR"),
        (french_phone_numbers(100, seed=2), "phone", "fr", "FR"),
        (french_phone_numbers(100, seed=21), "phone", "fr", "FR"),
        (french_dates(100, seed=3, now=NOW), "date_time", "fr", "FR"),
        (french_dates(100, seed=22, now=NOW), "date_time", "fr", "FR"),
        (italian_zip_codes(100, seed=4), "zip_code", "it", "IT"),
        (italian_dates(100, seed=5, now=NOW), "date_time", "it", "IT"),
        (english_zip_codes(100, seed=6), "zip_code", "en", "US"),
        (english_dates(100, seed=7, now=NOW), "date_time", "en", "US"),
    ],
    ids=lambda value: f"{len(value)}" if isinstance(value, list) else value,
)
def test_a_set_is_read_exactly(cases: list[Case], slot_type: str, language: str, region: str) -> None:
    wrong = misread(cases, slot_type, language, region)
    exact = 1 - len(wrong) / len(cases)
    assert exact >= LEAST_EXACT, f"{exact:.1%} exact\n" + "\n".join(wrong)
