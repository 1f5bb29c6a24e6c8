"""The spellings of telephone numbers that trunks use."""

import pytest

from ari_controller.numbers import spelled


@pytest.mark.parametrize(
    ("written", "region", "one"),
    [
        ("+33123456789;npdi=yes;rn=+33199", "", "+33123456789"),
        ("0033612345678", "", "+33612345678"),
        ("tel:+33612345678;phone-context=+33", "", "+33612345678"),
        ("sip:+33612345678@provider;user=phone", "", "+33612345678"),
        ("+33 6 12-34.56.78", "", "+33612345678"),
        ("0612345678", "", "0612345678"),
        ("0612345678", "FR", "+33612345678"),
        ("33612345678", "FR", "+33612345678"),
        ("612345678", "FR", "+33612345678"),
        ("0692123456", "FR", "+262692123456"),
        ("0696123456", "FR", "+596696123456"),
        ("0694123456", "FR", "+594694123456"),
        ("3331234567", "IT", "+393331234567"),
        ("0612345678", "IT", "+390612345678"),
        ("02012345678", "DE", "+492012345678"),
        ("00393331234567", "FR", "+393331234567"),
        ("+999123456789", "FR", "+999123456789"),
        ("600", "FR", "600"),
        ("3631", "FR", "3631"),
        ("*31#", "FR", "*31#"),
        ("softphone", "FR", "softphone"),
        ("Pronto;x=1", "FR", "Pronto"),
        ("Anonymous", "FR", ""),
        ("unavailable", "", ""),
        ("a\x00b\u202e", "", "ab"),
        ("x" * 100, "", "x" * 64),
    ],
)
def test_a_number_has_one_spelling(written: str, region: str, one: str) -> None:
    assert spelled(written, region) == one
    assert spelled(one, region) == one
