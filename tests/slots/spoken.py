"""Says zip codes, telephone numbers and dates as callers do: the slot parsers' other direction, on its own.

Everything is drawn from a seeded generator, so that a set of utterances is the same on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

FR_SMALL = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf"
).split()
FR_TENS = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante"}
EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
EN_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
IT_SMALL = (
    "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
    "diciassette diciotto diciannove"
).split()
IT_TENS = "- - venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split()


@dataclass(frozen=True)
class Case:
    """What is said, and what it must be read as."""

    said: str
    meant: str


# --- numbers in words -------------------------------------------------------------------------------------------------


def french(n: int, swiss: bool = False) -> str:
    """0 to 99 999."""
    if n >= 1000:
        head = (
            "mille"
            if n < 2000
            else f"{french(n // 1000, swiss).removesuffix('s') if n // 1000 == 80 else french(n // 1000, swiss)} mille"
        )
        return head if n % 1000 == 0 else f"{head} {french(n % 1000, swiss)}"
    if n >= 100:
        head = "cent" if n < 200 else f"{FR_SMALL[n // 100]} cent"
        if n % 100:
            return f"{head} {french(n % 100, swiss)}"
        return head + ("s" if n >= 200 else "")
    if n < 20:
        return FR_SMALL[n]
    ten, unit = divmod(n, 10)
    if ten in (7, 9) and swiss:
        name = {7: "septante", 9: "nonante"}[ten]
        return name if unit == 0 else f"{name}-et-un" if unit == 1 else f"{name}-{FR_SMALL[unit]}"
    if ten == 7:
        return "soixante et onze" if unit == 1 else f"soixante-{FR_SMALL[10 + unit]}"
    if ten == 8:
        return "quatre-vingts" if unit == 0 else f"quatre-vingt-{FR_SMALL[unit]}"
    if ten == 9:
        return f"quatre-vingt-{FR_SMALL[10 + unit]}"
    if unit == 0:
        return FR_TENS[ten]
    return f"{FR_TENS[ten]} et un" if unit == 1 else f"{FR_TENS[ten]}-{FR_SMALL[unit]}"


def english(n: int) -> str:
    """0 to 999."""
    if n >= 100:
        return f"{EN_SMALL[n // 100]} hundred" + (f" and {english(n % 100)}" if n % 100 else "")
    if n < 20:
        return EN_SMALL[n]
    return EN_TENS[n // 10] + (f" {EN_SMALL[n % 10]}" if n % 10 else "")


def italian(n: int) -> str:
    """0 to 99 999, in one word as it is written."""
    if n >= 1000:
        head = "mille" if n < 2000 else f"{italian(n // 1000)}mila"
        return head + (italian(n % 1000) if n % 1000 else "")
    if n >= 100:
        return ("" if n < 200 else IT_SMALL[n // 100]) + "cento" + (italian(n % 100) if n % 100 else "")
    if n < 20:
        return IT_SMALL[n]
    ten, unit = IT_TENS[n // 10], n % 10
    if unit in (1, 8):
        return ten[:-1] + IT_SMALL[unit]
    return ten + ("tré" if unit == 3 else IT_SMALL[unit] if unit else "")


def plain(text: str) -> str:
    """As a recogniser without hyphens writes it."""
    return text.replace("-", " ")


def one_by_one(digits: str, small: list[str]) -> str:
    return " ".join(small[int(digit)] for digit in digits)


def french_group(digits: str) -> str:
    """ "07" as "zéro sept", "011" as "zéro onze"."""
    zeros = len(digits) - len(digits.lstrip("0"))
    if zeros == len(digits):
        return " ".join(["zéro"] * zeros)
    return " ".join(["zéro"] * zeros + [french(int(digits))])


# --- French zip codes -------------------------------------------------------------------------------------------------


def zip_code(rng: random.Random) -> str:
    """Five digits, spread roughly as French codes are: many end in 00 or 0, some are districts of large cities."""
    kind = rng.random()
    if kind < 0.15:
        city, districts = rng.choice((("75", 20), ("69", 9), ("13", 16)))
        return f"{city}0{rng.randint(1, districts):02d}"
    department = rng.choice([*range(1, 96), 97])
    commune = rng.randint(0, 9) * 100 if kind < 0.5 else rng.randint(0, 99) * 10 if kind < 0.85 else rng.randint(1, 999)
    return f"{department:02d}{commune:03d}"


def whole_number(code: str, _: random.Random) -> str:
    return french(int(code))


def department_then_commune(code: str, _: random.Random) -> str:
    return f"{french_group(code[:2])} {french_group(code[2:])}"


def with_double_zero(code: str, rng: random.Random) -> str:
    return department_then_commune(code, rng).replace("zéro zéro", "double zéro")


def digit_by_digit(code: str, _: random.Random) -> str:
    return one_by_one(code, FR_SMALL)


def pairs_and_unit(code: str, _: random.Random) -> str:
    return f"{french_group(code[:2])} {french_group(code[2:4])} {FR_SMALL[int(code[4])]}"


def swiss_number(code: str, _: random.Random) -> str:
    return french(int(code), swiss=True)


def in_digits(code: str, rng: random.Random) -> str:
    return rng.choice(
        (
            code,
            f"{code[:2]} {code[2:]}",
            f"{code[:2]}.{code[2:]}",
            f"{code[:2]}-{code[2:]}.",
            " ".join(code),
            f"{code}.",
        )
    )


def digits_and_mille(code: str, _: random.Random) -> str:
    return f"{int(code[:2])} mille" + (f" {int(code[2:])}" if int(code[2:]) else "")


ZIP_STYLES: tuple[Callable[[str, random.Random], str], ...] = (
    whole_number,
    whole_number,
    whole_number,
    department_then_commune,
    department_then_commune,
    with_double_zero,
    digit_by_digit,
    digit_by_digit,
    pairs_and_unit,
    swiss_number,
    in_digits,
    in_digits,
    digits_and_mille,
)
FRAMES = (
    "{}",
    "{}",
    "{}",
    "c'est le {}",
    "mon code postal c'est le {}",
    "euh {}",
    "alors j'habite dans le {}",
    "oui {}",
    "C'est le {}.",
    "{} s'il vous plaît",
)


def hesitant(text: str, rng: random.Random) -> str:
    """With an "euh" between two words."""
    words = text.split(" ")
    words.insert(rng.randint(0, len(words)), "euh")
    return " ".join(words)


def corrected(text: str, rng: random.Random) -> str:
    """A wrong code first, then the right one."""
    wrong = whole_number(zip_code(rng), rng)
    return f"{wrong} {rng.choice(('non', 'euh non', 'pardon', 'non pardon', 'je me trompe'))} {text}"


def french_zip_codes(count: int, seed: int) -> list[Case]:
    """Codes in every style, with and without hyphens, frames, hesitations, corrections."""
    rng = random.Random(seed)
    cases: list[Case] = []
    for number in range(count):
        code = zip_code(rng)
        text = ZIP_STYLES[number % len(ZIP_STYLES)](code, rng)
        if rng.random() < 0.5:
            text = plain(text) if not any(c.isdigit() for c in text) else text
        if rng.random() < 0.1:
            text = hesitant(text, rng)
        if rng.random() < 0.1:
            text = corrected(text, rng)
        text = rng.choice(FRAMES).format(text)
        if rng.random() < 0.1:
            text = text.capitalize() + "."
        if rng.random() < 0.1:
            text = text.replace("é", "e")
        cases.append(Case(text, code))
    return cases


# --- telephone numbers ------------------------------------------------------------------------------------------------


OVERSEAS_NUMBERS = {"0262", "0263", "0269", "0639", "0939", "0947"}


def french_phone_numbers(count: int, seed: int) -> list[Case]:
    """Mobile and fixed numbers in pairs, one by one, in digits, with the country code, corrected."""
    rng = random.Random(seed)
    cases: list[Case] = []
    for number in range(count):
        digits = (
            rng.choice(("06", "07", "06", "01", "02", "03", "04", "05", "09")) + f"{rng.randint(20000000, 69999999)}"
        )
        if digits[:4] in OVERSEAS_NUMBERS:  # they are not +33
            digits = f"{digits[:2]}20{digits[4:]}"
        groups = [digits[i : i + 2] for i in range(0, 10, 2)]
        spoken = [french_group(group) for group in groups]
        style = number % 9
        if style < 3:
            text = " ".join(spoken)
        elif style == 3:
            text = ", ".join(spoken)
        elif style == 4:
            text = one_by_one(digits, FR_SMALL)
        elif style == 5:
            text = rng.choice((" ", ".", "-", "")).join(groups)
        elif style == 6:
            text = "+33 " + digits[1] + " " + " ".join(groups[1:])
        elif style == 7:
            text = f"plus trente-trois {FR_SMALL[int(digits[1])]} " + " ".join(spoken[1:])
        else:
            wrong = french_group(f"{(int(groups[4]) + 11) % 100:02d}")
            text = " ".join([*spoken[:4], wrong, rng.choice(("non", "euh non", "pardon")), spoken[4]])
        if style < 3 and rng.random() < 0.5:
            text = plain(text)
        if rng.random() < 0.2:
            text = rng.choice(
                ("mon numéro c'est le {}", "alors c'est le {}", "euh {}", "vous pouvez m'appeler au {}")
            ).format(text)
        cases.append(Case(text, "+33" + digits[1:]))
    return cases


# --- dates ------------------------------------------------------------------------------------------------------------


def next_weekday(today: date, weekday: int, weeks_later: int = 0) -> date:
    """The first such day after today, plus weeks."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1 + 7 * weeks_later)


def of_next_week(today: date, weekday: int) -> date:
    return today - timedelta(days=today.weekday()) + timedelta(days=7 + weekday)


FR_WEEKDAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
FR_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


def french_day(rng: random.Random, today: date) -> tuple[str, date]:
    kind, weekday = rng.randrange(9), rng.randrange(7)
    name = FR_WEEKDAYS[weekday]
    if kind == 0:
        return "demain", today + timedelta(days=1)
    if kind == 1:
        return rng.choice(("après-demain", "après demain")), today + timedelta(days=2)
    if kind == 2:
        return rng.choice(
            (name, f"{name} prochain", f"ce {name}" if weekday != today.weekday() else name)
        ), next_weekday(today, weekday)
    if kind == 3:
        return f"{name} en huit", next_weekday(today, weekday, 1)
    if kind == 4:
        return f"{name} de la semaine prochaine", of_next_week(today, weekday)
    if kind == 5:
        days = rng.randint(2, 20)
        weeks = {8: 7, 15: 14}  # "quinze jours" are two weeks
        return f"dans {plain(french(days))} jours", today + timedelta(days=weeks.get(days, days))
    day = today + timedelta(days=rng.randint(1, 300))
    number = "premier" if day.day == 1 else french(day.day)
    spoken = f"le {number} {FR_MONTHS[day.month - 1]}"
    if kind == 6:
        return spoken.replace("le ", f"le {FR_WEEKDAYS[day.weekday()]} ", 1), day
    return (f"le {day.day} {FR_MONTHS[day.month - 1]}" if kind == 7 else spoken), day


FR_PARTS = {
    "matin": ("09:00", "12:00"),
    "dans la matinée": ("09:00", "12:00"),
    "en fin de matinée": ("11:00", "12:00"),
    "en début d'après-midi": ("13:30", "15:00"),
    "dans l'après-midi": ("14:00", "18:00"),
    "en fin d'après-midi": ("16:00", "18:00"),
    "en fin de journée": ("17:00", "19:00"),
    "soir": ("18:00", "20:00"),
    "entre midi et deux": ("12:00", "14:00"),
}


def french_clock(rng: random.Random) -> tuple[str, time]:
    """A time of day between 8 and 19 h, spoken or written."""
    hour, minute = rng.randint(8, 19), rng.choice((0, 0, 0, 15, 30, 45, 10, 20))
    spoken = {0: "", 15: " et quart", 30: " et demie", 45: f" {french(45)}", 10: " dix", 20: " vingt"}[minute]
    if hour == 12:
        return f"midi{spoken.replace('demie', 'demi')}", time(12, minute)
    style = rng.randrange(5)
    if style == 0:
        return f"{hour}h{minute:02d}" if minute else f"{hour}h", time(hour, minute)
    if style == 1 and minute == 45 and hour < 19:
        return f"{french(hour + 1)} heures moins le quart", time(hour, minute)
    if style == 2 and minute:
        return f"{french(hour)} heures {french(minute)}", time(hour, minute)
    if style == 3 and 13 <= hour <= 19:
        part = "de l'après-midi" if hour < 18 else "du soir"
        unit = "heure" if hour == 13 else "heures"
        return f"{'une' if hour == 13 else french(hour - 12)} {unit}{spoken} {part}", time(hour, minute)
    return f"{french(hour)} heures{spoken}", time(hour, minute)


def iso(day: date, start: time | str, end: time | str | None = None) -> str:
    def stamp(at: time | str) -> str:
        clock = time.fromisoformat(at) if isinstance(at, str) else at
        return datetime.combine(day, clock).isoformat(timespec="minutes")

    return stamp(start) if end is None else f"{stamp(start)}/{stamp(end)}"


def french_dates(count: int, seed: int, now: datetime) -> list[Case]:
    """Days with times, parts of the day, stretches and corrections."""
    rng = random.Random(seed)
    cases: list[Case] = []
    for number in range(count):
        spoken, day = french_day(rng, now.date())
        style = number % 8
        if style == 0:
            text, meant = spoken, day.isoformat()
        elif style == 1:
            part = rng.choice(list(FR_PARTS))
            text, meant = f"{spoken} {part}", iso(day, *FR_PARTS[part])
        elif style == 2:
            start, end = sorted(rng.sample(range(9, 19), 2))
            said = rng.choice(("entre {} heures et {} heures", "de {} heures à {} heures", "entre {} et {} heures"))
            text, meant = f"{spoken} {said.format(french(start), french(end))}", iso(day, time(start), time(end))
        elif style == 3:
            clock, at = french_clock(rng)
            wrong, _ = french_day(rng, now.date())
            text, meant = f"{wrong} non {spoken} à {clock}", iso(day, at)
        else:
            clock, at = french_clock(rng)
            lead = rng.choice(("à", "vers", "à", "plutôt vers", "euh à"))
            text, meant = f"{spoken} {lead} {clock}", iso(day, at)
        if rng.random() < 0.5 and not any(c.isdigit() for c in text):
            text = plain(text)
        if rng.random() < 0.2:
            text = rng.choice(
                ("je préfère {}", "rappelez-moi {}", "plutôt {}", "{} si possible", "je suis libre {}")
            ).format(text)
        if rng.random() < 0.1:
            text = text[0].upper() + text[1:] + "."
        cases.append(Case(text, meant))
    return cases


def italian_zip_codes(count: int, seed: int) -> list[Case]:
    rng = random.Random(seed)
    cases = []
    for number in range(count):
        code = rng.choice(("001", "201", "101", "801", "401", "501", "301", "161")) + f"{rng.randint(21, 99)}"
        head, tail = code[:2], code[2:]
        if number % 4 == 0:
            text = one_by_one(code, IT_SMALL)
        elif number % 4 == 1:
            zeros = " ".join(["zero"] * (len(code) - len(code.lstrip("0"))))
            text = f"{zeros} {italian(int(code))}".strip()
        elif number % 4 == 2:
            text = f"{one_by_one(code[:3], IT_SMALL)} {italian(int(code[3:]))}"
        else:
            text = rng.choice((code, f"{head} {tail}", f"il CAP è {code}."))
        cases.append(Case(rng.choice(("{}", "è il {}", "ehm {}", "il mio cap è {}")).format(text), code))
    return cases


IT_WEEKDAYS = "lunedì martedì mercoledì giovedì venerdì sabato domenica".split()
IT_MONTHS = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
IT_PARTS = {
    "mattina": ("09:00", "12:00"),
    "pomeriggio": ("14:00", "18:00"),
    "nel tardo pomeriggio": ("16:00", "18:00"),
    "sera": ("18:00", "20:00"),
}


def italian_dates(count: int, seed: int, now: datetime) -> list[Case]:
    rng = random.Random(seed)
    cases = []
    for number in range(count):
        weekday, ahead = rng.randrange(7), rng.randint(2, 200)
        later = now.date() + timedelta(days=ahead)
        spoken, day = rng.choice(
            (
                ("domani", now.date() + timedelta(days=1)),
                ("dopodomani", now.date() + timedelta(days=2)),
                (f"{IT_WEEKDAYS[weekday]} prossimo", next_weekday(now.date(), weekday)),
                (IT_WEEKDAYS[weekday], next_weekday(now.date(), weekday)),
                (f"il {italian(later.day) if later.day > 1 else 'primo'} {IT_MONTHS[later.month - 1]}", later),
                (f"{IT_WEEKDAYS[weekday]} della settimana prossima", of_next_week(now.date(), weekday)),
            )
        )
        if number % 3 == 0:
            part = rng.choice(list(IT_PARTS))
            cases.append(Case(f"{spoken} {part}", iso(day, *IT_PARTS[part])))
        else:
            hour, minute = rng.randint(8, 19), rng.choice((0, 15, 30))
            tail = {0: "", 15: " e un quarto", 30: rng.choice((" e mezza", " e trenta"))}[minute]
            cases.append(
                Case(f"{spoken} {rng.choice(('alle', 'verso le'))} {italian(hour)}{tail}", iso(day, time(hour, minute)))
            )
    return cases


EN_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
EN_MONTHS = "january february march april may june july august september october november december".split()
EN_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
EN_PARTS = {
    "morning": ("09:00", "12:00"),
    "afternoon": ("14:00", "18:00"),
    "in the late afternoon": ("16:00", "18:00"),
    "evening": ("18:00", "20:00"),
}


def english_zip_codes(count: int, seed: int) -> list[Case]:
    rng = random.Random(seed)
    cases = []
    for number in range(count):
        code = f"{rng.randint(1001, 99950):05d}"
        text = code if number % 4 == 0 else one_by_one(code, EN_SMALL)
        if number % 4 == 2:
            text = text.replace("zero", "oh")
        cases.append(Case(rng.choice(("{}", "it's {}", "um {}", "my zip code is {}")).format(text), code))
    return cases


def english_dates(count: int, seed: int, now: datetime) -> list[Case]:
    rng = random.Random(seed)
    cases = []
    for number in range(count):
        weekday, ahead = rng.randrange(7), rng.randint(2, 200)
        later = now.date() + timedelta(days=ahead)
        month, ordinal = EN_MONTHS[later.month - 1], EN_ORDINALS[later.day - 1]
        spoken, day = rng.choice(
            (
                ("tomorrow", now.date() + timedelta(days=1)),
                ("the day after tomorrow", now.date() + timedelta(days=2)),
                (f"next {EN_WEEKDAYS[weekday]}", next_weekday(now.date(), weekday)),
                (EN_WEEKDAYS[weekday], next_weekday(now.date(), weekday)),
                (f"{month} {ordinal}", later),
                (f"the {ordinal} of {month}", later),
                (f"{EN_WEEKDAYS[weekday]} week", next_weekday(now.date(), weekday, 1)),
            )
        )
        if number % 3 == 0:
            part = rng.choice(list(EN_PARTS))
            cases.append(Case(f"{spoken} {part}", iso(day, *EN_PARTS[part])))
        else:
            hour, minute = rng.randint(8, 18), rng.choice((0, 15, 30, 45))
            said, suffix = hour if hour <= 12 else hour - 12, "am" if hour < 12 else "pm"
            clock = f"{english(said)} {suffix}" if minute == 0 else f"{english(said)} {english(minute)} {suffix}"
            if minute == 30 and rng.random() < 0.5:
                clock = f"half past {english(said)} {'in the morning' if hour < 12 else 'in the afternoon'}"
            cases.append(Case(f"{spoken} at {clock}", iso(day, time(hour, minute))))
    return cases
