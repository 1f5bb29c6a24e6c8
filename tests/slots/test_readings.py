"""Single readings: what a caller says on the telephone, and what must be made of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.slots import SLOT_TYPES, parse

NOW = datetime(2026, 11, 20, 15, 40)  # a Friday
HEATING = {"gas": ["gaz", "gaz de ville"], "oil": ["fioul", "mazout"], "heat_pump": ["pompe à chaleur"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("soixante quinze zéro onze", "75011"),
        ("sept cinq zéro un un", "75011"),
        ("soixante-quinze mille onze", "75011"),
        ("soixante et onze mille cent", "71100"),
        ("zéro un trois cents", "01300"),
        ("mille trois cents", "01300"),
        ("zéro un mille trois cents", "01300"),
        ("cinq mille cent", "05100"),
        ("le treize double zéro un", "13001"),
        ("75 011", "75011"),
        ("75-011.", "75011"),
        ("75 mille 11", "75011"),
        ("75 000 11", "75011"),
        ("euh soixante quinze euh zéro onze", "75011"),
        ("non soixante-quinze mille douze", "75012"),
        ("soixante-quinze mille onze euh non douze", "75012"),
        ("soixante-quinze mille cent vingt et un, non, vingt-deux", "75122"),
        ("soixante-quinze non soixante-dix-sept zéro onze", "77011"),
        ("soixante-quinze mille onze soixante-quinze mille onze", "75011"),
        ("un soixante-quinze mille onze", "75011"),
        ("septante-cinq mille onze", "75011"),
        ("SOIXANTE QUINZE MILLE ONZE", "75011"),
    ],
)
def test_a_french_zip_code(text: str, value: str) -> None:
    reading = parse("zip_code", text, "fr", now=NOW)
    assert (reading.value, reading.complete) == (value, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bonjour",
        "soixante quinze",
        "sept cinq zéro un",
        "zéro six douze trente quatre cinquante six soixante dix huit",  # a telephone number
        "quatre-vingt-dix-neuf mille cent",  # no such department
        "zéro zéro un deux trois",
        "j'ai trois enfants",
    ],
)
def test_no_french_zip_code(text: str) -> None:
    reading = parse("zip_code", text, "fr", now=NOW)
    assert (reading.value, reading.complete) == (None, False)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("soixante-quinze mille", True),
        ("soixante-quinze mille cent", True),
        ("soixante dix sept cent", True),
        ("soixante-quinze mille onze", False),
        ("sept cinq zéro un un", False),
        ("soixante-quinze", True),
    ],
)
def test_a_zip_code_that_may_go_on_is_open(text: str, is_open: bool) -> None:
    assert parse("zip_code", text, "fr", now=NOW).open is is_open


def test_a_correction_of_what_was_read_back_keeps_the_rest() -> None:
    reading = parse("zip_code", "non, douze", "fr", now=NOW, previous="75011")
    assert (reading.value, reading.negated, reading.corrected) == ("75012", True, True)


def test_an_ambiguous_zip_code_has_less_confidence_than_a_plain_one() -> None:
    plain = parse("zip_code", "soixante-quinze mille onze", "fr", now=NOW)
    ambiguous = parse("zip_code", "vingt cinq cent dix", "fr", now=NOW)  # 25 110 or 20 510
    hyphenated = parse("zip_code", "vingt-cinq cent dix", "fr", now=NOW)
    assert (ambiguous.value, hyphenated.value) == ("25110", "25110")
    assert ambiguous.confidence < 0.8 < hyphenated.confidence <= plain.confidence


@pytest.mark.parametrize(
    ("text", "language", "region", "value"),
    [
        ("zero zero uno otto quattro", "it", "IT", "00184"),
        ("zero zero uno ottantaquattro", "it", "IT", "00184"),
        ("ventimilacentoventuno", "it", "IT", "20121"),
        ("venti centoventuno", "it", "IT", "20121"),
        ("il mio cap è due zero uno due uno", "it", "IT", "20121"),
        ("no venti mila centoventidue", "it", "IT", "20122"),
        ("nine oh two one oh", "en", "US", "90210"),
        ("double zero five oh one", "en", "US", "00501"),
        ("mille cinquante", "fr", "BE", "1050"),
    ],
)
def test_zip_codes_of_other_countries(text: str, language: str, region: str, value: str | None) -> None:
    assert parse("zip_code", text, language, now=NOW, region=region).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zéro six douze trente-quatre cinquante-six soixante-dix-huit", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("plus trente-trois six douze trente quatre cinquante six soixante dix huit", "+33612345678"),
        ("zéro six vingt et un trente et un quarante et un cinquante et un", "+33621314151"),
        ("zéro un quarante-deux non zéro six douze trente-quatre cinquante-six soixante-dix-huit", "+33612345678"),
        ("zéro six douze trente-quatre cinquante-six soixante-dix-huit pardon soixante-dix-neuf", "+33612345679"),
        ("zéro six douze", None),
        ("bonjour", None),
    ],
)
def test_a_french_telephone_number(text: str, value: str | None) -> None:
    reading = parse("phone", text, "fr", now=NOW)
    assert (reading.value, reading.complete) == (value, value is not None)


def test_a_telephone_number_that_is_complete_only_by_an_unusual_reading_is_open() -> None:
    reading = parse("phone", "zéro six soixante dix sept douze trente quatre", "fr", now=NOW)
    assert reading.value == "+33660171234"
    assert reading.open


@pytest.mark.parametrize(
    ("text", "language", "region", "value"),
    [
        ("tre tre tre uno due tre quattro cinque sei sette", "it", "IT", "+393331234567"),
        ("zero sei sei nove otto uno due tre quattro", "it", "IT", "+39066981234"),
        ("two one two five five five oh one two three", "en", "US", "+12125550123"),
        ("oh two oh seven nine four six oh nine five eight", "en", "GB", "+442079460958"),
    ],
)
def test_telephone_numbers_of_other_countries(text: str, language: str, region: str, value: str) -> None:
    assert parse("phone", text, language, now=NOW, region=region).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("demain en fin d'après-midi", "2026-11-21T16:00/2026-11-21T18:00"),
        ("mardi prochain à quatorze heures trente", "2026-11-24T14:30"),
        ("vers dix heures", "2026-11-21T10:00"),
        ("à dix-sept heures", "2026-11-20T17:00"),
        ("entre neuf heures et midi", "2026-11-21T09:00/2026-11-21T12:00"),
        ("le matin", "2026-11-21T09:00/2026-11-21T12:00"),
        ("dans une heure", "2026-11-20T16:40"),
        ("dans une demi-heure", "2026-11-20T16:10"),
        ("lundi en huit", "2026-11-30"),
        ("demain à deux heures", "2026-11-21T14:00"),
        ("le trois décembre à dix heures et quart", "2026-12-03T10:15"),
        ("mardi euh non mercredi à quatorze heures", "2026-11-25T14:00"),
        ("demain matin non plutôt l'après-midi", "2026-11-21T14:00/2026-11-21T18:00"),
        ("jeudi 14h30", "2026-11-26T14:30"),
        ("Jeudi à 14:30.", "2026-11-26T14:30"),
        ("25/12 à 10h", "2026-12-25T10:00"),
        ("après dix-huit heures", "2026-11-20T18:00/2026-11-20T20:00"),
        ("entre midi et deux", "2026-11-21T12:00/2026-11-21T14:00"),
        ("samedi vers huit heures du soir", "2026-11-21T20:00"),
        ("la semaine prochaine", "2026-11-23/2026-11-27"),
        ("le vendredi neuf juillet", "2027-07-09"),
        ("quand vous voulez", None),
        ("je ne sais pas", None),
        ("à trente-cinq heures", None),
    ],
)
def test_a_french_moment(text: str, value: str | None) -> None:
    reading = parse("date_time", text, "fr", now=NOW)
    assert (reading.value, reading.complete) == (value, value is not None)


def test_a_day_without_a_time_is_open_and_one_with_a_time_is_not() -> None:
    assert parse("date_time", "mardi", "fr", now=NOW).open
    assert parse("date_time", "mardi à dix heures", "fr", now=NOW).certain


def test_a_moment_is_read_back_in_the_callers_language() -> None:
    texts = {
        "fr": "mardi à quatorze heures trente",
        "it": "martedì alle quattordici e trenta",
        "en": "tuesday at 2:30 pm",
    }
    readable = {language: parse("date_time", text, language, now=NOW).readable for language, text in texts.items()}
    assert readable == {
        "fr": "mardi 24 novembre à 14 h 30",
        "it": "martedì 24 novembre alle 14:30",
        "en": "Tuesday 24 November at 14:30",
    }


def test_a_correction_of_a_moment_that_was_read_back_keeps_the_day() -> None:
    reading = parse("date_time", "non à quinze heures", "fr", now=NOW, previous="2026-11-24T14:30")
    assert reading.value == "2026-11-24T15:00"


def test_an_aware_time_is_taken_as_local() -> None:
    aware = datetime.fromisoformat("2026-11-20T15:40:00+01:00")
    assert parse("date_time", "dans une heure", "fr", now=aware).value == "2026-11-20T16:40"


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("oui", "fr", True),
        ("Oui, tout à fait.", "fr", True),
        ("pourquoi pas", "fr", True),
        ("pas de problème", "fr", True),
        ("non merci", "fr", False),
        ("bien sûr que non", "fr", False),
        ("je crois pas", "fr", False),
        ("soixante-quinze", "fr", None),
        ("sì certo", "it", True),
        ("come no", "it", True),
        ("per niente", "it", False),
        ("yes please", "en", True),
        ("of course not", "en", False),
        ("I don't think so", "en", False),
    ],
)
def test_yes_or_no(text: str, language: str, value: bool | None) -> None:
    assert parse("yes_no", text, language, now=NOW).value is value


def test_yes_and_no_in_one_breath_is_less_certain_and_the_last_counts() -> None:
    mixed, plain = (parse("yes_no", text, "fr", now=NOW) for text in ("oui euh non", "non"))
    assert mixed.value is False
    assert mixed.corrected
    assert mixed.confidence < plain.confidence


def test_a_yes_that_goes_on_is_open() -> None:
    assert parse("yes_no", "oui mais", "fr", now=NOW).open


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("au gaz", "gas"),
        ("c'est une pompe à chaleur", "heat_pump"),
        ("une pompe a chaleurs", "heat_pump"),
        ("pas le gaz, au fioul", "oil"),
        ("au gaz euh non au fioul", "oil"),
        ("je ne sais pas", None),
    ],
)
def test_a_choice(text: str, value: str | None) -> None:
    assert parse("choice", text, "fr", now=NOW, choices=HEATING).value == value


def test_two_choices_side_by_side_have_little_confidence() -> None:
    both = parse("choice", "gaz et fioul", "fr", now=NOW, choices=HEATING)
    assert both.value == "gas"
    assert both.confidence < parse("choice", "gaz", "fr", now=NOW, choices=HEATING).confidence


def test_digits_keep_their_order_and_zeros_within_their_limits() -> None:
    reading = parse("digits", "zéro zéro douze trente-quatre", "fr", now=NOW, least_digits=4, most_digits=6)
    assert (reading.value, reading.complete, reading.open) == ("001234", True, False)
    short = parse("digits", "douze", "fr", now=NOW, least_digits=4, most_digits=6)
    assert (short.value, short.complete, short.open) == ("12", False, True)


def test_an_unknown_type_or_language_is_an_error() -> None:
    with pytest.raises(ValueError, match="colour"):
        parse("colour", "bleu", "fr", now=NOW)
    with pytest.raises(ValueError, match="de"):
        parse("yes_no", "ja", "de", now=NOW)


@given(st.sampled_from(SLOT_TYPES), st.sampled_from(["fr", "it", "en"]), st.text(max_size=80))
def test_any_text_gives_a_reading(slot_type: str, language: str, text: str) -> None:
    reading = parse(slot_type, text, language, now=NOW, choices=HEATING)
    assert 0.0 <= reading.confidence <= 1.0
    assert reading.complete <= (reading.value is not None)


WORDS = st.sampled_from(
    "un deux sept zéro dix onze vingt soixante quatre-vingts mille cent et non euh double plus pardon demain mardi à "
    "heures demie midi quart moins entre le prochain en huit 75 011 14h30 janvier dans jours".split()
)


@given(st.sampled_from(SLOT_TYPES), st.lists(WORDS, max_size=25))
def test_any_mixture_of_the_words_that_matter_gives_a_reading(slot_type: str, words: list[str]) -> None:
    reading = parse(slot_type, " ".join(words), "fr", now=NOW, choices=HEATING, previous="75011")
    assert 0.0 <= reading.confidence <= 1.0
