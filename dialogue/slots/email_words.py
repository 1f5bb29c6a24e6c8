# ruff: noqa: E501 - tables
"""How e-mail addresses are said in each language, and whose domains are frequent. Pure: data.

All without accents and in lower case, an elided word apart ("trait d' union"). English signs are said everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EmailWords:
    """One language's. `signs`: what is said for a sign; `together`: the words are written as one; `around`: words of
    sentences, which are no part of an address unless a sign stands beside them."""

    signs: Mapping[str, str]
    together: tuple[str, ...]
    nothing: tuple[str, ...]
    around: frozenset[str]


_ENGLISH_SIGNS = {"at": "@", "dot": ".", "underscore": "_", "under score": "_", "dash": "-", "hyphen": "-", "plus": "+"}

EMAIL_WORDS = {
    "fr": EmailWords(
        signs=_ENGLISH_SIGNS | {
            "arobase": "@", "arobas": "@", "arrobase": "@", "arobaze": "@", "arrobas": "@", "a rebas": "@", "arobace": "@", "a robase": "@", "a robas": "@", "a commercial": "@",
            "a rond": "@", "point": ".", "poing": ".", "tiret du bas": "_", "tiret bas": "_", "tiret du huit": "_",
            "tiret du 8": "_", "souligne": "_", "tiret souligne": "_", "tiret": "-", "trait d' union": "-",
            "tiret du milieu": "-", "tiret du six": "-", "tiret du 6": "-", "tiret haut": "-", "moins": "-",
        },
        together=("tout attache", "tout attaches", "tout colle", "en un mot", "en un seul mot", "attache", "attaches",
                  "colle", "sans espace", "sans espaces", "sans point"),
        nothing=("tout en minuscules", "tout en minuscule", "en minuscules", "en minuscule", "minuscules", "minuscule",
                 "sans accent", "sans accents", "puis", "ensuite", "le chiffre", "chiffre", "les chiffres", "en chiffres",
                 "en chiffre", "en lettres", "lettre", "s' il vous plait"),
        around=frozenset(
            "est c' mail mails email adresse mon ma mes l' la le les d' courriel alors oui donc voila bonjour ecrivez moi au "
            "sur suivante electronique j' ai je vous me m' pouvez peux mettre mettez noter notez donne ca cela sera serait "
            "pour et ou un une en tout non pas que qu' si plutot ce perso personnelle professionnelle boite numero dans "
            "euh heu hum ben bah bon alors eh ah oh merci bien sur parce mais chez avec du de des mienne ecrire envoyez envoyer envoie joindre contacter contactez voici notez prenez marquez tapez "
            "utiliser utilise prendre donner note marque il elle facile pro".split()
        ),
    ),
    "it": EmailWords(
        signs=_ENGLISH_SIGNS | {
            "chiocciola": "@", "chiocciolina": "@", "chioccio la": "@", "chioccio": "@", "chiocciolla": "@", "a commerciale": "@", "punto": ".", "trattino basso": "_",
            "tratto basso": "_", "sottolineato": "_", "lineetta bassa": "_", "trattino": "-", "trattino medio": "-",
            "trattino alto": "-", "meno": "-", "piu": "+",
        },
        together=("tutto attaccato", "attaccato", "tutto insieme", "in una parola", "senza spazi", "tutta attaccata"),
        nothing=("tutto minuscolo", "tutto in minuscolo", "minuscolo", "minuscole", "minuscola", "in minuscolo", "poi",
                 "il numero", "numero", "in numero", "in numeri", "in cifre", "in lettere", "per favore"),
        around=frozenset(
            "e mail email la il lo mia mio indirizzo posta elettronica di sono si allora certo scriva scrivete a alla all' "
            "casella buongiorno questo questa quella sarebbe ho mi puo puoi metta segni su per con o un una no non che ecco "
            "eh ehm dunque beh ma come anche grazie bene quindi l' del della scrivere inviare mandi mandare invii contattare usi usare prenda segua da".split()
        ),
    ),
    "en": EmailWords(
        signs=_ENGLISH_SIGNS | {"at sign": "@", "point": ".", "period": ".", "full stop": ".", "minus": "-", "low dash": "_"},
        together=("all one word", "one word", "no spaces", "all together", "together", "all joined up", "without spaces"),
        nothing=("all lower case", "lower case", "all lowercase", "lowercase", "then", "the number", "number",
                 "the digit", "digit", "please"),
        around=frozenset(
            "is it' it s my email mail address the yes so sure write to me that that' would be i i' ve have use you can "
            "contact reach send on and or a an no not ok okay well um uh er erm like oh ah right hello hi thanks for with of "
            "your just his her our reach using mine put down".split()
        ),
    ),
}  # fmt: skip

PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "gmail": ("com",), "googlemail": ("com",), "hotmail": ("com", "fr", "it", "co.uk", "be", "ch"),
    "outlook": ("com", "fr", "it", "be"), "live": ("com", "fr", "it", "co.uk"), "msn": ("com",), "icloud": ("com",),
    "me": ("com",), "mac": ("com",), "yahoo": ("com", "fr", "it", "co.uk"), "ymail": ("com",), "aol": ("com", "fr", "co.uk"),
    "protonmail": ("com", "ch"), "proton": ("me",), "gmx": ("com", "fr", "net", "de", "ch"), "orange": ("fr",),
    "wanadoo": ("fr",), "free": ("fr",), "sfr": ("fr",), "neuf": ("fr",), "laposte": ("net",), "bbox": ("fr",),
    "numericable": ("fr",), "aliceadsl": ("fr",), "bluewin": ("ch",), "skynet": ("be",), "libero": ("it",),
    "virgilio": ("it",), "tiscali": ("it",), "alice": ("it",), "tin": ("it",), "tim": ("it",), "fastwebnet": ("it",),
    "inwind": ("it",), "iol": ("it",), "pec": ("it",), "btinternet": ("com",), "virginmedia": ("com",), "sky": ("com",),
    "talktalk": ("net",), "ntlworld": ("com",), "blueyonder": ("co.uk",),
}  # fmt: skip
"""Name of a frequent domain -> what stands behind its dot."""
ENDINGS = frozenset(
    "com fr it uk net org eu be ch lu mc de es pt nl ie io me info biz co us ca re gp mq at pro name tv edu gov app dev "
    "email online shop paris bzh corsica sm va".split()
)
MISHEARD_ENDINGS = {
    "comme": "com",
    "con": "com",
    "come": "com",
    "combe": "com",
    "calm": "com",
    "nette": "net",
    "orgue": "org",
}
"""What a recogniser writes for an ending that it does not know."""
