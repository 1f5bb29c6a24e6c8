"""The words with which one of several things that were just said is chosen, or all are refused. Pure: data only.

Words are those of normal text (`moments.normal`): lower case, no accents, an elided word with its apostrophe, numbers
in digits, ordinals as `2#`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ListedWords:
    """One language's. `light` words stand between a denial, or a bare number, and what it is about; `position` words
    before a number make it a place in the list. `pronouns` are taken out of the text ("the red one")."""

    first: frozenset[str]  # beside ordinals, with an article before it or nothing
    last: frozenset[str]
    before_last: frozenset[str]
    middle: frozenset[str]
    other: frozenset[str]
    position: frozenset[str]
    light: frozenset[str]
    deniers: frozenset[str]
    either: frozenset[str]
    none: re.Pattern[str]
    pronouns: re.Pattern[str] = re.compile(r"(?!)")
    joins: frozenset[str] = frozenset()  # between several: "and"
    no_joins: re.Pattern[str] = re.compile(r"(?!)")  # what would be such a word without its accents: "è"
    adds: frozenset[str] = frozenset()  # to what was chosen before: "also"
    removes: frozenset[str] = frozenset()  # from it: "without"
    leads: frozenset[str] = frozenset()  # what follows is about something else: "with", "for"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LISTED_WORDS = {
    "fr": ListedWords(
        first=frozenset(),
        last=_words("dernier derniere derniers dernieres"),
        before_last=_words("avant penultieme"),
        middle=_words("milieu"),
        other=_words("autre autres"),
        position=_words("numero option choix proposition reponse"),
        light=_words(
            "le la les l' de du des d' a au avec celui celle celles ceux c' est ce cet cette que qu' pour chez en un"
            " une prends prendrais prendre veux voudrais prefere preferais je j' donc plutot aime aimerais bien svp"
            " merci s' il vous plait oui va mettez moi ok alors alternative"
        ),
        deniers=_words("pas ni sauf surtout jamais non"),
        either=_words("ou soit"),
        joins=_words("et plus puis ainsi"),
        adds=_words("aussi ajoutez ajouter ajoute encore egalement rajoutez"),
        removes=_words("sans enlevez enlever retirez retirer supprimez"),
        leads=_words("avec pour chez a au le vers de"),
        none=re.compile(
            r"\baucune?\b(?! (?:probleme|souci|idee|importance|preference|doute|difficulte))|\bni l' (?:1|une?)\b"
            r"|\bpas (?:1 )?seule?\b|\brien de tout (?:ca|cela)\b|\brien ne (?:me |m' )?(?:va|convient|arrange)"
            r"|\b(?:ca|cela) ne (?:me |m' )?(?:va|convient|arrange) pas\b|\bpas 1 (?:seule?|de)\b"
        ),
    ),
    "it": ListedWords(
        first=_words("prima"),
        last=_words("ultimo ultima ultimi ultime"),
        before_last=_words("penultimo penultima"),
        middle=_words("mezzo centrale"),
        other=_words("altro altra altri altre"),
        position=_words("numero opzione scelta proposta"),
        light=_words(
            "il lo la l' i gli le di del dello della dell' delle dei a al allo alla alle all' ai con quello quella"
            " quelli quelle e per da dal un uno una prendo vorrei voglio preferisco meglio direi facciamo grazie si"
            " io verrei vengo passo passerei volevo prenoto prenoti"
            " va bene ok allora sono che"
        ),
        deniers=_words("non ne tranne eccetto no mai"),
        either=_words("o oppure"),
        joins=_words("e ed piu poi"),
        no_joins=re.compile(r"(?<!\w)(?:c['’] ?)?è(?!\w)"),
        adds=_words("anche aggiungi aggiunga aggiungere pure inoltre"),
        removes=_words("senza togli tolga togliere levi"),
        leads=_words("con per da a alle alla di verso"),
        none=re.compile(
            r"\bnessun(?:o|a|')?\b(?! (?:problema|dubbio|preferenza|importanza|idea))|\bne l' (?:1|uno|una)\b"
            r"|\bniente di (?:tutto )?(?:questo|cio)\b|\bnon (?:mi |me ne )?va(?:nno)? bene (?:niente|nulla)\b"
            r"|\bnon (?:mi )?va bene nessun"
        ),
    ),
    "en": ListedWords(
        first=frozenset(),
        last=_words("last final"),
        before_last=_words("penultimate"),
        middle=_words("middle"),
        other=_words("other others"),
        position=_words("number option choice proposal"),
        light=_words(
            "the a an of at on in with to for that this it it' s is i i' ll d would like take prefer want please thanks"
            " yes ok rather then have me let' give"
        ),
        deniers=_words("not no except never nor neither t"),
        either=_words("or either"),
        joins=_words("and plus then"),
        adds=_words("also add too"),
        removes=_words("without remove drop"),
        leads=_words("with for at by on to"),
        none=re.compile(
            r"\bnone\b|\bneither\b(?! .* nor\b)|\bnot any\b|\bnothing (?:of|suits|works)\b|\bno 1 of\b"
            r"|\b(?:can'|don'|won'|couldn') t .*\bany\b|\bcannot .*\bany\b"
            r"|\bnone of\b|\b(?:don'|doesn'|do|does) (?:t|not) (?:suit|work)\b"
        ),
        pronouns=re.compile(
            r"(?<!number )(?<!option )(?<!choice )(?:(?<=the )|(?<=this )|(?<=that )|(?<=\w\w\w )|(?<=[ap]m ))"
            r"\bones?\b(?! (?:o'|o |thirty|fifteen|forty|am|pm|a\.m|p\.m|hundred|thousand))"
        ),
    ),
}
