# ruff: noqa: E501 - tables
"""Says people's names as callers do, plain, announced and spelled: the name parser's other direction, on its own."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST = {
    "fr": "Marie Hélène Zoé Anaïs Jean-Pierre Anne-Sophie Loïc François Maëlys Gwenaëlle Thibault Solène Baudouin Aymeric "
    "Capucine Yasmine Boubacar Tiphaine Enguerrand Noémie",
    "it": "Giulia Niccolò Maria Gianluca Donatella Pierluigi Ludovica Azzurra Calogero Filomena Ermenegildo Assunta Nives "
    "Tancredi Ottavia Zaira Ambrogio Fiorella Renzo Mirella",
    "en": "John Siobhan Mary Nigel Bronwyn Tarquin Philippa Angus Ebony Desmond Imogen Rupert Saoirse Clive Winifred Lachlan "
    "Priya Tamsin Ambrose Maud",
}  # fmt: skip
LAST = {
    "fr": "Dupont Lefèvre Durand Garnier Chevallier N'Diaye d'Ormesson Le Goff de la Tour Ben Ali Ouedraogo Wagner "
    "Bouvier-Morel Quéméner Schmitt Faÿ Nguyen Traoré Hoarau Vandenberghe",
    "it": "Rossi Bianchi De Luca D'Angelo Lo Presti Esposito Zuccarello Pellegrinelli Dall'Olio Kofler Mc Gahern "
    "Bevilacqua Sciortino Quaranta Wieser Di Stefano Iannuzzi Cattaneo Fanfoni Xausa",
    "en": "Smith O'Brien McDonald Watson-Hughes Featherstone Wood Okonkwo Patel Llewellyn Fitzgerald Quinn Zachariah Hurst "
    "Bannister Pickering Vaughan Yates Jamieson Kettlewell Ingham",
}  # fmt: skip
PAIRED = ("Le Goff", "de la Tour", "Ben Ali", "De Luca", "Lo Presti", "Mc Gahern", "Di Stefano")
FRAMES = {
    "fr": ("{}", "je m'appelle {}", "mon nom est {}", "c'est {}", "bonjour, {} à l'appareil", "euh oui, c'est au nom de {}",
           "je suis {}, j'appelle pour ma chaudière", "madame {}", "{} s'il vous plaît"),
    "it": ("{}", "mi chiamo {}", "il mio nome è {}", "sono {}", "buongiorno, sono {}", "ehm sì, a nome di {}",
           "sono {}, chiamo per un appuntamento", "signora {}", "{}, grazie"),
    "en": ("{}", "my name is {}", "it's {}", "this is {}", "{} speaking", "uh yes, my name's {}",
           "I'm {}, I'm calling about my bill", "Mrs {}", "{} please"),
}  # fmt: skip
NAMES_OF_LETTERS = {
    "fr": "a bé cé dé e effe gé ache i ji ka elle emme enne o pé qu erre esse té u vé double-vé ixe i-grec zède",
    "it": "a bi ci di e effe gi acca i i-lunga cappa elle emme enne o pi cu erre esse ti u vu doppia-vu ics ipsilon zeta",
    "en": "ay bee cee dee ee eff gee aitch eye jay kay ell em en oh pee queue ar ess tee you vee double-u ex wye zed",
}
SHOWN = {
    "fr": "Avion Bernard Camille Dominique Édouard Fernand Gustave Hélène Isidore Jacques Kilo Lucie Maman Nathalie Olivier Papa "
    "Quentin Robert Simon Tango Ulysse Vincent Wagon Xylophone Yves Zorro",
    "it": "Ancona Bologna Catania Domodossola Empoli Firenze Genova Hotel Imola Jolly Kursaal Livorno Milano Napoli Otranto Palermo "
    "Quarto Roma Savona Torino Udine Venezia Washington Xilofono Yogurt Zara",
    "en": "Apple Bob Charlie David Edward Freddie Golf Harry India Juliet Kilo London Mother November Orange Peter Queen Robert Sugar "
    "Tommy Umbrella Victor Whisky X-ray Yellow Zebra",
}
LIKE = {"fr": "comme", "it": "come", "en": "for"}
DOUBLE = {"fr": ("deux", "double"), "it": ("doppia", "due"), "en": ("double", "double")}
HYPHEN = {"fr": ("trait d'union", "tiret"), "it": ("trattino", "trattino"), "en": ("hyphen", "dash")}
APOSTROPHE = {"fr": "apostrophe", "it": "apostrofo", "en": "apostrophe"}
ACCENTED = {
    "é": "e accent aigu", "è": "e accent grave", "ë": "e tréma", "ï": "i tréma", "ÿ": "y tréma", "ç": "c cédille",
    "ò": "o accentata",
}  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What is said, and the name that it says."""

    said: str
    name: str


def last_names(language: str) -> list[str]:
    """The last names, those of several words whole."""
    text = LAST[language]
    for pair in PAIRED:
        text = text.replace(pair, pair.replace(" ", "_"))
    return [name.replace("_", " ") for name in text.split()]


def a_name(language: str, rng: random.Random) -> str:
    return f"{rng.choice(FIRST[language].split())} {rng.choice(last_names(language))}"


def written(text: str, rng: random.Random) -> str:
    """As a recogniser writes it: with a capital and a full stop, or bare."""
    return f"{text[0].upper()}{text[1:]}." if rng.random() < 0.5 else text.lower()


def announced(language: str, rng: random.Random) -> Named:
    name = a_name(language, rng)
    return Named(written(rng.choice(FRAMES[language]).format(name), rng), name)


def letters(word: str, language: str, rng: random.Random, how: str) -> str:
    """A word letter by letter: `signs` D U P, `dashes` D-U-P, `named` dé u pé, `shown` D comme Denise."""
    if how == "dashes":
        return "-".join(word.upper())
    names = [name.replace("-", " ") for name in NAMES_OF_LETTERS[language].split()]
    said: list[str] = []
    position = 0
    while position < len(word):
        letter = word[position].lower()
        place = ord(letter) - ord("a")
        if letter == "-":
            said.append(rng.choice(HYPHEN[language]))
        elif letter == "'":
            said.append(APOSTROPHE[language])
        elif letter in ACCENTED:
            said.append(ACCENTED[letter])
        elif how == "shown":
            shown = SHOWN[language].split()[place]
            said.append(f"{letter.upper() if rng.random() < 0.5 else names[place]} {LIKE[language]} {shown}")
        elif letter == word[position + 1 : position + 2].lower():
            said.append(f"{rng.choice(DOUBLE[language])} {letter.upper() if how == 'signs' else names[place]}")
            position += 1
        else:
            said.append(letter.upper() if how == "signs" else names[place])
        position += 1
    return " ".join(said)


def spelled_last_name(language: str, rng: random.Random) -> Named:
    """ "Marie Dupont, D U P O N T": what was heard is another name, what is spelled is right."""
    name = rng.choice([name for name in last_names(language) if " " not in name])
    if language != "it" and rng.random() < 0.3:
        name = rng.choice(["Anne-Lise", "Lou-Ann"])
    how = rng.choice(["signs", "named", "shown"] + (["dashes"] if name.isascii() and name.isalpha() else []))
    said = letters(name, language, rng, how)
    if rng.random() < 0.5:
        first = rng.choice(FIRST[language].split())
        heard = name if rng.random() < 0.5 else name[:-1] + rng.choice("aeiost")
        return Named(f"{first} {heard}, {said}", f"{first} {name}")
    return Named(said, name)
