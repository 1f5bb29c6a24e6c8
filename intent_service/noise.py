"""Turns a sentence into what a recogniser might have made of it on a bad line. Pure: the generator is an argument.

Used to measure how intents hold, never at serving time. Four kinds of error, each drawn independently: words dropped,
homophones swapped, accents lost, fillers added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from intent_service.normalise import plain

_HOMOPHONES_FR: Final = """
a à as|et est ai|ces ses c'est sait s'est|sa ça|on ont|son sont|ou où août|mes mais met mets|peu peux peut|quel quelle qu'elle
quels quelles|la là l'a|ma m'a|ta t'a|si six s'y|sans cent sang s'en|vingt vin vain|cette sept cet|mille mil|huit oui|neuf neufs
dix dis dit|deux d'eux de|trois toi|un hein|non nom|nous noue|vous vou|qui qu'il|quand quant camp|quoi coi|pas pa|plus plu|mois moi
maison maisons|chaleur chaleurs|pompe pompes|prix pris prie|coûte coûtent goûte|combien combiens|tarif tarifs|cher chère chair
temps tant tend|travaux travail|appelle appel appelles appeler|rappeler rappelé rappelez rappeliez|rappelle rappel rappelles
propriétaire propriétaires|locataire locataires|loyer loyers|louer louée loué|gaz gare|fioul filoul fuel|bois boit|poêle poil
électrique électriques|chaudière chaudières|heure heures|matin matins|midi mi-dit|soir soirs|demain deux-mains|jour jours
mardi mardis|occupé occupée occuper|intéressé intéresser intéressée|intéresse intéressent|répéter répété répétez
entendu entendue entends|entend entends|compris comprit|parlez parler parlé|conseiller conseillé conseillers|humain humains un-main
robot robots|machine machines|personne personnes|société sociétés|entreprise entreprises|voix voie vois|aide aides|prime primes
revenus revenu|facture factures|garantie garantit garanties|marque marques|bruit bruits|voisins voisin|installer installé installée
arnaque arnaques|données donner donné|numéro numéros|adresse adresses|code codes|postal postale|habite habites|suis suit|fais fait
veux veut vœux|voudrais voudrait|sais c'est|faut faux|bien biens|tout tous toux|fin faim|main mains|mère maire mer|père paire
"""
_FILLERS_FR: Final = ("euh", "ben", "bah", "alors", "enfin", "donc", "voilà", "hein", "du coup", "en fait", "quoi")


def _homophones(text: str) -> Mapping[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in text.strip().replace("\n", "|").split("|"):
        words = tuple(line.split())
        for word in words:
            table[word] = table.get(word, ()) + tuple(other for other in words if other != word)
    return table


HOMOPHONES: Final = _homophones(_HOMOPHONES_FR)


@dataclass(frozen=True)
class Noise:
    """How bad the line is; all are probabilities."""

    drop: float = 0.15
    """Per word; a sentence never loses its last word."""
    homophone: float = 0.5
    """Per word that has one."""
    accents_lost: float = 0.5
    """Per sentence."""
    filler: float = 0.5
    """Per sentence: one filler at a random place."""


TELEPHONE: Final = Noise()
HARD: Final = Noise(drop=0.25, homophone=0.8, accents_lost=1.0, filler=0.8)


def garble(sentence: str, noise: Noise, generator: np.random.Generator) -> str:
    """One garbled version of a French sentence; the same generator state gives the same version."""
    words = sentence.split()
    kept = [word for word in words if generator.random() >= noise.drop]
    words = kept or words[-1:]
    words = [_swapped(word, generator) if generator.random() < noise.homophone else word for word in words]
    if generator.random() < noise.filler:
        words.insert(int(generator.integers(0, len(words) + 1)), str(generator.choice(_FILLERS_FR)))
    text = " ".join(words)
    return plain(text) if generator.random() < noise.accents_lost else text


def _swapped(word: str, generator: np.random.Generator) -> str:
    others = HOMOPHONES.get(word)
    return str(generator.choice(others)) if others else word
