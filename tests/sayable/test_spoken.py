"""What is written is said: numbers, money, dates, times, telephones, addresses, codes; in three languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayable import say
from sayable.numbers import LIMIT, cardinal

FRENCH = {
    "RDV le 03/12 à 14h30, 45,50 €": "rendez-vous le trois décembre à quatorze heures trente, quarante-cinq euros "
    "cinquante",
    "Le 1er janvier 2026 à 9h": "Le premier janvier deux mille vingt-six à neuf heures",
    "le 15.03.2027": "le quinze mars deux mille vingt-sept",
    "Rappelez-nous au 04 72 19 68 05, merci.": "Rappelez-nous au zéro quatre, soixante-douze, dix-neuf, soixante-huit, "
    "zéro cinq, merci.",
    "au 06.12.34.56.78": "au zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
    "+33 (0)6 12 34 56 78": "plus trente-trois, six, douze, trente-quatre, cinquante-six, soixante-dix-huit",
    "le 0 800 123 456": "le zéro, huit cents, cent vingt-trois, quatre cent cinquante-six",
    "M. Dupont, 12 av. Foch, 75011 Paris": "monsieur Dupont, douze avenue Foch, soixante-quinze mille onze Paris",
    "06000 Nice": "zéro six mille Nice",
    "jean.dupont@pronto-energie.fr": "jean point dupont arobase pronto tiret energie point effe erre",
    "1 234,56 €": "mille deux cent trente-quatre euros cinquante-six",
    "0,50 €": "cinquante centimes",
    "1 000 000 €": "un million d'euros",
    "10 €/mois": "dix euros par mois",
    "-3 °C et 100 km/h": "moins trois degrés Celsius et cent kilomètres à l'heure",
    "21 minutes, 80 ans": "vingt et une minutes, quatre-vingts ans",
    "12,5 % de 40 m²": "douze virgule cinq pour cent de quarante mètres carrés",
    "la 2e fois": "la deuxième fois",
    "10-12 jours, de 14h-16h": "dix à douze jours, de quatorze heures à seize heures",
    "Réf. AB-123-CD": "référence a bé cent vingt-trois cé dé",
    "D-U-P-O-N-T": "dé, u, pé, o, enne, té",
    "la SNCF et la TVA": "la esse enne cé effe et la té vé a",
    "BONJOUR À TOUS": "BONJOUR À TOUS",
    "le 31/02": "le trente et un sur deux",
    "**Bonjour** 😀 !": "Bonjour !",
}
ITALIAN = {
    "Il 3/12/2026 alle 14:30": "Il tre dicembre duemilaventisei alle quattordici e trenta",
    "€ 1.249,90": "milleduecentoquarantanove euro e novanta",
    "1 € e 23 euro": "un euro e ventitré euro",
    "al numero 02 4587 1936": "al numero zero due, quattro cinque otto sette, uno nove tre sei",
    "3471234567": "tre quattro sette, uno due tre, quattro cinque sei sette",
    "20121 Milano": "due zero uno due uno Milano",
    "Sig.ra Bianchi, p.es. domani": "signora Bianchi, per esempio domani",
    "info@pronto.it": "info chiocciola pronto punto it",
    "la 2ª volta, 12,5 %": "la seconda volta, dodici virgola cinque per cento",
    "1 ora e 1 kg": "un'ora e un chilo",
    "R-O-S-S-I": "erre, o, esse, esse, i",
    "il 1° marzo": "il primo marzo",
}
ENGLISH = {
    "on 03/12/2026 at 2:30 pm": "on the third of December twenty twenty-six at two thirty p m",
    "December 3, 2026": "December third twenty twenty-six",
    "£12.50, $1,249.99": "twelve pounds fifty, one thousand two hundred and forty-nine dollars ninety-nine",
    "020 7946 0958": "zero two zero, seven nine four six, zero nine five eight",
    "SW1A 1AA": "ess double you one ay, one ay ay",
    "the 21st, in 1998": "the twenty-first, in nineteen ninety-eight",
    "Mr. Smith, 10 Downing St": "mister Smith, ten Downing street",
    "john.smith@example.com": "john dot smith at example dot com",
    "12.5% of 5 kg": "twelve point five percent of five kilograms",
    "9:05 and 14:30": "nine oh five and fourteen thirty",
}
CASES = [(language, written, said) for language, cases in (("fr", FRENCH), ("it", ITALIAN), ("en", ENGLISH))
         for written, said in cases.items()]  # fmt: skip


@pytest.mark.parametrize(("language", "written", "said"), CASES)
def test_what_is_written_is_said(language: str, written: str, said: str) -> None:
    assert say(written, language) == said


def listed() -> list[tuple[str, str, list[str]]]:
    """The second list: what is written, and what may be said for it."""
    lines = (Path(__file__).parent / "second_list.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(language, written.replace("\\n", "\n"), said.split(" | ")) for language, _, written, said in rows]


def words_of(text: str) -> list[str]:
    """Without case, hyphens and punctuation."""
    return "".join(sign if sign.isalnum() else " " for sign in text.lower()).split()


@pytest.mark.parametrize(("language", "written", "said"), listed())
def test_what_is_written_in_the_second_list_is_said(language: str, written: str, said: list[str]) -> None:
    assert words_of(say(written, language)) in [words_of(one) for one in said]


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@given(text=st.text(alphabet="aB1 0259.,:/-+()€$%°@#hkmé\n'’xXIV", max_size=60))
def test_whatever_is_written_no_digit_is_left_and_it_ends(language: str, text: str) -> None:
    assert not any(sign in "0123456789" for sign in say(text, language))


@pytest.mark.parametrize("language", ["fr", "it", "en"])
@given(st.integers(0, 10**6))
def test_numbers_differ_where_their_words_do(language: str, number: int) -> None:
    assert cardinal(number, language) != cardinal(number + 1, language)


@pytest.mark.parametrize("language", ["fr", "it", "en"])
def test_no_number_is_taken_for_a_face(language: str) -> None:
    """83 once was: eyes and a mouth."""
    for number in range(1_000):
        assert say(f"{number} euros", language).split()[0] != "euros", number
    assert say("8p, 8) XP", language).split()[0] not in ("", ",")
    assert say("Ok :-) 8-) <3 ;) XD", language) == say("Ok", language)


def test_numbers_up_to_the_limit_have_words() -> None:
    assert cardinal(LIMIT - 1, "fr").startswith("neuf cent quatre-vingt-dix-neuf milliards")
    assert cardinal(2_000_000, "it") == "due milioni"
    assert cardinal(1_100_001, "en") == "one million one hundred thousand and one"


def test_a_language_without_rules_is_left_to_the_voice() -> None:
    assert say("45,50 €", "de") == "45,50 €"
