"""Phrase files: what is read, and what is said about a bad one."""

from pathlib import Path

import pytest

from intent_service.groups import paraphrase_groups
from intent_service.language import read_language
from intent_service.normalise import LANGUAGES, normalise
from intent_service.phrases import BadPhrases, read_phrase_set, read_sentences

FLOWS = Path(__file__).resolve().parents[2] / "flows"
GOOD = """\
language: fr
words:
  ville: [paris, lyon]
polite: [merci]
intents:
  yes:
    description: Agrees.
    only: [oui]
    strict: true
    phrases:
      - [oui, oui oui]
      - d'accord
  no:
    phrases: [non, nan, pas du tout]
"""


def test_a_file_becomes_a_phrase_set() -> None:
    phrases = read_phrase_set(GOOD, "intents.yaml")
    yes, no = phrases.intents
    assert phrases.names == ("yes", "no")
    assert yes.groups == (("oui", "oui oui"), ("d'accord",))
    assert yes.phrases == ("oui", "oui oui", "d'accord")
    assert (yes.only, yes.strict, no.only, no.strict) == (("oui",), True, (), False)
    assert phrases.words == {"ville": ("paris", "lyon")}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("language: fr", "language: xx"), "f.yaml:1: language: must be one of"),
        (("    description: Agrees.", "    descripton: Agrees."), "f.yaml:7: intent yes: `descripton` is unknown"),
        (("strict: true", "strict: maybe"), "f.yaml:9: intent yes: `strict` must be true or false"),
        (("[non, nan, pas du tout]", "[non, nan]"), "intent no: at least three phrases"),
        (("[non, nan, pas du tout]", "non"), "f.yaml:14: intent no: `phrases` must be a list"),
        (("nan, pas", "oui, pas"), "f.yaml:14: intent no: phrase `oui` stands also in intent yes (line 11)"),
        (("  no:", "  yes:"), "f.yaml:13: intents: `yes` stands twice"),
        (("  no:", "  no_match:"), "`no_match` is taken"),
        (("- [oui, oui oui]", "- [oui, oui oui"), "f.yaml:13: YAML:"),
    ],
)
def test_a_fault_is_named_with_its_line(change: tuple[str, str], complaint: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(BadPhrases) as error:
        read_phrase_set(GOOD.replace(*change, 1), "f.yaml")
    assert complaint in str(error.value)


def test_all_faults_are_said_at_once() -> None:
    bad = GOOD.replace("language: fr", "language: xx").replace("strict: true", "strict: maybe")
    with pytest.raises(BadPhrases) as error:
        read_phrase_set(bad, "f.yaml")
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["", "3", "[]", "language: fr", "intents: {}", "language: fr\nphrases: []"])
def test_files_that_hold_nothing_are_refused(text: str) -> None:
    with pytest.raises(BadPhrases, match=r"f\.yaml:1"):
        read_phrase_set(text, "f.yaml")
    with pytest.raises(BadPhrases, match=r"f\.yaml:1"):
        read_sentences(text, "f.yaml")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_shipped_files_are_good_and_rich_enough(language: str) -> None:
    data = read_language(FLOWS, language)
    generic = {"yes", "no", "repeat", "human", "bye", "who_are_you", "robot", "hold", "do_not_know"}
    assert generic <= set(data.main.names)
    for one in data.sets:
        for intent in one.intents:
            assert len(intent.phrases) >= 25, intent.name
            assert intent.description, intent.name
            for phrase in intent.phrases:
                assert phrase == phrase.lower()
                assert not set(phrase) - set("abcdefghijklmnopqrstuvwxyzàâáçéèêëîïìíôòóûùúüœ' -"), phrase
                assert normalise(phrase, language), phrase
    if language == "fr":
        assert data.faqs is not None
        assert data.faqs.names == tuple(f"faq{number}" for number in range(1, 25))
        assert len(data.strangers) >= 100


def test_twins_join_a_group_wherever_they_stand() -> None:
    text = GOOD.replace(
        "- d'accord",
        "- d'accord\n      - je veux bien qu'on me rappelle demain\n      - je veux qu'on me rappelle demain",
    )
    intent = read_phrase_set(text, "f.yaml").intents[0]
    groups = paraphrase_groups(intent, [normalise(phrase, "fr") for phrase in intent.phrases])
    assert groups[0] == groups[1] != groups[2]
    assert groups[3] == groups[4] != groups[0]


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPhrases, match=r"fr/intents\.yaml:1: the file is missing"):
        read_language(tmp_path, "fr")
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "intents.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(BadPhrases, match="in the folder of `it`"):
        read_language(tmp_path, "it")
