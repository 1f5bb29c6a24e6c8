"""The words of each language that slot parsers look for, without accents. Pure: data only.

Number words are text2num's; what stands here is what callers say around them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass


@dataclass(frozen=True)
class Lexicon:
    """Word lists of one language; every phrase is lower case, without accents, words separated by one space."""

    language: str
    fillers: frozenset[str]
    corrections: tuple[str, ...]  # "no, I mean": what follows replaces what was said
    negations: tuple[str, ...]  # before a mention: "pas le gaz"
    yes: tuple[str, ...]
    no: tuple[str, ...]
    dangling: frozenset[str]  # a sentence does not end here, not even with a hesitation
    zero: frozenset[str]
    twice: dict[str, int]  # "double zero"
    thousand: frozenset[str]
    hundred: frozenset[str]
    conjunctions: frozenset[str]  # inside a number: "vingt et un"
    articles: frozenset[str]  # number words that are also articles
    number_prefix: tuple[str, ...]  # before the digits of an international number: "plus"
    joints: frozenset[str]  # said between the digits of one number: "point"
    links: frozenset[str]  # said between the parts of one code: "et le code"
    counted: frozenset[str]  # what a number in a sentence counts: "une seconde", "deux minutes"


def _phrases(text: str) -> tuple[str, ...]:
    """Phrases of a `|`-separated list, longest first, so that the first match is the longest."""
    return tuple(sorted((phrase.strip() for phrase in text.split("|")), key=lambda phrase: -len(phrase.split())))


FRENCH = Lexicon(
    language="fr",
    fillers=frozenset("euh heu hum hmm mm mmh ben bah bon hein eh ah oh alors donc voila".split()),
    corrections=_phrases(
        "non|euh non|ah non|enfin non|non pardon|pardon|plutot|ou plutot|je me trompe|je me suis trompe"
        "|je me suis trompee|je veux dire|je voulais dire|excusez moi|excuse moi|erreur|attendez|correction|enfin"
    ),
    negations=_phrases("pas|pas le|pas la|pas l'|pas de|pas d'|pas du|pas au|pas a|pas a l'|pas en|pas un|pas une|ni"),
    yes=_phrases(
        "oui|ouais|ouaip|oui oui|si|si si|d'accord|ok|okay|okey|entendu|bien sur|bien sur que oui|evidemment"
        "|certainement|exactement|exact|c'est exact|tout a fait|c'est ca|c'est bien ca|voila c'est ca"
        "|c'est correct|correct|c'est juste|absolument|effectivement|parfait|parfaitement|tres bien|volontiers"
        "|avec plaisir|pourquoi pas|je veux bien|allez y|vas y|ca marche|ca me va|ca me convient|je crois que oui"
        "|je pense que oui|pas de probleme|pas de souci|aucun probleme|sans probleme|affirmatif|c'est bon"
        "|c'est vrai|en effet|je confirme|c'est le bon|oui c'est bon|je ne dis pas non|ca ne me derange pas"
        "|c'est bien cela|c'est cela|carrement|yes|bien entendu|je suis d'accord|je dis pas non|ca ne me gene pas"
        "|pas de soucis|pas de problemes|y a pas de souci|y a pas de probleme|il n'y a pas de souci|il n'y a pas de "
        "probleme"
        "|ce n'est pas un probleme|c'est pas un probleme|c'est pas de refus|c'est ok|c'est parfait|c'est entendu"
        "|oui oui oui"
        "|je veux bien oui|tout bon|juste"
    ),
    no=_phrases(
        "non|nan|non non|non merci|pas du tout|pas vraiment|pas encore|pas maintenant|pas question"
        "|bien sur que non|surtout pas|hors de question|certainement pas|absolument pas|jamais|jamais de la vie"
        "|je ne crois pas|je crois pas|je ne pense pas|je pense pas|je crois que non|je pense que non"
        "|je ne veux pas|je veux pas|ce n'est pas ca|c'est pas ca|ce n'est pas le bon|c'est pas le bon|c'est faux"
        "|faux|c'est pas bon|ce n'est pas bon|negatif|aucunement|pas d'accord|je ne suis pas d'accord"
        "|je suis pas d'accord|c'est pas juste|ce n'est pas correct|pas trop|pas exactement|ce n'est pas vrai"
        "|c'est pas vrai|ce n'est pas exact|c'est inexact|ca ne me va pas|ca me va pas|ca ne me convient pas"
        "|je prefere pas|je ne prefere pas|pas correct|vous vous trompez|c'est une erreur|pas tout a fait|pas bien"
        "|inexact|incorrect|errone|c'est incorrect|je refuse|ca ne marche pas|ca marche pas|ca ne va pas|ca va pas"
        "|c'est mauvais|rien du tout|pas "
        "si vite"
    ),
    dangling=frozenset(
        "mais et ou le la les de du des d' l' a au en pour que qu' qui parce car si mon ma mes vers entre apres avant"
        " je j' c' suis est ai sommes avons habite chez avec dans sur sous par disons"
        " euh heu hum hmm mm mmh ben bah alors donc".split()
    ),
    zero=frozenset({"zero", "zeros"}),
    twice={"double": 2, "triple": 3},
    thousand=frozenset({"mille", "mil"}),
    hundred=frozenset({"cent", "cents"}),
    conjunctions=frozenset({"et"}),
    articles=frozenset({"un", "une"}),
    number_prefix=("plus",),
    joints=frozenset("point points virgule tiret espace slash pause".split()),
    links=frozenset(
        "et le la c' est code puis ensuite apres departement suivi de du des commune numero fin ca fait les "
        "chiffres derniers".split()
    ),
    counted=frozenset(
        "seconde secondes minute minutes instant instants moment moments heure heures jour jours fois an ans enfant "
        "enfants question questions petite petit personne personnes mois semaine semaines euro euros".split()
    ),
)

ITALIAN = Lexicon(
    language="it",
    fillers=frozenset("eh ehm mmm mm beh allora dunque ecco ah oh".split()),
    corrections=_phrases(
        "no|ah no|anzi|anzi no|scusi|scusa|mi scusi|volevo dire|voglio dire|ho sbagliato|mi sono sbagliato"
        "|mi sbaglio|pardon|cioe|aspetti"
    ),
    negations=_phrases("non|non il|non la|non a|niente|ne"),
    yes=_phrases(
        "si|si si|certo|certo che si|certamente|va bene|d'accordo|ok|okay|esatto|esattamente|giusto|e giusto"
        "|corretto|e corretto|perfetto|come no|volentieri|con piacere|sicuro|sicuramente|assolutamente si"
        "|assolutamente|benissimo|penso di si|credo di si|confermo|nessun problema|perche no|proprio cosi|e cosi"
        "|affermativo|ovvio|ovviamente|molto bene|tutto giusto|mi va bene|non c'e problema|nessun problema"
        "|nessunissimo problema"
        "|non dico di no|senza problemi|senz'altro|non ho niente in contrario|non c'e di che"
    ),
    no=_phrases(
        "no|no no|no grazie|certo che no|per niente|niente affatto|affatto|assolutamente no|non credo|credo di no"
        "|penso di no|non penso|non e vero|non e giusto|non e corretto|e sbagliato|sbagliato|non ancora|non adesso"
        "|non voglio|mai|giammai|non sono d'accordo|non va bene|negativo|no davvero|non proprio|non esattamente"
        "|nient'affatto|scorretto|inesatto|errato|falso|e falso|e errato|si sbaglia|rifiuto|mi rifiuto|per carita"
    ),
    dangling=frozenset(
        "ma e o il la i le di a da per che perche se mio mia verso tra fra dopo prima alle sono ho abbiamo abito con"
        " in su ehm mmm mm beh allora dunque".split()
    ),
    zero=frozenset({"zero"}),
    twice={"doppio": 2, "doppia": 2, "triplo": 3},
    thousand=frozenset({"mille", "mila"}),
    hundred=frozenset({"cento"}),
    conjunctions=frozenset({"e"}),
    articles=frozenset({"un", "uno", "una"}),
    number_prefix=("piu",),
    joints=frozenset("punto virgola trattino spazio barra pausa".split()),
    links=frozenset("e il la lo poi dopo codice provincia seguito da di le cifre ultime tre".split()),
    counted=frozenset(
        "secondo secondi minuto minuti attimo momento momentino ora ore giorno giorni volta volte anno anni figli "
        "figlio domanda persona persone mese mesi settimana settimane euro".split()
    ),
)

ENGLISH = Lexicon(
    language="en",
    fillers=frozenset("uh um er erm hmm mm well ah like".split()),
    corrections=_phrases(
        "no|oh no|sorry|no sorry|i mean|rather|or rather|make that|correction|wait|no wait|actually|excuse me"
        "|my mistake|scratch that"
    ),
    negations=_phrases("not|not the|not a|no|don't have"),
    yes=_phrases(
        "yes|yeah|yep|yup|yes yes|sure|of course|certainly|definitely|absolutely|exactly|right|that's right"
        "|that is right|correct|that's correct|that is correct|ok|okay|alright|all right|fine|that's fine|great"
        "|perfect|i agree|go ahead|please do|why not|i think so|i guess so|no problem|sounds good|indeed"
        "|affirmative|i do|it is|that's it|you bet|uh huh|not a problem|no worries|i don't mind|i do not mind|i "
        "wouldn't say no"
        "|i won't say no|i'd love to|i would love to|it's fine|that's ok|that's okay|it's correct|it's right"
    ),
    no=_phrases(
        "no|nope|nah|no no|no thanks|no thank you|of course not|not at all|not really|not yet|not now"
        "|certainly not|definitely not|absolutely not|i don't think so|i do not think so|i don't|i do not|never"
        "|no way|that's wrong|that is wrong|wrong|that's not right|that is not right|that's not correct"
        "|that's incorrect|incorrect|not correct|negative|it isn't|it is not|i don't want|i do not want"
        "|not exactly|not quite|i don't agree|i disagree|disagree|i cannot agree|i can't agree|doesn't sound good"
        "|doesn't sound right|i refuse|it's wrong|that's a mistake|false|not ok"
        "|not okay"
    ),
    dangling=frozenset(
        "but and or the a an of to at for that because if my about between after before with i am is have we in on uh"
        " um er erm hmm mm well".split()
    ),
    zero=frozenset({"zero", "oh", "o", "nought", "naught"}),
    twice={"double": 2, "triple": 3},
    thousand=frozenset({"thousand"}),
    hundred=frozenset({"hundred"}),
    conjunctions=frozenset({"and"}),
    articles=frozenset({"a", "one"}),
    number_prefix=("plus",),
    joints=frozenset("point dot dash space hyphen slash pause".split()),
    links=frozenset("and the then code followed by it' s is last digits".split()),
    counted=frozenset(
        "second seconds sec minute minutes moment moments hour hours day days time times year years kid kids child "
        "children question person people month months week weeks more".split()
    ),
)

LEXICONS = {lexicon.language: lexicon for lexicon in (FRENCH, ITALIAN, ENGLISH)}


@functools.lru_cache(maxsize=64)
def lexicon_of(language: str) -> Lexicon:
    """The lexicon of `language` ("fr", "fr-FR"). Raises ValueError for a language that slots are not parsed in."""
    found = LEXICONS.get(language.lower().replace("_", "-").split("-")[0])
    if found is None:
        raise ValueError(f"slots are parsed in {', '.join(sorted(LEXICONS))}, not in {language!r}")
    return found
