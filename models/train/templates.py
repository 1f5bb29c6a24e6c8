"""Templates for what callers fill in: zip codes, call-back slots, heating, home. A comma is a pause."""

from __future__ import annotations

import random
from collections.abc import Callable

from models.train.french_numbers import clock_words, number_words, phone_words, zip_code, zip_code_words

DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
CITIES = (
    "paris lyon marseille lille nantes bordeaux toulouse rennes strasbourg grenoble nice tours angers dijon reims "
    "rouen brest limoges metz nancy montpellier orléans amiens perpignan besançon caen mulhouse avignon poitiers pau"
).split()
HEATINGS = (
    "au gaz|au gaz de ville|au fioul|au bois|à l'électricité|à l'électrique|aux granulés|au charbon|au propane|"
    "avec une pompe à chaleur|avec un poêle à bois|avec un poêle à granulés|avec une chaudière à gaz|"
    "avec une chaudière au fioul|avec des radiateurs électriques|avec une cheminée"
).split("|")
HEATERS = (
    "une pompe à chaleur|une chaudière à gaz|une chaudière gaz|une chaudière au fioul|une chaudière fioul|"
    "un poêle à bois|un poêle à granulés|des radiateurs électriques|des convecteurs|une cheminée|un insert|"
    "le chauffage électrique|le chauffage au gaz|un chauffage collectif"
).split("|")
ZIP_FRAMES = ["{}"] * 12 + (
    "c'est le {}|c'est le {}|le {}|oui {}|code postal {}|mon code postal c'est le {}|mon code postal c'est {}|"
    "mon code postal est le {}|alors {}|alors c'est le {}|euh {}|euh, {}|j'habite dans le {}|c'est {}|je suis au {}|"
    "je suis dans le {}|oui c'est le {}|le code postal c'est {}|{} s'il vous plaît|non {}|non, {}|non c'est le {}|"
    "non j'ai dit {}|{} oui|c'est {} le code postal|je suis à {city}, {}|{city} {}|{} {city}|j'habite à {city} {}"
).split("|")
SLOT_FRAMES = ["{}"] * 12 + (
    "oui {}|oui, {}|rappelez-moi {}|rappelez-moi {}|oui rappelez-moi {}|vous pouvez me rappeler {}|je préfère {}|"
    "je suis disponible {}|je suis libre {}|plutôt {}|euh {}|euh, {}|disons {}|non plutôt {}|{} c'est bien|"
    "{} ça me va|{} si possible|{} si vous voulez|je ne suis pas là {}|appelez-moi {}|ce serait bien {}|"
    "{} s'il vous plaît|on peut dire {}|alors {}|non {}"
).split("|")
HEATING_FRAMES = ["{}"] * 4 + (
    "je me chauffe {}|on se chauffe {}|nous nous chauffons {}|je suis chauffé {}|nous sommes chauffés {}|alors {}|"
    "euh {}|chez moi c'est {}|on est {}|je suis {}|principalement {}|c'est {}|{} je crois|oui {}|surtout {}|"
    "{} depuis longtemps|la maison est chauffée {}"
).split("|")
HEATER_FRAMES = ["{}"] * 4 + (
    "j'ai {}|on a {}|nous avons {}|euh {}|alors j'ai {}|c'est {}|chez moi c'est {}|j'ai déjà {}|oui j'ai {}|"
    "pour l'instant j'ai {}"
).split("|")
ROUGH_TIMES = (
    "en fin de matinée|en début d'après-midi|en fin d'après-midi|en fin de journée|dans la matinée|dans l'après-midi|"
    "dans la soirée|le matin|le soir|l'après-midi|le midi|entre midi et deux|ce soir|cet après-midi|ce matin|"
    "après le travail"
).split("|")


def zip_sentence(rng: random.Random) -> str:
    """A zip code with what people say around it."""
    return rng.choice(ZIP_FRAMES).format(zip_code_words(zip_code(rng), rng), city=rng.choice(CITIES))


def day_words(rng: random.Random) -> str:
    """A day: tomorrow, a weekday, a date."""
    day, date = rng.choice(DAYS), f"{number_words(rng.randint(2, 31))} {rng.choice(MONTHS)}"
    return rng.choice(
        (
            *("demain", "demain", "après-demain", day, day, day, f"{day} prochain", f"ce {day}", f"le {day}"),
            *(f"{day} {date}", f"le {date}", f"le premier {rng.choice(MONTHS)}", "aujourd'hui", "la semaine prochaine"),
            *(f"{day} de la semaine prochaine", "dans deux jours", "dans la semaine"),
        )
    )


def slot_words(rng: random.Random) -> str:
    """A call-back slot."""
    day, clock, rough = day_words(rng), clock_words(rng), rng.choice(ROUGH_TIMES)
    part = f"{rng.choice(('demain', 'après-demain', *DAYS))} {rng.choice(('matin', 'après-midi', 'soir', 'midi'))}"
    first, last = number_words(rng.randint(8, 13)), number_words(rng.randint(14, 20))
    return rng.choice(
        (
            *(part, part, part, day, f"{day} à {clock}", f"{day} à {clock}", f"{day} à {clock}", f"{day} vers {clock}"),
            *(f"à {clock}", f"vers {clock}", f"plutôt {rough}", rough, rough, f"{day} {rough}", f"après {clock}"),
            *(f"avant {clock}", f"{part} à {clock}", f"{part} vers {clock}", f"entre {first} heures et {last} heures"),
            *(f"{day} entre {first} et {last} heures", f"dans {number_words(rng.randint(2, 5))} heures"),
            *("dans une heure", "dans une demi-heure", f"à partir de {clock}"),
        )
    )


def slot_sentence(rng: random.Random) -> str:
    """A call-back slot with what people say around it."""
    return rng.choice(SLOT_FRAMES).format(slot_words(rng))


def heating_sentence(rng: random.Random) -> str:
    """How the home is heated, in a frame."""
    if rng.random() < 0.5:
        return rng.choice(HEATING_FRAMES).format(rng.choice(HEATINGS))
    return rng.choice(HEATER_FRAMES).format(rng.choice(HEATERS))


def home_sentence(rng: random.Random) -> str:
    """City, surface, year, telephone number, age."""
    city, phone = rng.choice(CITIES), phone_words(rng)
    surface = f"{number_words(rng.choice([*range(20, 251, 5), *range(60, 140)]))} mètres carrés"
    century = rng.choice(("mille neuf cent ", "dix-neuf cent "))
    old = rng.random() < 0.7
    year = century + number_words(rng.randint(10, 99)) if old else f"deux mille {number_words(rng.randint(1, 26))}"
    return rng.choice(
        (
            *(f"à {city}", f"j'habite à {city}", f"je suis à {city}", f"près de {city}", f"c'est à {city}", city),
            *(f"dans la région de {city}", f"on habite à {city}", surface, f"environ {surface}"),
            *(f"une maison de {surface}", f"elle date de {year}", f"construite en {year}", phone, phone),
            *(f"mon numéro c'est le {phone}", f"au {phone}", f"le {phone}", number_words(rng.randint(0, 100))),
            f"{number_words(rng.randint(2, 40))} ans",
        )
    )


TEMPLATES: tuple[tuple[str, float, Callable[[random.Random], str]], ...] = (
    ("zip", 0.44, zip_sentence),
    ("slot", 0.32, slot_sentence),
    ("heating", 0.12, heating_sentence),
    ("home", 0.12, home_sentence),
)
