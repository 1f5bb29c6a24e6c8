"""Answers what callers ask of the shop from its own data: prices, lengths, hours, staff, services, where it is. Pure.

What is asked is found by its words, in Italian; what the data does not say has no answer here. Answers are for the ear:
a sentence or two, forty words or so, no lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from booking_service.shop import MONDAY_TO_SUNDAY, OpeningHours, Shop

MOST_NAMED: Final = 6
_TOPICS: Final = {
    "length": r"\b(quanto (tempo )?(dura|durano|ci vuole|ci mett\w+)|durata)\b",
    "price": r"\b(cost\w+|prezz\w+|listino|tariff\w+|quanto (viene|vengono|si paga|pago))\b",
    "hours": r"\b(orar\w+|apr\w+|apert\w+|chiud\w+|chius\w+)\b",
    "staff": r"\b(chi (ci )?(lavor\w+|c'?e|fa)|lavor\w+ da voi|person\w+ le|operator\w+|parrucchier\w+|staff)\b",
    "telephone": r"\b(numero di telefono|vostro numero|telefono)\b",
    "address": r"\b(indirizzo|dove (siete|si trov\w+|vi trov\w+|e il salone))\b",
    "services": r"\b(serviz\w+|(cosa|che) (fate|offrite)|trattament\w+)\b",
}
_DAYS: Final = {"oggi": 0, "stasera": 0, "domani": 1, "dopodomani": 2}


@dataclass(frozen=True)
class OfferedService:
    """What is offered: `names` are its name and what else it is called, `price` in cents."""

    id: int
    names: tuple[str, ...]
    minutes: int
    price: int | None


@dataclass(frozen=True)
class ShopFacts:
    """All that answers are made of. `settings`: telephone and address, by name."""

    shop: Shop
    services: tuple[OfferedService, ...]
    settings: Mapping[str, str]


def told_of(question: str, facts: ShopFacts, today: date) -> str:
    """The answer; empty where the data has none."""
    plain = _plain(question)
    topic = next((name for name, words in _TOPICS.items() if re.search(words, plain)), "")
    named = _named(plain, facts.services)
    match topic:
        case "price":
            priced = [one for one in named or facts.services[:MOST_NAMED] if one.price is not None]
            return _sentence(_and([f"{one.names[0]} {'costa' if named else ''} {_euros(one.price)}" for one in priced]))
        case "length" if named:
            return _sentence(_and([f"{one.names[0]} dura circa {one.minutes} minuti" for one in named]))
        case "hours":
            return _hours(plain, facts.shop, today)
        case "staff":
            wanted = frozenset(one.id for one in named)
            able = [one.nome for one in facts.shop.staff if one.does(wanted)]
            if not able:
                return ""
            for_what = f"Per {_and([one.names[0] for one in named])} c'è" if named and len(able) == 1 else ""
            for_what = for_what or (f"Per {_and([one.names[0] for one in named])} ci sono" if named else "")
            verb = "lavora" if len(able) == 1 else "lavorano"
            return f"{for_what or f'Da noi {verb}'} {_and(able)}."
        case "services" if facts.services:
            return f"Facciamo {_and([one.names[0] for one in facts.services[: 2 * MOST_NAMED]])}."
        case "telephone" if number := facts.settings.get("telefono_attivita", ""):
            return f"Il nostro numero è {' '.join(re.findall(r'[0-9]{1,3}', number))}."
        case "address" if address := facts.settings.get("indirizzo", ""):
            return f"Siamo in {address}."
    return ""


def _hours(plain: str, shop: Shop, today: date) -> str:
    """Those of the day that is named; of none, of the week."""
    words = plain.split()
    ahead = next((_DAYS[word] for word in words if word in _DAYS), None)
    weekday = next((number for number, name in enumerate(MONDAY_TO_SUNDAY) if _plain(name) in words), None)
    if ahead is None and weekday is not None:
        ahead = (weekday - today.weekday()) % 7
    if ahead is not None:
        day = today + timedelta(days=ahead)
        name = {0: "Oggi", 1: "Domani"}.get(ahead, MONDAY_TO_SUNDAY[day.weekday()].capitalize())
        feast = next((one for one in shop.holidays if one.is_on(day)), None)
        if feast is not None:
            return f"{name} siamo chiusi: è {feast.nome}."
        hours = shop.hours.get(day.weekday())
        return f"{name} siamo aperti {_from_to(hours)}." if _is_open(hours) else f"{name} siamo chiusi."
    by_hours: dict[str, list[int]] = {}
    for number in range(7):
        hours = shop.hours.get(number)
        if _is_open(hours):
            by_hours.setdefault(_from_to(hours), []).append(number)
    if not by_hours:
        return ""
    told = [f"{_days(days)} {hours}" for hours, days in by_hours.items()]
    return f"Siamo aperti {'; '.join(told)}."


def _days(days: Sequence[int]) -> str:
    names = [MONDAY_TO_SUNDAY[day] for day in days]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"da {names[0]} a {names[-1]}"
    return f"il {_and(names)}"


def _is_open(hours: OpeningHours | None) -> bool:
    return hours is not None and hours.aperto


def _from_to(hours: OpeningHours | None) -> str:
    if hours is None:
        return ""
    if hours.break_minutes is None or hours.pausa_inizio is None or hours.pausa_fine is None:
        return f"dalle {_clock(hours.apertura)} alle {_clock(hours.chiusura)}"
    morning = f"dalle {_clock(hours.apertura)} alle {_clock(hours.pausa_inizio)}"
    return f"{morning} e dalle {_clock(hours.pausa_fine)} alle {_clock(hours.chiusura)}"


def _clock(at: time) -> str:
    return f"{at.hour or 24}" if at.minute == 0 else f"{at.hour} e {at.minute}"


def _euros(cents: int | None) -> str:
    euros, rest = divmod(cents or 0, 100)
    return f"{euros} euro" + (f" e {rest}" if rest else "")


def _named(plain: str, services: Sequence[OfferedService]) -> list[OfferedService]:
    """The services that a question names, longest names first, each word once."""
    found: list[OfferedService] = []
    names = [(_plain(name), one) for one in services for name in one.names]
    for name, one in sorted(names, key=lambda named: -len(named[0])):
        if re.search(rf"\b{re.escape(name)}\b", plain):
            plain = re.sub(rf"\b{re.escape(name)}\b", " ", plain)
            found += [one] if one not in found else []
    return sorted(found, key=lambda one: one.id)


def _plain(text: str) -> str:
    """Small letters without accents, words with single blanks between them."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(re.findall(r"[a-z0-9']+", bare.replace("’", "'")))


def _and(parts: Sequence[str]) -> str:
    """`a, b e c`, with single blanks."""
    neat = [" ".join(part.split()) for part in parts]
    return neat[0] if len(neat) == 1 else f"{', '.join(neat[:-1])} e {neat[-1]}" if neat else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
