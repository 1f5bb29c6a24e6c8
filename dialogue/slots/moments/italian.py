"""Italian moments. Pure: data."""

# ruff: noqa: E501 - a pattern that is broken into pieces is harder to read than a long one

from __future__ import annotations

from dialogue.slots.moments.vocabulary import PART, TimeWords, parts, pattern

_MONTHS = (
    "gennaio|genn|gen", "febbraio|febbr|feb", "marzo|mar", "aprile|apr", "maggio|mag", "giugno|giu", "luglio|lug",
    "agosto|ago", "settembre|sett|set", "ottobre|ott", "novembre|nov", "dicembre|dic",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_WHOLE_MONTH = "|".join(names.partition("|")[0] for names in _MONTHS)
_WEEKDAYS = ("lunedi", "martedi", "mercoledi", "giovedi", "venerdi", "sabat[oi]", "domenic(?:a|he)")
_WEEKDAY = "|".join(_WEEKDAYS)
_YEAR = r"(?: ,?(?: )?(?:del |dell' anno )?(?P<y>\d{4}|(?:2[5-9]|3\d|[5-9]\d)(?! (?:e|minut[oi]|ore)\b)))?"
_NO_UNIT = r"(?! (?:ore|minut[oi]|min|giorni|settiman[ae]|mes[ei]|ann[oi]|%|euro|e mezz[ao]|e 1 quarto|meno)(?!\S))"
_TAIL = (
    r"(?: (?:e (?P<half>mezz[ao])|e (?:1 )?(?P<quarter>quarto)|e (?P<three>3 quarti)|meno (?:1 )?(?P<lessq>quarto)|meno (?P<less>\d{1,2})"
    rf"|(?:e (?!1 (?!,|minut|min|di|del|con|il|D\d))|(?=[0-5]\d(?!\d)))(?P<min>[0-5]?\d)(?: (?:minut[oi]|min))?(?! (?:{_MONTH}|second[oi]|ore)(?!\S))))?(?: e \d{{1,2}} second[oi])?(?: in punto)?(?: (?P<ap>am|pm|ampm))?"
)
_LEAD = r"(?P<lead>alle|dalle|delle|verso le|per le|sulle|le|ore|all'|dall'|l'|prima delle|dopo le|fino alle|entro le|tra le|fra le|e le|o le|a)(?: ore)?"
_AMOUNT = (
    r"(?:(?:1 )?mezz'? ?ora|(?:mezza) ora|(?:(?:1|3) )?quart[oi] d' ora|(?:1 |\d{1,3} |qualche |pochi |poche )?(?:minut[oi]|min|or[ae]|giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|quindicina)"
    r"(?: di giorni)?(?: e (?:mezz[ao]|1 quarto|un quarto|3 quarti))?)"
)

ITALIAN = TimeWords(
    language="it",
    months=_MONTHS,
    weekdays=_WEEKDAYS,
    noise=pattern(
        r"non c' e (?:nessun )?problema|nessun problema|perche no|se non (?:le |vi |ti )?dispiace|non si preoccupi|se non disturbo|non fa niente|circa|piu o meno"
    ),
    rewrites=(
        (pattern("dopo domani"), "dopodomani"),
        (pattern("week end|weekend"), "weekend"),
        (pattern("piuttosto che"), "invece di"),
        (pattern("domattina"), "domani mattina"),
        (pattern("stasera|sta sera"), "oggi sera"),
        (pattern("stamattina|stamani|stamane"), "oggi mattina"),
        (pattern("stanotte"), "oggi notte"),
        (pattern("l'? ?altro ieri|altroieri|avantieri"), "altroieri"),
        (pattern("mezz' ora"), "mezza ora"),
        (pattern(rf"({_WEEKDAY}) (mattina|pomeriggio|sera) (prossim[oa]|scors[oa])"), r"\1 \3 \2"),
        (pattern("all (?=\\d)"), "alle "),
        (pattern("1 4#"), "1 quarto"),
    ),
    dated=(
        pattern(
            rf"(?:il |l' )?(?P<d>\d{{1,2}})#?(?: di| del mese di)? (?:, )?(?P<m>{_MONTH})(?: ,(?= (?:\d{{4}})))?{_YEAR}"
        ),
        # not "giu" and the like, which before a number are other words: "metta giù una tinta"
        pattern(rf"(?P<m>{_WHOLE_MONTH})(?: ,)? (?:il )?(?P<d>\d{{1,2}})#?{_NO_UNIT}{_YEAR}"),
        pattern(rf"il (?P<d>\d{{1,2}})#? (?P<mm>0?[1-9]|1[0-2]){_NO_UNIT}(?! \d)"),
    ),
    nth_weekday=pattern(
        rf"(?:il |la |l' )?(?P<n>[1-5]#|ultim[oa]) (?P<w>{_WEEKDAY})(?: (?:di |del mese di |del |in )?(?:(?P<m>{_MONTH})|(?P<ahead>(?:prossimo mese|mese prossimo))|(?:di )?(?:questo )?mese))?"
    ),
    last="ultim",
    of_month=pattern(
        r"(?:il )?(?P<d>\d{1,2})#? (?:del|di|dello) (?:(?P<next>prossimo mese|mese prossimo)|(?:questo |corrente )?mese(?: corrente)?)"
    ),
    part_of_month=pattern(
        rf"(?:a |per |verso |verso la |alla |all' |ai |nella )?(?:(?P<early>inizio|primi)|(?P<middle>meta)|(?P<late>fine))(?: di| del| d')? (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?|(?P<next>(?:mese prossimo|prossimo mese))|(?:questo )?mese)"
    ),
    month_alone=pattern(
        rf"(?:in|a|nel mese di|durante) (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?)|(?:il |nel )?(?P<next>mese prossimo|prossimo mese)"
    ),
    amount=pattern(_AMOUNT),
    units=(
        (pattern(r"(?P<n>\d{1,3}|qualche|poch[ie])? ?(?:minut[oi]|min)"), 1, "minutes"),
        (pattern(r"(?:1 )?(?:mezza ora|mezz'? ?ora)"), 30, "minutes"),
        (pattern(r"(?P<n>\d)? ?quart[oi] d' ora"), 15, "minutes"),
        (
            pattern(
                r"(?P<n>\d{1,3}|qualche|poch[ie])? ?or[ae](?: e (?:(?P<half>mezz[ao])|(?P<three>3 quarti)|(?:1 )?(?P<quarter>quarto)))?"
            ),
            60,
            "minutes",
        ),
        (pattern(r"(?P<n>\d{1,3}|qualche|poch[ie])? ?giorn[oi](?: e (?P<half>mezzo))?"), 1, "days"),
        (pattern(r"(?P<n>\d{1,3}|qualche|poch[ie])? ?settiman[ae](?: e (?P<half>mezz[ao]))?"), 7, "days"),
        (pattern(r"(?P<n>\d{1,2})? ?quindicina(?: di giorni)?"), 14, "days"),
        (pattern(r"(?P<n>\d{1,3}|qualche|poch[ie])? ?mes[ei]"), 1, "months"),
        (pattern(r"(?P<n>\d{1,3}|qualche|poch[ie])? ?ann[oi]"), 12, "months"),
    ),
    ahead=pattern(r"tra|fra|in(?= \d{1,3} (?:or[ae]|minut[oi]|giorni))"),
    behind=pattern(r"piu tardi|dopo(?=$| ,)|da adesso|da ora"),
    ago_before=pattern(r"(?!)"),
    ago_behind=pattern(r"fa|prima(?! (?:D|H|di|del))"),
    within=pattern(r"entro"),
    from_day=pattern(r"da|a partire da|dopo"),
    weekdays_from_now=pattern(rf"(?P<n>\d) (?P<w>{_WEEKDAY}) (?:da|a partire da) D\d+"),
    working_days=pattern(r"(?:tra |fra )?(?P<n>\d{1,2}) giorni (?:lavorativi|feriali)"),
    days=(
        (pattern(r"(?:l' )?altroieri"), -2),
        (pattern(r"ieri"), -1),
        (pattern(r"dopodomani"), 2),
        (pattern(r"domani|(?:il |l' )?giorno (?:dopo|successivo|seguente)|l' indomani"), 1),
        (
            pattern(
                rf"oggi|in giornata|questo giorno|(?:questa|questo|sta)(?= (?:sera|mattina|pomeriggio|notte|mattino|{PART}))"
            ),
            0,
        ),
    ),
    now=pattern(
        r"subito|adesso|(?<!1 )(?<!mezza )(?<!mezz' )(?<!stessa )(?<!quell' )(?<!un' )(?<!altra )(?<!che )(?<!quale )(?<!l' )(?<!d' )(?<!prima )(?<!ultima )(?<!qualunque )(?<!qualsiasi )ora(?! di)|ora stesso|immediatamente|appena possibile|il prima possibile|al piu presto|prima possibile"
    ),
    weekday=pattern(
        rf"(?:(?:(?P<next_week0>(?:del)?la settimana prossima|(?:la )?prossima settimana|settimana prossima)|(?P<this_week0>questa settimana)) (?:, )?)?(?:(?P<this>quest[oa]) |(?P<next0>prossim[oa]) |(?P<last0>scors[oa]) )?(?:la |il |lo )?(?P<w>{_WEEKDAY})"
        r"(?: (?:(?P<next>prossim[oa]|che viene)|(?P<last>scors[oa]|passat[oa])|(?P<week_later>a 8|della settimana dopo|della settimana successiva|dell' altra settimana)|(?P<two_later>a 15|tra 2 settimane|fra 2 settimane)))?"
        r"(?: (?:(?P<next_week>(?:del)?la settimana prossima|(?:del)?la prossima settimana|(?:di )?settimana prossima|prossima settimana)|(?P<this_week>(?:di )?questa settimana)|(?P<last_week>(?:del)?la (?:settimana scorsa|scorsa settimana))))?"
        rf"(?: (?:, )?(?:il )?(?P<dom>\d{{1,2}})#?{_NO_UNIT}(?! e )(?! [1-5]\d(?!\S)))?"
    ),
    week_of=pattern(r"(?:nel)?(?:la )?settimana (?:del )?(?P<day>D\d+)"),
    weeks=(
        (pattern(r"(?:(?:del|nel)?la )?(?:settimana prossima|prossima settimana|settimana che viene)"), "next_week"),
        (pattern(r"(?:in |durante )?(?:questa settimana|la settimana in corso)|in settimana"), "this_week"),
        (pattern(r"(?:nei |i )?giorni (?:feriali|lavorativi)|durante la settimana|dal lunedi al venerdi"), "workweek"),
        (pattern(r"(?:il |nel |questo |durante il )?(?:weekend|fine settimana)(?: prossimo)?"), "weekend"),
    ),
    clocks=(
        pattern(r"(?!)"),
        pattern(r"(?:manca|mancano)? ?(?P<less>\d{1,2}) minut[oi] alle (?P<h>\d{1,2})"),
        pattern(r"(?:manca )?(?:1 )?(?P<lessq>quarto) alle (?P<h>\d{1,2})"),
        pattern(
            r"(?P<lead>alle|dalle|all'|le|ore|verso le|per le|delle)? ?(?:ore )?(?P<t>T\d+)(?: ?(?P<ap>am|pm|ampm))?"
        ),
        pattern(
            rf"{_LEAD} (?P<h>[01]?\d|2[0-4]) (?P<ap>am|pm|ampm)(?: e (?P<three>3 quarti)| e (?:1 )?(?P<quarter>quarto)| e (?P<half>mezz[ao]))"
        ),
        pattern(rf"{_LEAD} (?P<h>\d{{1,2}}){_TAIL}(?! (?:%|euro|giorni|ann[oi]|mes[ei]|settiman[ae])(?!\S))"),
        pattern(r"(?P<h>\d{1,2})(?: (?P<min>[0-5]\d))? (?P<ap>am|pm|ampm)"),
        pattern(
            r"(?P<h>\d{1,2}) (?:e (?:(?P<half>mezz[ao])|(?P<three>3 quarti)|(?:1 )?(?P<quarter>quarto))|meno (?:1 )?(?P<lessq>quarto))"
        ),
        pattern(
            r"(?:12 )?(?P<noon>mezzogiorno)(?: (?:e (?P<half>mezz[ao])|e (?:1 )?(?P<quarter>quarto)|meno (?:1 )?(?P<lessq>quarto)|e (?P<min>[1-5]?\d)))?"
        ),
        pattern(r"(?:12 )?(?P<midnight>mezzanotte)"),
    ),
    parts=parts(
        (
            r"(?:in |a |nella )?(?:tarda mattinata|fine mattinata|tarda mattina|fine mattina|fine della mattinata)",
            "11:00",
            "12:00",
            "tarda mattinata",
        ),
        (
            r"(?:di |in |nella )?prima mattina(?:ta)?|presto (?:la )?mattina|mattina presto|inizio mattinata",
            "08:00",
            "10:00",
            "prima mattina",
        ),
        (r"(?:a )?meta (?:mattina|mattinata)", "10:00", "11:00", "metà mattina"),
        (
            r"(?:a |nel |in |di )?(?:tardo pomeriggio|fine pomeriggio|fine del pomeriggio|pomeriggio tardi)",
            "16:00",
            "18:00",
            "tardo pomeriggio",
        ),
        (r"(?:nel |a |di )?(?:primo pomeriggio|inizio pomeriggio)", "13:30", "15:00", "primo pomeriggio"),
        (r"(?:a )?meta pomeriggio", "15:00", "16:00", "metà pomeriggio"),
        (r"(?:a |alla )?fine (?:della )?giornata|(?:alla )?fine di(?= D)", "17:00", "19:00", "fine giornata?"),
        (r"(?:a )?meta giornata", "12:00", "14:00", "metà giornata"),
        (r"(?:in |nella )?pausa pranzo|(?:all' )?ora di pranzo|(?:a )?pranzo", "12:00", "14:00", "pausa pranzo"),
        (r"(?:di |del |nel |il |al )?pomerigg(?:io|i)", "14:00", "18:00", "pomeriggio"),
        (r"(?:di |del |della |la |al |in |nella )?(?:mattin[aoe]|mattinata)", "09:00", "12:00", "mattina"),
        (r"(?:di |della |la |in |alla )?(?:sera|serata|sere)", "18:00", "20:00", "sera"),
        (r"(?:di |della |la |nella )?notte", "20:00", "22:00", "sera"),
        (r"in giornata|durante la giornata|tutto il giorno", "09:00", "18:00", "giornata"),
    ),
    day_of_month=pattern(rf"(?:(?P<lead>al|dal|del) |il )(?P<d>[12]?\d|3[01])#?{_NO_UNIT}(?! [1-5]\d(?!\S))"),
    bare_clocks=(
        pattern(r"(?P<h>[01]?\d|2[0-4])(?= - H\d)"),
        pattern(
            r"(?P<lead>(?:tra|fra|da|dalle|verso)(?: le)?) (?P<h>[01]?\d|2[0-4])(?= (?:e|a|o|-)(?: le)? (?:H\d|\d))"
        ),
        pattern(r"(?P<lead>(?:tra|fra|da|dalle|verso)(?: le)? H\d+ (?:e|a|o|-)(?: le)?) (?P<h>[01]?\d|2[0-4])"),
        pattern(
            r"(?P<lead>verso|circa|entro|alle|a) (?P<h>[01]?\d|2[0-4])(?: (?:e )?(?P<min>[1-5]\d))?(?! (?:%|euro|giorni|volte|ann[oi]|minut[oi]|mes[ei]|settiman[ae]|ore|figli|persone)(?!\S))(?! \d)"
        ),
        pattern(
            r"(?<! \d )(?<! \d\d )(?P<h>[01]?\d|2[0-4]) (?:e )?(?P<min>[1-5]\d)(?! (?:\d|%|euro|giorni|volte|ann[oi]|minut[oi]|mes[ei]))"
        ),
        pattern(rf"(?P<h>0?[2-9]|1\d|2[0-4])(?: ,)?(?= (?:D\d+ )?{PART})"),
    ),
    between=r"(?:tra|fra|da|dal|dall'|dalle|dai)",
    to=r"(?:e|a|al|all'|alle|fino|fino a|fino al|fino alle|-)",
    up_to=r"(?:a|al|fino a|fino al|-)",
    after=r"(?:dopo|a partire|a partire da|a partire dal|a partire dalle|da|dal|non prima|non prima di|non prima del|non prima delle|oltre|passate)(?: le| delle| dalle| il)?",
    before=r"(?:prima|prima di|prima del|prima delle|fino a|fino al|fino alle|entro|entro le|non oltre|non oltre le|non piu tardi|non piu tardi delle)(?: le| delle)?",
    until=r"(?:entro|entro il|entro la|entro la fine di|al piu tardi|non oltre)",
    onwards=r"(?:in poi|in avanti|o dopo|o piu tardi|passate)",
    alternatives=r"(?:o|oppure|o magari|ovvero|altrimenti)",
    another=r"(?:1 altro|quello|quella|il giorno dopo|dopo|piu tardi)",
    also=r"(?:e|,)",
    prefer=(
        pattern(
            r"(?:piuttosto|meglio|preferisco|di preferenza|preferibilmente) (?P<yes>[^,]*?) (?:piuttosto )?(?:che|a) (?:il )?(?P<no>(?:non )?(?:l[au]n|mar|mer|gio|ven|sab|dom)[^,]*)"
        ),
    ),
    ruling_out=r"(?:non|mai|tranne|eccetto|salvo|escluso|esclusi|fuorche|a parte|a eccezione di|nemmeno|neanche|neppure|ne|invece di|al posto di|piuttosto che|NOT)(?: (?:il|la|di|del))?",
    stops_ruling=r"(?:ma|pero|bensi|invece|,|meglio|piuttosto)",
    impossible=r"(?:no|escluso|esclusa|impossibile|(?:non|mi) (?:posso|va|e|sono|ci sono|lavoro|riesco|impossibile)(?: bene| possibile)?|sono (?:occupato|occupata|via|impegnato|impegnata))",
    morning_hours=6,
    unsure_hours=6,
    weekday_names=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    month_names=(
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ),
    hour_format="alle {h}{m}",
    from_to="tra {start} e {end}",
)
