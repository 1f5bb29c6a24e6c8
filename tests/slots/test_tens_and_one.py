"""Numbers whose "et" a recogniser left out are the numbers with it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dialogue.slots import SlotType, parse

NOW = datetime(2026, 1, 14, 10, 0, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("slot", "text", "value"),
    [
        ("zip_code", "quarante un mille cinq cent", "41500"),
        ("zip_code", "vingt un mille", "21000"),
        ("zip_code", "soixante onze mille deux cents", "71200"),
        ("zip_code", "trente un mille cent vingt un", "31121"),
        ("zip_code", "cinquante un cent", "51100"),
        ("phone", "zéro six vingt un trente un quarante un cinquante un", "+33621314151"),
        ("integer", "soixante un", "61"),
    ],
)
def test_with_and_without(slot: SlotType, text: str, value: str) -> None:
    whole = text.replace(" un", " et un").replace("soixante onze", "soixante et onze")
    for said in (text, whole):
        reading = parse(slot, said, "fr", now=NOW, region="FR")
        assert (str(reading.value), reading.complete) == (value, True), said
