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
a à as|et est|ces ses c'est sait|sa ça|on ont|son sont|ou où|mes mais mets|peu peux peut|quel quelle quelles quels|la là
ma m'a|ta t'a|sans cent sang|vingt vin|cette sept cet|mille mil|neuf neufs|dix dis|quand quant|qui qu'il|pas pa
maison maisons|chaleur chaleurs|pompe pompes|prix pris prie|coûte coûtent|combien combiens|tarif tarifs|cher chère chair
temps tant tend|appelle appel appelles|rappeler rappelé rappelez|rappelle rappel rappelles|propriétaire propriétaires
locataire locataires|loyer loyers|louer louée loué|bois boit|poêle poil|électrique électriques|chaudière chaudières
heure heures|matin matins|soir soirs|jour jours|mardi mardis|occupé occupée occuper|intéressé intéresser intéressée
intéresse intéressent|répéter répété répétez|entendu entendue entendus|compris comprit|parlez parler parlé
conseiller conseillé conseillers|humain humains|robot robots|machine machines|personne personnes|société sociétés
entreprise entreprises|voix voie vois|aide aides|prime primes|revenus revenu|facture factures
garantie garantis garanties|marque marques|bruit bruits|voisins voisin|installer installé installée|arnaque arnaques
données donner donné
numéro numéros|adresse adresses|code codes|habite habites|suis suit|fais fait|veux veut|voudrais voudrait|faut faux
bien biens|tout tous|fin faim|mère maire mer|père paire|donne donnent|marche marches|payer payé payez|veulent veule
"""
_FILLERS_FR: Final = ("euh", "ben", "bah", "alors", "enfin", "donc", "voilà", "hein", "du coup", "en fait")


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


MILD: Final = Noise(drop=0.10, homophone=0.3, accents_lost=0.3, filler=0.3)
"""For garbled copies of phrases in training."""
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
