"""How each language denies or doubts what it says next: "c'est pas ...", "I don't think ...", "mica ...". Pure: data.

Words are those of `dialogue.slots.words`: without accents, an elided word with its apostrophe ("don'", "t").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Denials:
    """One language's. Phrases come longest first, as in the lexicon.

    `deniers` turn the yes behind them into a no, up to `reach` words away; further away it is merely in doubt.
    `doubts` make nothing of the clause. `doubtful` are the yeses whose denial is a doubt ("not sure"). `plain_no` are
    the noes that a denial before them does not undo. `only_alone` answer only where nothing but `before` stands ahead
    of them and nothing but `behind` follows. `behind_verbs` deny the phrase that they stand behind, if it
    begins with one of `subjects` ("je confirme pas").
    A doubt with a word of `certainty` ("pas sûr") sounds like a yes, and is none.
    """

    deniers: frozenset[str]
    doubts: tuple[str, ...]
    doubtful: frozenset[str]
    plain_no: frozenset[str]
    only_alone: frozenset[str]
    before: frozenset[str]
    behind: frozenset[str]
    clause_ends: frozenset[str]
    behind_verbs: frozenset[str]
    certainty: frozenset[str]
    subjects: frozenset[str]
    neither: frozenset[str] = frozenset({"ni", "ne", "neither", "nor"})
    reach: int = 6

    def is_denial(self, words: Sequence[str], position: int) -> bool:
        """Whether the word at `position` denies what follows."""
        return words[position] in self.deniers or (words[position].endswith("n'") and words[position] != "n'")

    def stands_alone(self, words: Sequence[str], position: int, length: int) -> bool:
        """Whether a phrase is an answer of its own and no part of a sentence."""
        ahead, after = words[:position], words[position + length :]
        return set(ahead) <= self.before and (not after or after[0] in self.behind)


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(sorted((phrase.strip() for phrase in text.split("|")), key=lambda phrase: -len(phrase.split())))


def _words(text: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in text.split("|"))


DENIALS = {
    "fr": Denials(
        deniers=_words("pas|jamais|guere|nullement|aucunement|point|aucun|loin|mal|moins|plus|rien|ni|sans|personne"),
        doubts=_phrases(
            "je ne sais pas|je sais pas|sais pas|j' sais pas|je ne suis pas sur|je ne suis pas sure|je suis pas sur"
            "|je suis pas sure|pas sur|pas sure|pas certain|pas certaine|pas convaincu|pas convaincue|peut etre|je "
            "doute|j'en doute"
            "|ca m'etonnerait|aucune idee|ca depend|pas forcement|ca se peut|qui sait|j'hesite|je me demande|vous "
            "etes sur|vous etes sure|etes vous sur|etes vous sure|tu es sur|t'es sur"
            "|pas entendu|pas compris|pas bien compris|pas bien entendu|est ce que|est ce bien|c'est possible|je ne "
            "crois rien"
        ),
        doubtful=_words("entendu|si|bien sur|exactement|evidemment|certainement"),
        plain_no=_words("non|nan|non non|non merci|negatif|hors de question"),
        only_alone=_words("si|entendu|parfait|exact|correct|certainement|effectivement|evidemment"),
        before=_words(
            "oui|ouais|si|ah|c'|est|tout|a|fait|tres|bien|parfaitement|mais|enfin|et|ca|me|parait|semble|absolument"
            "|vraiment"
            "|totalement|non|cela|il|code|le|votre|numero|d'accord|d'|accord|ok|voila|donc|alors|oh|monsieur|madame"
        ),
        behind=_words(
            "oui|si|merci|monsieur|madame|mademoiselle|c'|je|mais|bien|tout|et|exactement|parfait|absolument|d'|ok"
        ),
        clause_ends=_words("mais|donc|alors|par contre|cependant"),
        behind_verbs=_words("pas"),
        subjects=_words("je|j'|ca|c'"),
        certainty=_words("sur|sure|certain|certaine|convaincu|convaincue|possible"),
    ),
    "it": Denials(
        deniers=_words("non|mica|mai|nient'|niente|nemmeno|neanche|neppure|ne|senza|lontano|poco|meno"),
        doubts=_phrases(
            "non lo so|non so|non saprei|boh|forse|non sono sicuro|non sono sicura|non e sicuro|non sono certo|non "
            "sono certa"
            "|dipende|dubito|ne dubito|puo darsi|non ho capito|non ho sentito|puo essere|mah|non sono convinto|non "
            "sono convinta"
            "|mi chiedo|chi lo sa|chissa|e sicuro|e sicura|sei sicuro|sei sicura|siete sicuri|ne e sicuro|ne sei "
            "sicuro"
        ),
        doubtful=_words("sicuro|sicuramente|certo|certamente|si"),
        plain_no=_words("no|no no|no grazie|negativo|per niente|affatto|niente affatto"),
        only_alone=_words("certo|sicuro|giusto|perfetto|ovvio|esatto"),
        before=_words(
            "si|e|ah|eh|tutto|molto|davvero|proprio|ma|assolutamente|certo|perfetto|esatto|giusto|il|codice|numero"
            "|ok|suo"
            "|sono|d'accordo|mi|sembra|pare|no"
        ),
        behind=_words("si|grazie|e|che|signore|signora|ma|cosi|perfetto|proprio|confermo|esatto|va|ok|giusto"),
        clause_ends=_words("ma|pero|quindi|allora"),
        behind_verbs=_words("mica"),
        subjects=_words("mi|confermo|va|e"),
        certainty=_words("sicuro|sicura|certo|certa|convinto|convinta|sicuri"),
    ),
    "en": Denials(
        deniers=_words(
            "not|never|no|cannot|cant|dont|doesnt|isnt|wasnt|wont|hardly|barely|nothing|nor|neither|without|far"
            "|less|dis"
        ),
        doubts=_phrases(
            "i don't know|i do not know|dunno|i'm not sure|i am not sure|not sure|not so sure|not really sure|not "
            "certain"
            "|not convinced|maybe|perhaps|i doubt|doubt|it depends|depends|who knows|no idea|possibly|i wonder|i "
            "guess"
            "|i suppose|are you sure|you sure|is that right|is it right|is that correct|i didn't hear|i didn't get"
            "|i didn't understand|are you certain"
        ),
        doubtful=_words("sure|certainly|definitely|absolutely|of course|exactly"),
        plain_no=_words("no|nope|nah|no no|no thanks|no thank you|no way|negative"),
        only_alone=_words("sure|right|fine|great|perfect|correct|ok|i do|it is|indeed|okay"),
        before=_words(
            "yes|yeah|yep|yup|that|that'|s|is|it|it'|all|oh|quite|absolutely|ok|okay|sounds|looks|seems|perfectly"
            "|i'|m|i|am"
            "|very|totally|completely|you'|re|you|are|sure|right|fine|well|the|code|number|and|so|for|pretty|no|be"
            "|would"
        ),
        behind=_words(
            "yes|yeah|thanks|thank|please|that|that'|i|it|sir|madam|and|correct|right|ok|sure|fine|go|but|by|with"
            "|thing|great|then|so"
        ),
        clause_ends=_words("but|however|though"),
        behind_verbs=_words("not"),
        subjects=_words("i|it|it'|that|that'|sounds"),
        certainty=_words("sure|certain|convinced|right|correct"),
    ),
}
