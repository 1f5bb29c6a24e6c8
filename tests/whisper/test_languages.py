"""Names of languages: tags, codes of two and three letters, names, and nothing."""

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES

from whisper_service.languages import AUTO, language_code


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("fr", "fr"),
        ("fr-FR", "fr"),
        ("fr_BE.UTF-8", "fr"),
        (" FR ", "fr"),
        ("French", "fr"),
        ("français", "fr"),
        ("fre", "fr"),
        ("ITALIAN", "it"),
        ("en-GB", "en"),
        ("es-419", "es"),
        ("pt-BR", "pt"),
        ("zh-Hans-CN", "zh"),
        ("Simplified Chinese", "zh"),
        ("Haitian Creole", "ht"),
        ("nb-NO", "no"),
        ("", AUTO),
        ("auto", AUTO),
        ("und", AUTO),
        (None, AUTO),
        ("klingon", "klingon"),
        ("x", "x"),
    ],
)
def test_a_language_by_any_name_is_whispers_code(wanted: str | None, code: str) -> None:
    assert language_code(wanted) == code


def test_every_language_of_whisper_has_its_code() -> None:
    assert {code: language_code(code) for code in _LANGUAGE_CODES} == {code: code for code in _LANGUAGE_CODES}
