"""How each language says days and hours: patterns over folded text whose numbers are digits already. Pure: data only."""

# ruff: noqa: E501 - a pattern that is broken into pieces is harder to read than a long one

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TypeAlias

Span: TypeAlias = tuple[time, time]


@dataclass(frozen=True)
class TimeWords:
    """Patterns of one language. Group names: h, m, half, quarter, less, lessq, pm, am, n (a number), day, month."""

    language: str
    clock: re.Pattern[str]  # one time of day
    unit_left_out: tuple[re.Pattern[str], str]  # "entre 9 et 11 heures": the first hour gets its unit
    between: re.Pattern[str]  # right before the first of two times
    joined: re.Pattern[str]  # between two times
    after: re.Pattern[str]  # right before a time
    before: re.Pattern[str]
    parts: tuple[tuple[re.Pattern[str], Span, str], ...]  # parts of the day, the first that matches; what it is called
    days: tuple[tuple[re.Pattern[str], int], ...]  # words for a day -> days from today
    soon: tuple[tuple[re.Pattern[str], int], ...]  # "dans n heures" -> minutes per n
    weekdays: tuple[str, ...]  # from Monday, as patterns
    this: re.Pattern[str]  # before or behind a weekday
    week_later: re.Pattern[str]  # behind (or before) a weekday: a week after the next one
    two_weeks_later: re.Pattern[str]
    next_week: re.Pattern[str]
    weekend: re.Pattern[str]
    counted: re.Pattern[str]  # "dans 3 jours", for dateparser once put as `counted_as`
    counted_as: str
    dated: re.Pattern[str]  # "3 decembre", for dateparser
    day_of_month: re.Pattern[str]  # "le 25"
    weekday_names: tuple[str, ...]
    month_names: tuple[str, ...]
    readable: str  # formats: day, month
    hour_format: str
    from_to: str


def _p(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)")


def _spans(*rows: tuple[str, str, str, str]) -> tuple[tuple[re.Pattern[str], Span, str], ...]:
    return tuple(
        (_p(text), (time.fromisoformat(start), time.fromisoformat(end)), name) for text, start, end, name in rows
    )


# "apres midi" comes as one word, so that no "midi" is found in it.
_FR_AFTERNOON = r"(?:l' |d' |de l' )?apresmidi"
_FR_MONTHS = "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre"
FRENCH_TIME = TimeWords(
    language="fr",
    clock=_p(
        r"(?:(?P<h>\d{1,2}) ?(?:heures?|h)(?: ?(?P<m>[0-5]?\d)(?! (?:heures?|h)\b)(?: minutes?)?| (?:et )?(?P<half>demie?)"
        r"| moins (?:le |1 )?(?P<lessq>quart)| (?:et |1 )?(?:1 )?(?P<quarter>quart)| moins (?P<less>\d{1,2}))?"
        r"|(?P<noon>midi)(?: (?:et )?(?P<nhalf>demie?)| (?:et )?(?:1 )?(?P<nquarter>quart)| (?P<nm>\d{1,2})(?! heures?))?|(?P<midnight>minuit))"
        rf"(?: (?:(?P<am>du matin|le matin|demain matin|matin)|(?P<pm>de {_FR_AFTERNOON}|{_FR_AFTERNOON}|du soir|le soir|ce soir)))?"
    ),
    unit_left_out=(
        re.compile(r"\b(entre|de|vers) (\d{1,2}) (et|a|ou) (?=\d{1,2} ?(?:heures?|h)\b|midi\b)"),
        r"\1 \2 heures \3 ",
    ),
    between=re.compile(r"(?:\bentre|\bde|\bdes|\bdu)\s*$"),
    joined=re.compile(r"^\s*(?:et|a|jusqu' a|jusque|et|-)\s*$"),
    after=re.compile(r"(?:\bapres|\ba partir de|\bpas avant|\bdes|\bau dela de|\bplus tard que)\s*$"),
    before=re.compile(r"(?:\bavant|\bjusqu' a|\bpas apres|\bau plus tard a)\s*$"),
    parts=_spans(
        (
            r"(?:en |a la |au )?(?:fin|toute fin) de (?:la )?matinee|fin de matin|tard (?:dans )?(?:le|la) matin(?:ee)?",
            "11:00",
            "12:00",
            "fin de matinée",
        ),
        (
            r"(?:en |au )?debut de (?:la )?matinee|tot (?:le|dans la|demain)? ?matin(?:ee)?",
            "08:00",
            "10:00",
            "début de matinée",
        ),
        (r"(?:en |au )?milieu de (?:la )?matinee", "10:00", "11:00", "milieu de matinée"),
        (rf"(?:en |a la )?fin (?:de |d' )?{_FR_AFTERNOON}", "16:00", "18:00", "fin d'après-midi"),
        (rf"(?:en |au )?debut (?:de |d' )?{_FR_AFTERNOON}", "13:30", "15:00", "début d'après-midi"),
        (rf"(?:en |au )?milieu (?:de |d' )?{_FR_AFTERNOON}", "15:00", "16:00", "milieu d'après-midi"),
        (r"(?:en |a la )?fin de (?:la )?journee", "17:00", "19:00", "fin de journée"),
        (r"(?:en |au )?debut de (?:la )?soiree", "18:00", "19:00", "début de soirée"),
        (
            r"(?:a l' |pendant l' |sur l' )?heure (?:du )?(?:dejeuner|midi)|pause (?:de )?(?:dejeuner|midi)|entre midi et 2(?: heures)?",
            "12:00",
            "14:00",
            "entre midi et deux",
        ),
        (r"(?:dans |en |l' |cet |cette )*apresmidi", "14:00", "18:00", "après-midi"),
        (r"matins?|matinee", "09:00", "12:00", "matin"),
        (r"soirs?|soiree", "18:00", "20:00", "soir"),
        (r"dans la journee|en journee|toute la journee", "09:00", "18:00", "journée"),
    ),
    days=(
        (_p(r"apres[ -]?demain|surlendemain"), 2),
        (_p(r"demain"), 1),
        (
            _p(
                r"aujourd' ?hui|ce (?=soir|matin|midi)|cet (?=apresmidi)|cette (?=apresmidi)|tout a l' heure|dans la journee"
            ),
            0,
        ),
    ),
    soon=(
        (_p(r"tout de suite|maintenant|immediatement|des que possible|le plus vite possible"), 0),
        (_p(r"d' ici|dans (?:1 |une )?(?:petite )?demi heure"), 30),
        (_p(r"dans (?:1 |un )?quart d' heure"), 15),
        (_p(r"dans (?:3|trois) quarts? d' heure"), 45),
        (_p(r"dans (?P<n>\d{1,3}) (?:petites? )?minutes?"), 1),
        (_p(r"dans (?P<n>\d{1,2}) (?:petites? |bonnes? )?heures?(?P<half> et demie?)?"), 60),
    ),
    weekdays=("lundis?", "mardis?", "mercredis?", "jeudis?", "vendredis?", "samedis?", "dimanches?"),
    this=re.compile(r"\bce$"),
    week_later=re.compile(r"^(?:en (?:8|huit)\b|de (?:la semaine|l' autre semaine) (?:d' apres|suivante)|d' apres\b)"),
    two_weeks_later=re.compile(r"^(?:en (?:15|quinze)\b|dans (?:15 jours|2 semaines|1 quinzaine))"),
    next_week=_p(r"(?:de )?la semaine (?:prochaine|suivante|qui vient)"),
    weekend=_p(r"(?:ce |le )?week ?end(?: prochain)?|fin de (?:la )?semaine"),
    counted=_p(r"dans (?P<n>\d{1,2}) (?P<unit>jours?|semaines?|mois)"),
    counted_as="dans {n} {unit}",
    dated=_p(rf"(?P<day>\d{{1,2}}|1er)(?:e|er)? (?P<month>{'|'.join(_FR_MONTHS.split())})(?: (?P<year>20\d\d))?"),
    day_of_month=_p(r"le (?P<day>[12]?\d|3[01]|1er)(?! ?(?:heures?|h|%)\b)"),
    weekday_names=("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    month_names=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    readable="{weekday} {day} {month}",
    hour_format="à {h} h{m}",
    from_to="entre {start} et {end}",
)

_IT_MONTHS = "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"
ITALIAN_TIME = TimeWords(
    language="it",
    clock=_p(
        r"(?:(?:alle|le|ore|dalle|all'|l'|verso le|per le|h) ?(?:ore )?(?P<h>\d{1,2})"
        r"(?: e (?:un |1 )?(?P<quarter>quarto)| e (?P<half>mezz[ao])| meno (?:un |1 )?(?P<lessq>quarto)| meno (?P<less>\d{1,2})"
        r"| (?:e )?(?P<m>[0-5]?\d)(?: minuti)?)?(?: in punto)?"
        r"|(?P<noon>mezzogiorno)(?: e (?P<nhalf>mezz[ao])| e (?:un |1 )?(?P<nquarter>quarto))?|(?P<midnight>mezzanotte))"
        r"(?: (?:(?P<am>del mattino|di mattina|della mattina|mattina)|(?P<pm>del pomeriggio|di pomeriggio|pomeriggio|di sera|della sera|sera)))?"
    ),
    unit_left_out=(re.compile(r"\b(tra|fra) (\d{1,2}) e (?=le )"), r"\1 le \2 e "),
    between=re.compile(r"(?:\btra|\bfra|\bdalle|\bda|^)\s*$"),
    joined=re.compile(r"^\s*(?:e|alle|a|fino|fino a|-|fino alle)?\s*$"),
    after=re.compile(r"(?:\bdopo|\ba partire|\ba partire da|\bnon prima delle)\s*$"),
    before=re.compile(r"(?:\bprima|\bprima delle|\bentro|\bfino)\s*(?:del|delle)?\s*$"),
    parts=_spans(
        (
            r"(?:in )?tarda mattinata|fine mattinata|a fine mattinata|in tarda mattina",
            "11:00",
            "12:00",
            "tarda mattinata",
        ),
        (
            r"(?:di |in )?prima mattina(?:ta)?|presto (?:la )?mattina|mattina presto|inizio mattinata",
            "08:00",
            "10:00",
            "prima mattina",
        ),
        (r"(?:a |nel )?(?:tardo pomeriggio|fine pomeriggio|fine del pomeriggio)", "16:00", "18:00", "tardo pomeriggio"),
        (r"(?:nel )?primo pomeriggio|inizio pomeriggio", "13:30", "15:00", "primo pomeriggio"),
        (r"(?:a )?fine giornata", "17:00", "19:00", "fine giornata"),
        (r"(?:in )?pausa pranzo|ora di pranzo|all' ora di pranzo", "12:00", "14:00", "pausa pranzo"),
        (r"pomeriggio|pomeriggi", "14:00", "18:00", "pomeriggio"),
        (r"mattina|mattino|mattinata|stamattina|stamani|mattine", "09:00", "12:00", "mattina"),
        (r"sera|serata|stasera", "18:00", "20:00", "sera"),
        (r"in giornata|durante la giornata", "09:00", "18:00", "giornata"),
    ),
    days=(
        (_p(r"dopodomani|dopo domani"), 2),
        (_p(r"domani|domattina"), 1),
        (_p(r"oggi|stasera|stamattina|stamani|in giornata"), 0),
    ),
    soon=(
        (_p(r"subito|adesso|ora stesso|immediatamente|appena possibile|il prima possibile"), 0),
        (_p(r"(?:tra|fra) (?:una |1 )?mezz' ?ora|(?:tra|fra) mezza ora"), 30),
        (_p(r"(?:tra|fra) (?:un |1 )?quarto d' ora"), 15),
        (_p(r"(?:tra|fra) (?P<n>\d{1,3}) minut[oi]"), 1),
        (_p(r"(?:tra|fra) (?P<n>\d{1,2}) or[ae](?P<half> e mezza)?|(?:tra|fra) un' ora"), 60),
    ),
    weekdays=("lunedi", "martedi", "mercoledi", "giovedi", "venerdi", "sabato", "domenica"),
    this=re.compile(r"\bquest[oa]$"),
    week_later=re.compile(r"^(?:della settimana dopo|della settimana successiva|dell' altra settimana|a 8\b)"),
    two_weeks_later=re.compile(r"^(?:tra 2 settimane|fra 2 settimane|a 15\b)"),
    next_week=_p(
        r"(?:del)?la (?:settimana prossima|prossima settimana)|(?:della )?settimana prossima|prossima settimana"
    ),
    weekend=_p(r"(?:il |nel |questo )?(?:week ?end|fine settimana)(?: prossimo)?"),
    counted=_p(r"(?:tra|fra) (?P<n>\d{1,2}) (?P<unit>giorn[oi]|settiman[ae]|mes[ei])"),
    counted_as="tra {n} {unit}",
    dated=_p(
        rf"(?P<day>\d{{1,2}}|1º)(?:º)? (?:di )?(?P<month>{'|'.join(_IT_MONTHS.split())})(?: (?:del )?(?P<year>20\d\d))?"
    ),
    day_of_month=_p(r"il (?P<day>[12]?\d|3[01]|1º)"),
    weekday_names=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    month_names=tuple(_IT_MONTHS.split()),
    readable="{weekday} {day} {month}",
    hour_format="alle {h}{m}",
    from_to="tra {start} e {end}",
)

_EN_MONTHS = "january february march april may june july august september october november december"
ENGLISH_TIME = TimeWords(
    language="en",
    clock=_p(
        r"(?:(?:(?:at|around|about|by|from|after|before|between|and|to|until|till) )?"
        r"(?:(?P<half>half) past (?P<hh>\d{1,2})|(?:a )?(?P<quarter>quarter) past (?P<hq>\d{1,2})|(?:a )?(?P<lessq>quarter) to (?P<hl>\d{1,2})"
        r"|(?P<pastm>\d{1,2})(?: minutes)? past (?P<hp>\d{1,2})|(?P<less>\d{1,2})(?: minutes)? to (?P<ht>\d{1,2})(?! (?:am|pm|o' clock))"
        r"|(?P<h>\d{1,2}) ?(?:h )?(?P<m>[0-5]\d)\b|(?P<hs>\d{1,2})(?= ?(?:am|pm|o' ?clock))|(?<=at )(?P<ha>\d{1,2})(?!\w)(?! ?(?:st|nd|rd|th|minutes|hours|days|weeks))"
        r"|(?P<noon>noon|midday)|(?P<midnight>midnight))(?: ?o' ?clock)?)"
        r"(?: ?(?:(?P<am>am|in the morning|morning)|(?P<pm>pm|in the afternoon|in the evening|at night|afternoon|evening)))?"
    ),
    unit_left_out=(
        re.compile(r"\b(between|from) (?:at )?(\d{1,2})(?: (am|pm))? (and|to|until|till) (\d{1,2})(?! past| to\b|\d)"),
        r"\1 at \2 \3 \4 at \5",
    ),
    between=re.compile(r"(?:\bbetween|\bfrom)\s*(?:at)?\s*$"),
    joined=re.compile(r"^\s*(?:and|to|until|till|-)\s*(?:at)?\s*$"),
    after=re.compile(r"(?:\bafter|\bnot before|\bany time after|\banytime after|\bfrom)\s*(?:at)?\s*$"),
    before=re.compile(r"(?:\bbefore|\buntil|\bno later than|\btill)\s*(?:at)?\s*$"),
    parts=_spans(
        (r"late (?:in the )?morning|end of the morning", "11:00", "12:00", "late morning"),
        (r"early (?:in the )?morning|first thing (?:in the morning)?", "08:00", "10:00", "early morning"),
        (r"late (?:in the )?afternoon|(?:at the )?end of the afternoon", "16:00", "18:00", "late afternoon"),
        (r"early (?:in the )?afternoon|(?:at the )?beginning of the afternoon", "13:30", "15:00", "early afternoon"),
        (r"(?:at the )?end of the day", "17:00", "19:00", "end of the day"),
        (r"lunch ?time|(?:at |over )lunch", "12:00", "14:00", "lunch time"),
        (r"afternoons?", "14:00", "18:00", "afternoon"),
        (r"mornings?", "09:00", "12:00", "morning"),
        (r"evenings?|tonight", "18:00", "20:00", "evening"),
        (r"during the day", "09:00", "18:00", "day"),
    ),
    days=(
        (_p(r"(?:the )?day after tomorrow"), 2),
        (_p(r"tomorrow"), 1),
        (_p(r"today|tonight|this (?=morning|afternoon|evening)|later on today"), 0),
    ),
    soon=(
        (_p(r"right now|right away|now|immediately|straight away|as soon as possible"), 0),
        (_p(r"in (?:half an hour|a half hour|half 1 hour)"), 30),
        (_p(r"in (?:a )?quarter of an hour"), 15),
        (_p(r"in (?P<n>\d{1,3}) minutes?"), 1),
        (_p(r"in (?:an|(?P<n>\d{1,2})) hours?(?P<half> and a half)?"), 60),
    ),
    weekdays=("mondays?", "tuesdays?", "wednesdays?", "thursdays?", "fridays?", "saturdays?", "sundays?"),
    this=re.compile(r"\bthis$"),
    week_later=re.compile(r"^(?:week\b|after next\b)"),
    two_weeks_later=re.compile(r"^(?:fortnight\b|in 2 weeks)"),
    next_week=_p(r"(?:of )?next week"),
    weekend=_p(r"(?:this |next |at the |on the )?week ?end"),
    counted=_p(r"in (?P<n>\d{1,2}|a) (?P<unit>days?|weeks?|months?)"),
    counted_as="in {n} {unit}",
    dated=_p(
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{'|'.join(_EN_MONTHS.split())})(?: (?P<year>20\d\d))?"
        rf"|(?P<month2>{'|'.join(_EN_MONTHS.split())}) (?:the )?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?: (?P<year2>20\d\d))?"
    ),
    day_of_month=_p(r"the (?P<day>\d{1,2})(?:st|nd|rd|th)"),
    weekday_names=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    month_names=tuple(name.capitalize() for name in _EN_MONTHS.split()),
    readable="{weekday} {day} {month}",
    hour_format="at {h}{m}",
    from_to="between {start} and {end}",
)

TIME_WORDS = {words.language: words for words in (FRENCH_TIME, ITALIAN_TIME, ENGLISH_TIME)}
