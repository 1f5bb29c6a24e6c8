"""French moments. Pure: data."""

# ruff: noqa: E501 - a pattern that is broken into pieces is harder to read than a long one

from __future__ import annotations

from dialogue.slots.moments.vocabulary import PART, TimeWords, parts, pattern

_MONTHS = (
    "janvier|janv|jan", "fevrier|fevr|fev", "mars", "avril|avr", "mai", "juin", "juillet|juil", "aout", "septembre|sept|sep",
    "octobre|oct", "novembre|nov", "decembre|dec",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_WEEKDAYS = ("lundis?", "mardis?", "mercredis?", "jeudis?", "vendredis?", "samedis?", "dimanches?")
_WEEKDAY = "|".join(_WEEKDAYS)
_YEAR = r"(?: ,?(?: )?(?:de |en )?(?P<y>\d{4}|(?:2[5-9]|3\d|[5-9]\d)(?! (?:heures?|h|et|min)\b)))?"
_NO_UNIT = (
    r"(?! (?:heures?|h|minutes?|min|jours?|semaines?|mois|ans?|%|euros?|eme|et demie?|et quart|et 1 quart|moins)(?!\S))"
)
_AFTERNOON = r"(?:l' |d' |de l' |cet |cette |dans l' |en )?apresmidis?"
_TAIL = (
    r"(?: (?:(?:et )?(?P<half>demie?)|moins (?:le |1 )?(?P<lessq>quart)|(?:et )?(?P<three>(?:3 )quarts?)|(?:et )?(?:1 |le )?(?P<quarter>quart)"
    rf"|moins (?P<less>\d{{1,2}})|(?:et )?(?P<min>[0-5]?\d)(?: (?:minutes?|min|m))?{_NO_UNIT}(?! (?:secondes?|s|{_MONTH})(?!\S))))?(?: (?:et )?\d{{1,2}} (?:secondes?|s))?"
)
_AMOUNT = (
    r"(?:(?:1 )?demi heure|(?:3|1|le)? ?quarts? d' heure|(?:1 |\d{1,3} |quelques )?(?:petites? |bonnes? )?(?:minutes?|min|heures?|h|jours?|semaines?|mois|ans?|annees?|quinzaine|huitaine)"
    r"(?: de jours)?(?: et (?:demie?|1 quart|quart|3 quarts))?)"
)

FRENCH = TimeWords(
    language="fr",
    months=_MONTHS,
    weekdays=_WEEKDAYS,
    noise=pattern(
        r"pas de (?:soucis?|problemes?)|y a pas de (?:soucis?|problemes?)|pourquoi pas|n' est ce pas|si (?:ca|cela) (?:ne )?vous (?:derange|gene) pas|pas de refus|ne quittez pas|ce n' est pas grave|c' est pas grave|vous n' avez pas|n' oubliez pas|sans faute"
        r"|(?:avanc|recul|decal|repouss|retard)\S*(?: \S+){0,4}? d[e']? (?:1 |\d{1,2} )?(?:demi )?(?:heures?|h|minutes?|min|jours?|semaines?)"
    ),
    rewrites=(
        (pattern("apres midis?"), "apresmidi"),
        (pattern("apres demain"), "apresdemain"),
        (pattern("apres lendemain"), "apreslendemain"),
        (pattern("avant hier"), "avanthier"),
        (pattern("a peu pres|peu pres"), "environ"),
        (pattern(r"fin (?:de |du )?demain"), "demain fin de journee"),
        (
            pattern(
                rf"({_WEEKDAY}) (matin|apresmidi|soir) (prochain|en 8|en 15|d' apres|(?:de )?la semaine prochaine)"
            ),
            r"\1 \3 \2",
        ),
        (pattern("week end|weekend"), "weekend"),
        (pattern("plutot que"), "au lieu de"),
        (pattern("mi (journee|matinee|matin|apresmidi)"), r"milieu de \1"),
    ),
    dated=(
        pattern(
            rf"(?:le )?(?P<d>\d{{1,2}})#?(?: du mois)?(?: de| d')? (?:, )?(?P<m>{_MONTH})(?: ,(?= (?:\d{{4}}|\d\d$)))?{_YEAR}"
        ),
        pattern(rf"(?P<m>{_MONTH})(?: ,)? (?:le )?(?P<d>\d{{1,2}})#?{_NO_UNIT}{_YEAR}"),
        pattern(rf"le (?P<d>\d{{1,2}})#? (?P<mm>0?[1-9]|1[0-2]){_NO_UNIT}(?! \d)"),
    ),
    nth_weekday=pattern(
        rf"(?:le |au )?(?P<n>[1-5]#|dernier) (?P<w>{_WEEKDAY})(?: (?:du mois )?(?:de |d' |en )?(?:(?P<m>{_MONTH})|(?P<ahead>(?:du |le )?mois prochain)|(?:du|de ce|ce) mois))?"
    ),
    last="dernier",
    of_month=pattern(
        r"(?:le )?(?P<d>\d{1,2})#? (?:(?P<next>(?:du|le) mois prochain|(?:du|le) mois suivant)|(?:de ce|du|ce) mois(?: ci)?)"
    ),
    part_of_month=pattern(
        rf"(?:en |a la |au |vers |vers la |pour la |courant )?(?:(?P<early>debut|debuts)|(?P<middle>mi|milieu|courant)|(?P<late>fin))(?: du| de| d')? (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?|(?P<next>mois prochain)|(?:ce )?mois)"
    ),
    month_alone=pattern(
        rf"(?:en|au mois de|courant) (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?)|(?:le |au )?(?P<next>mois prochain)"
    ),
    amount=pattern(_AMOUNT),
    units=(
        (pattern(r"(?P<n>\d{1,3}|quelques)? ?(?:petites? |bonnes? )?(?:minutes?|min)"), 1, "minutes"),
        (pattern(r"(?:1 )?demi heure"), 30, "minutes"),
        (pattern(r"(?P<n>\d|le)? ?quarts? d' heure"), 15, "minutes"),
        (
            pattern(
                r"(?P<n>\d{1,3}|quelques)? ?(?:petites? |bonnes? )?(?:heures?|h)(?: et (?:(?P<half>demie?)|(?P<three>3 quarts)|(?:1 )?(?P<quarter>quart)))?"
            ),
            60,
            "minutes",
        ),
        (pattern(r"(?P<n>\d{1,3}|quelques)? ?jours?(?: et (?P<half>demie?))?"), 1, "days"),
        (pattern(r"(?P<n>\d{1,3}|quelques)? ?semaines?(?: et (?P<half>demie?))?"), 7, "days"),
        (pattern(r"(?P<n>\d{1,2})? ?quinzaine(?: de jours)?"), 14, "days"),
        (pattern(r"(?P<n>\d{1,2})? ?huitaine(?: de jours)?"), 7, "days"),
        (pattern(r"(?P<n>\d{1,3}|quelques)? ?mois"), 1, "months"),
        (pattern(r"(?P<n>\d{1,3}|quelques)? ?(?:ans?|annees?)"), 12, "months"),
    ),
    ahead=pattern(r"dans(?: environ| a peu pres)?|en(?= \d{1,3} (?:heures?|minutes?|jours?))"),
    behind=pattern(r"plus tard|apres(?=$| ,)"),
    ago_before=pattern(r"il y a|y a"),
    ago_behind=pattern(r"avant(?! (?:D|H|le))|plus tot"),
    within=pattern(r"d' ici(?: a)?|sous|d' ici dans"),
    from_day=pattern(r"(?:apres|a partir d'|a partir de|a compter de)"),
    weekdays_from_now=pattern(rf"(?P<n>\d) (?P<w>{_WEEKDAY}) a partir (?:d' |de )?D\d+"),
    working_days=pattern(r"(?P<n>\d{1,2}) (?:jours? (?:ouvres?|ouvrables?|de travail)|journees? de travail)"),
    days=(
        (pattern(r"(?:le )?avanthier"), -2),
        (pattern(r"hier"), -1),
        (pattern(r"(?:le )?(?:apresdemain|apreslendemain|surlendemain)"), 2),
        (pattern(r"(?:le )?(?:demain|lendemain)|le jour (?:suivant|d' apres)"), 1),
        (
            pattern(
                rf"aujourd' hui|ce jour(?: ci)?|tout a l' heure|plus tard dans la journee|dans la journee(?= (?:,|$))|(?:ce|cet|cette)(?= (?:soir|midi|matin|apresmidi|nuit|{PART}))"
            ),
            0,
        ),
    ),
    now=pattern(
        r"maintenant|tout de suite|immediatement|des que possible|le plus (?:vite|tot) possible|aussi (?:vite|tot) que possible|au plus vite|sur le champ"
    ),
    weekday=pattern(
        rf"(?:(?:de |pour )?(?:(?P<next_week0>la semaine prochaine|semaine prochaine|la semaine suivante)|(?P<this_week0>cette semaine)) (?:, )?(?:le )?)?(?:(?P<this>ce|cet|cette) )?(?:le )?(?P<w>{_WEEKDAY})"
        r"(?: (?:(?P<this2>ci|en cours)|(?P<next>prochaine?s?|qui vient|qui arrive|suivant)|(?P<last>derniere?|passe)|(?P<week_later>en 8|en huit|d' apres|suivant|de (?:la semaine|l' autre semaine) (?:d' apres|suivante))|(?P<two_later>en 15|en quinze|dans 15 jours|dans 2 semaines)))?"
        r"(?: (?:, )?(?:(?:de |pour )?(?:(?P<next_week>la semaine prochaine?|semaine prochaine|la semaine qui vient)|(?P<this_week>cette semaine)|(?P<last_week>la semaine derniere?|la semaine passee))))?"
        rf"(?: (?:, )?(?:le )?(?P<dom>\d{{1,2}})#?{_NO_UNIT}(?! [1-5]\d(?!\S)))?"
    ),
    week_of=pattern(r"(?:dans |pour )?(?:la )?semaine (?:du )?(?P<day>D\d+)"),
    weeks=(
        (pattern(r"(?:la |en |a la )?fin de (?:la )?semaine"), "end_of_week"),
        (pattern(r"(?:dans )?(?:la )?semaine (?:prochaine|suivante|qui vient)"), "next_week"),
        (
            pattern(
                r"(?:en |dans le |le )?(?:courant |debut |debut de )?(?:cette semaine|la semaine en cours)|(?:dans |courant )(?:la )?semaine"
            ),
            "this_week",
        ),
        (pattern(r"en semaine|la semaine|les jours de semaine|du lundi au vendredi"), "workweek"),
        (
            pattern(r"(?:ce |le |dans le |pendant le |pour le )?weekend(?: prochain| qui vient)?"),
            "weekend",
        ),
    ),
    clocks=(
        pattern(r"entre (?:12 )?midi et 2(?: heures)?"),  # without a group: a part of the day
        pattern(r"(?P<t>T\d+)(?: heures?)?(?: ?(?P<ap>am|pm))?"),
        pattern(rf"(?P<h>\d{{1,2}}) (?:heures?|h){_TAIL}(?: (?P<ap>am|pm))?"),
        pattern(r"(?P<h>\d{1,2})(?: (?P<min>[0-5]\d))? (?P<ap>am|pm|ampm)"),
        pattern(
            r"(?P<h>\d{1,2}) (?:(?:et )(?P<half>demie?)|(?:et )?(?P<three>3 quarts)|(?:et )?(?:1 )?(?P<quarter>quart))(?: heures?)?"
        ),
        pattern(r"(?P<h>\d{1,2}) moins (?:(?:le |1 )?(?P<lessq>quart)|(?P<less>\d{1,2}))"),
        pattern(
            r"(?:12 )?(?P<noon>midi)(?: (?:(?:et )?(?P<half>demie?)|(?:et )?(?:1 )?(?P<quarter>quart)|moins (?:le |1 )?(?P<lessq>quart)|(?P<min>[1-5]?\d)(?! heures?)))?"
        ),
        pattern(r"(?:12 )?(?P<midnight>minuit)"),
    ),
    parts=parts(
        (
            r"(?:en |a la |au )?(?:toute )?fin (?:de |du )?(?:la )?matin(?:ee)?|tard (?:dans )?(?:le|la) matin(?:ee)?",
            "11:00",
            "12:00",
            "fin de matinée",
        ),
        (
            r"(?:en |au )?debut (?:de |du )?(?:la )?matin(?:ee)?|tot (?:le |dans la |demain )?matin(?:ee)?",
            "08:00",
            "10:00",
            "début de matinée",
        ),
        (r"(?:en |au )?milieu (?:de |du )?(?:la )?matin(?:ee)?", "10:00", "11:00", "milieu de matinée"),
        (rf"(?:en |a la )?fin (?:de |d' )?{_AFTERNOON}", "16:00", "18:00", "fin d'après-midi"),
        (rf"(?:en |au )?debut (?:de |d' )?{_AFTERNOON}", "13:30", "15:00", "début d'après-midi"),
        (rf"(?:en |au )?milieu (?:de |d' )?{_AFTERNOON}", "15:00", "16:00", "milieu d'après-midi"),
        (r"(?:en |a la |la )?fin (?:de )?(?:la |cette )?journee", "17:00", "19:00", "fin de journée?"),
        (r"(?:en |au )?milieu (?:de )?(?:la )?journee", "12:00", "14:00", "milieu de journée"),
        (r"(?:en |au )?debut (?:de )?(?:la )?journee", "08:00", "10:00", "début de journée"),
        (r"(?:en |au )?debut (?:de )?(?:la )?soiree", "18:00", "19:00", "début de soirée"),
        (
            r"(?:a l' |pendant l' |sur l' |l' )?heure (?:du |de )?(?:dejeuner|midi|repas)|(?:a la |pendant la )?pause (?:de |du )?(?:dejeuner|midi|dejeuner)|entre (?:12 )?midi et 2(?: heures)?",
            "12:00",
            "14:00",
            "entre midi et deux",
        ),
        (rf"{_AFTERNOON}", "14:00", "18:00", "après-midi"),
        (r"(?:le |du |de |la |au |dans la |dans le )*(?:matins?|matinees?)", "09:00", "12:00", "matin"),
        (r"(?:le |du |de |la |en |dans la |dans le |au )*(?:soirs?|soirees?)", "18:00", "20:00", "soir"),
        (r"(?:la |de la |dans la |cette )*nuit", "20:00", "22:00", "soir"),
        (r"dans la journee|en journee|toute la journee", "09:00", "18:00", "journée"),
    ),
    day_of_month=pattern(
        rf"(?:(?P<lead>au|du|sur|sur la) |le )(?P<d>[12]?\d|3[01])#?{_NO_UNIT}(?! [1-5]\d(?!\S))(?! T)|le 1#"
    ),
    bare_clocks=(
        pattern(r"(?P<h>[01]?\d|2[0-4])(?= - H\d)"),
        pattern(r"(?P<lead>(?:entre|de|des|vers)) (?P<h>[01]?\d|2[0-4])(?= (?:et|a|ou|-) (?:H\d|\d))"),
        pattern(r"(?P<lead>(?:entre|de|des|vers) H\d+ (?:et|a|ou|-)) (?P<h>[01]?\d|2[0-4])"),
        pattern(
            r"(?P<lead>a|vers|pour|des|environ|jusqu' a|apres|avant) (?P<h>[01]?\d|2[0-4])(?: (?P<min>[0-5]\d))?(?! (?:%|euros?|jours?|fois|ans?|minutes?|mois|semaines?|enfants?|personnes?)(?!\S))(?! \d)"
        ),
        pattern(
            r"(?<! \d )(?<! \d\d )(?P<h>[01]?\d|2[0-4]) (?P<min>[1-5]\d)(?! (?:\d|%|euros?|jours?|fois|ans?|minutes?|mois|semaines?))"
        ),
        pattern(rf"(?P<h>0?[2-9]|1\d|2[0-4])(?: ,)?(?= (?:D\d+ )?{PART})"),
        pattern(r"(?<=\d )(?P<h>[01]?\d|2[0-4])$"),
    ),
    between=r"(?:entre|de|des|du|depuis)",
    to=r"(?:et|a|jusqu' a|jusqu' au|jusque|au|-)",
    up_to=r"(?:a|au|jusqu' a|jusqu' au|-)",
    after=r"(?:apres|a partir de|a partir du|a partir d'|pas avant|des|au dela de|plus tard que|passe|a compter de|a compter du|dans la suite de)",
    before=r"(?:avant|jusqu' a|jusqu' au|pas apres|au plus tard(?: a| le)?|pas plus tard que)",
    until=r"(?:d' ici(?: a| au| le)?|d' ici la|d' ici la fin de|au plus tard|le plus tard)",
    onwards=r"(?:en avant|et apres|et plus|ou plus tard|ou apres|passees?)",
    alternatives=r"(?:ou|ou bien|ou alors|ou sinon|sinon|soit)",
    another=r"(?:celui|celle|1 autre|le suivant|la suivante|le lendemain|plus tard|apres)",
    also=r"(?:et|,|ainsi que)",
    prefer=(
        pattern(
            r"(?:plutot|mieux|de preference|je prefere|prefere) (?P<yes>[^,]*?) (?:plutot )?que? (?:le )?(?P<no>[^,]*)"
        ),
        pattern(rf"(?:je )?prefere (?P<yes>(?!de |du )[^,]*?) (?:a|au) (?P<no>(?:{_WEEKDAY})[^,]*)"),
    ),
    ruling_out=r"(?:pas|jamais|sauf|excepte|hormis|hors|a part|en dehors d(?:e|u)|a l' exception d(?:e|u)|ni|plutot que|au lieu d(?:e|u)|NOT)",
    stops_ruling=r"(?:mais|plutot|par contre|,|alors|donc)",
    impossible=r"(?:(?:c' )?(?:est )?(?:pas|impossible|non|complique|exclu|mort)|je (?:ne )?(?:peux|suis|serai|travaille|pourrai) (?:pas|jamais)|(?:ca )?(?:ne )?(?:va|m' arrange|marche|convient) pas|ca ne va pas|je suis (?:pris|prise|absent|absente|occupe|occupee))",
    morning_hours=6,
    unsure_hours=6,
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
    hour_format="à {h} h{m}",
    from_to="entre {start} et {end}",
)
