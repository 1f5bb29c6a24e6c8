"""English moments, with the British clock: "half eight" is 8:30. Pure: data."""

# ruff: noqa: E501 - a pattern that is broken into pieces is harder to read than a long one

from __future__ import annotations

from dialogue.slots.moments.vocabulary import PART, TimeWords, parts, pattern

_MONTHS = (
    "january|jan", "february|feb", "march|mar", "april|apr", "may", "june|jun", "july|jul", "august|aug",
    "september|sept|sep", "october|oct", "november|nov", "december|dec",
)  # fmt: skip
_MONTH = "|".join(_MONTHS)
_WEEKDAYS = ("mondays?", "tuesdays?", "wednesdays?", "thursdays?", "fridays?", "saturdays?", "sundays?")
_WEEKDAY = "|".join(_WEEKDAYS)
_YEAR = r"(?: ,?(?: )?(?:of |in )?(?P<y>\d{4}|(?:2[5-9]|3\d|[5-9]\d)(?! (?:am|pm|o'|past|to)\b)))?"
_NO_UNIT = (
    r"(?! (?:o' clock|am|pm|hours?|minutes?|mins?|days?|weeks?|months?|years?|%|past|ish|times|pounds|dollars)(?!\S))"
)
_LEAD = r"(?P<lead>at|around|about|by|for|until|till|after|before|say|round|past|from|notbefore|nolater)"
_CLOCK_END = r"(?: (?:o' clock|oclock))?(?: (?P<ap>am|pm|ampm))?"
_H, _M = r"(?P<h>[01]?\d|2[0-4])", r"(?P<min>[0-5]\d)"
_AMOUNT = (
    r"(?:(?:an?|1|the)? ?half (?:an|1) hour|(?:an? |1 )?half hour|(?:(?:an?|1|3|the) )?quarters? of an hour|(?:an? |1 |\d{1,3} |(?:an? )?(?:few|couple of|couple) )?(?:minutes?|mins?|min|hours?|hrs?|days?|weeks?|fortnights?|months?|years?)"
    r"(?: and (?:a |1 )?(?:half|quarter|3 quarters))?|\d{1,2} and (?:a )?half (?:hours|days|weeks))"
)

ENGLISH = TimeWords(
    language="en",
    months=_MONTHS,
    weekdays=_WEEKDAYS,
    noise=pattern(
        r"no problem|not a problem|why not|if you don' t mind|if that' s not too much|no worries|don' t worry|not at all|don' t forget|would be (?:great|fine|good|ok)"
    ),
    rewrites=(
        (pattern("week end|weekend"), "weekend"),
        (pattern("rather than"), "instead of"),
        (pattern("(?:a|1|in a) week (today|tomorrow)"), r"1 week from \1"),
        (pattern("(today|tomorrow) week"), r"1 week from \1"),
        (pattern("(week|day|month|hour)' s time"), r"\1 time"),
        (
            pattern(r"no ((?:mon|tues|wednes|thurs|fri|satur|sun)days?|mornings?|afternoons?|evenings?|weekends?)"),
            r"NOT \1",
        ),
        (pattern("no good"), "nogood"),
        (pattern("tmrw|tomorow|tmr"), "tomorrow"),
        (pattern("tonight|this evening"), "today evening"),
        (pattern("mid ?(day|night)"), r"mid\1"),
        (pattern("noonish"), "noon"),
        (pattern(r"(\d{1,2}) ish"), r"at \1"),
        (pattern("end of (tomorrow|today)"), r"\1 end of the day"),
        (pattern("week commencing|week beginning"), "week of"),
        (pattern(r"(\d{1,2}) h (\d{2})"), r"at \1 \2"),
        (pattern("a (couple of|few)"), r"\1"),
        (pattern("not before"), "notbefore"),
        (pattern("(?:no|not) later than|not after"), "nolater"),
    ),
    dated=(
        pattern(rf"(?:the )?(?P<d>\d{{1,2}})#?(?: day)?(?: of)? (?:, )?(?P<m>{_MONTH})(?: ,(?= \d{{4}}))?{_YEAR}"),
        pattern(rf"(?P<y>\d{{4}}) (?P<m>{_MONTH}) (?P<d>\d{{1,2}})"),
        pattern(
            rf"(?P<m>{_MONTH})(?: ,)? (?:the )?(?P<d>\d{{1,2}})#?{_NO_UNIT}(?! [0-5]\d(?! ?\d))(?: ,(?= \d{{4}}))?{_YEAR}"
        ),
    ),
    nth_weekday=pattern(
        rf"(?:the )?(?P<n>[1-5]#|last) (?P<w>{_WEEKDAY})(?: (?:of |in |on )?(?:the month of )?(?:(?P<m>{_MONTH})|(?P<ahead>next month)|(?:this|the) month))?"
    ),
    last="last",
    of_month=pattern(r"(?:the )?(?P<d>\d{1,2})#? of (?:(?P<next>next month)|(?:this|the) month)"),
    part_of_month=pattern(
        rf"(?:at |in |around |towards )?(?:the )?(?:(?P<early>early|beginning|start)|(?P<middle>mid|middle)|(?P<late>end|late))(?: of| in)? (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?|(?P<next>next month)|(?:the |this )?month)"
    ),
    month_alone=pattern(rf"(?:in|during|sometime in) (?:(?P<m>{_MONTH})(?: (?P<y>20\d\d))?)|(?P<next>next month)"),
    amount=pattern(_AMOUNT),
    units=(
        (pattern(r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?(?:minutes?|mins?)"), 1, "minutes"),
        (pattern(r"(?:an? |1 |the )?(?:half (?:an|1) hour|half hour)"), 30, "minutes"),
        (pattern(r"(?P<n>\d|an?|the)? ?quarters? of an hour"), 15, "minutes"),
        (
            pattern(
                r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?(?:hours?|hrs?)(?: and (?:a |1 )?(?:(?P<half>half)|(?P<three>3 quarters)|(?P<quarter>quarter)))?"
            ),
            60,
            "minutes",
        ),
        (pattern(r"(?P<n>\d{1,2}) and (?:a )?(?P<half>half) hours"), 60, "minutes"),
        (
            pattern(r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?days?(?: and (?:a )?(?P<half>half))?"),
            1,
            "days",
        ),
        (
            pattern(r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?weeks?(?: and (?:a )?(?P<half>half))?"),
            7,
            "days",
        ),
        (pattern(r"(?P<n>\d{1,2}|an?)? ?fortnights?"), 14, "days"),
        (pattern(r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?months?"), 1, "months"),
        (pattern(r"(?P<n>\d{1,3}|an?|(?:an? )?(?:few|couple of|couple))? ?years?"), 12, "months"),
    ),
    ahead=pattern(r"in(?: about| around)?"),
    behind=pattern(r"later|from now|from today|hence|time"),
    ago_before=pattern(r"(?!)"),
    ago_behind=pattern(r"ago|earlier|back"),
    within=pattern(r"within(?: the next)?|in the next|over the next|by the end of"),
    from_day=pattern(r"from|after|past"),
    weekdays_from_now=pattern(rf"(?P<n>\d) (?P<w>{_WEEKDAY}) (?:from|after) (?:D|M)\d+"),
    working_days=pattern(r"(?:in )?(?P<n>\d{1,2}) (?:working|business|week) ?days?(?: time| from now| later)?"),
    days=(
        (pattern(r"(?:the )?day before yesterday"), -2),
        (pattern(r"yesterday"), -1),
        (pattern(r"(?:the )?day after tomorrow"), 2),
        (pattern(r"tomorrow|(?:the )?(?:next|following) day"), 1),
        (pattern(rf"(?:later (?:on )?)?today|this very day|this(?= (?:morning|afternoon|evening|{PART}))"), 0),
    ),
    now=pattern(r"right now|right away|now|immediately|straight away|as soon as (?:possible|you can)|at once|asap"),
    weekday=pattern(
        rf"(?:(?:on )?(?:(?P<next_week0>next week)|(?P<this_week0>this week)|(?P<week_later0>1 week|a week)) (?:, )?(?:on )?)?(?:(?P<this>this(?: coming)?|coming)|(?P<next>next)|(?P<last>last) )? ?(?:the )?(?P<w>{_WEEKDAY})"
        r"(?: (?:(?P<week_later>week(?! (?:end|day))|after next|in a week|the week after)|(?P<two_later>fortnight|in 2 weeks)))?"
        r"(?: (?:of |in |on )?(?:(?P<next_week>next week)|(?P<this_week>this week)|(?P<last_week>last week)))?"
        rf"(?: (?:, )?(?:on )?the (?P<dom>\d{{1,2}})#?{_NO_UNIT}| (?P<dom2>\d{{1,2}})#)?"
    ),
    week_of=pattern(r"(?:in |on )?(?:the )?week (?:of )?(?P<day>D\d+)"),
    weeks=(
        (pattern(r"(?:at |towards )?(?:the )?end of (?:the |this )?week"), "end_of_week"),
        (pattern(r"(?:the )?(?:next|following|coming) week|week after this"), "next_week"),
        (pattern(r"(?:during |later |some time |any time )?this week|during the week"), "this_week"),
        (pattern(r"(?:on )?(?:week ?days?|working days?)|monday to friday|on a weekday"), "workweek"),
        (pattern(r"(?:this |next |at the |on the |over the |the |at |during the )?weekends?"), "weekend"),
    ),
    clocks=(
        pattern(r"(?!)"),
        pattern(rf"(?:at )?{_M[:-1]}|[0-9]) (?:minutes? |mins? |min )?past (?P<t>T\d+)(?: ?(?P<ap>am|pm))?"),
        pattern(rf"(?P<t>T\d+){_CLOCK_END}"),
        pattern(
            rf"(?:(?P<half>half)(?: past| after)?|(?:a |1 )?(?P<three>3 quarters?) past|(?:a |1 )?(?P<quarter>quarter) (?:past|after)|(?:a |1 )?(?P<lessq>quarter) (?:to|of|before|til|till)) {_H}{_CLOCK_END}"
        ),
        pattern(rf"(?P<min>[1-5]?\d) (?:minutes? |mins? |min )?(?:past|after) (?:at )?{_H}{_CLOCK_END}(?! \d)"),
        pattern(
            rf"(?<!from )(?<!between )(?P<less>[1-5]?\d) (?:minutes? |mins? |min )?(?:to|before|til) {_H}{_CLOCK_END}(?! \d)"
        ),
        pattern(rf"{_H}(?: {_M})? (?:o' clock|oclock)(?: (?P<ap>am|pm))?"),
        pattern(rf"{_H}(?: {_M})? (?P<ap>am|pm|ampm)"),
        pattern(r"(?:12 )?(?P<noon>noon|midday)"),
        pattern(r"(?:12 )?(?P<midnight>midnight)"),
    ),
    parts=parts(
        (r"(?:in the |the )?late (?:in the )?morning|(?:at the )?end of the morning", "11:00", "12:00", "late morning"),
        (
            r"(?:in the |the )?early (?:in the )?morning|1# thing(?: in the morning)?",
            "08:00",
            "10:00",
            "early morning",
        ),
        (r"mid morning|(?:in the )?middle of the morning", "10:00", "11:00", "mid-morning"),
        (
            r"(?:in the |the )?late (?:in the )?afternoon|(?:at the )?end of the afternoon",
            "16:00",
            "18:00",
            "late afternoon",
        ),
        (
            r"(?:in the |the )?early (?:in the )?afternoon|(?:at the )?(?:beginning|start) of the afternoon",
            "13:30",
            "15:00",
            "early afternoon",
        ),
        (r"mid afternoon|(?:in the )?middle of the afternoon", "15:00", "16:00", "mid-afternoon"),
        (r"(?:at |by )?(?:the )?(?:end of (?:the |my )?day|eod)", "17:00", "19:00", "end of the day?"),
        (r"(?:at |over |during |around )?(?:my )?lunch ?(?:time|break|hour)?", "12:00", "14:00", "lunch time"),
        (r"(?:in |on )?(?:the )?afternoons?", "14:00", "18:00", "afternoon"),
        (r"(?:in |on )?(?:the )?mornings?", "09:00", "12:00", "morning"),
        (r"(?:in |on )?(?:the )?evenings?", "18:00", "20:00", "evening"),
        (r"(?:at |in the )?night|in the night", "20:00", "22:00", "evening"),
        (r"during the day|all day", "09:00", "18:00", "day"),
    ),
    day_of_month=pattern(
        rf"(?:the (?P<d>[12]?\d|3[01])#?|(?P<d2>[12]?\d|3[01])#){_NO_UNIT}|(?:on) (?P<d3>[12]?\d|3[01]){_NO_UNIT}(?! [1-5]\d(?!\S))"
    ),
    bare_clocks=(
        pattern(r"(?P<h>[01]?\d|2[0-4])(?= - H\d)"),
        pattern(
            r"(?P<lead>(?:between|from|at|around|about)) (?P<h>[01]?\d|2[0-4])(?: (?P<ap>am|pm))?(?= (?:and|to|or|until|till|-)(?: at)? (?:H\d|\d))"
        ),
        pattern(
            r"(?P<lead>(?:between|from|at|around|about) H\d+ (?:and|to|or|until|till|-)(?: at)?) (?P<h>[01]?\d|2[0-4])(?! past| to )"
        ),
        pattern(
            rf"{_LEAD} {_H}(?: {_M})?(?! (?:%|pounds|dollars|days?|times|years?|minutes?|months?|weeks?|hours?|kids|people|children)(?!\S))(?! \d)(?:(?: (?:in the )?)(?=P))?"
        ),
        pattern(
            rf"(?<! \d )(?<! \d\d ){_H} (?P<min>[1-5]\d)(?! (?:\d|%|pounds|dollars|days?|times|years?|minutes?|months?|weeks?))"
        ),
        pattern(rf"(?P<h>0?[2-9]|1\d|2[0-4])(?: ,)?(?= (?:D\d+ )?{PART})"),
    ),
    between=r"(?:between|from)",
    to=r"(?:and|to|until|till|through|-)",
    up_to=r"(?:to|until|till|through|-)",
    after=r"(?:after|notbefore|any ?time after|from|past|starting|later than|as of)(?: at)?",
    before=r"(?:before|until|till|nolater|up to|any ?time before|by)(?: at)?",
    until=r"(?:by|nolater|at the latest)(?: on| the end of)?",
    onwards=r"(?:onwards?|on(?! (?:D|the))|or later|or after|and later)",
    alternatives=r"(?:or|or else|or maybe|otherwise|either)",
    another=r"(?:another|the one|the next|the day after|some other|later|after)",
    also=r"(?:and|,)",
    prefer=(
        pattern(
            r"(?:rather|preferably|better|i' d prefer|i prefer|prefer) (?P<yes>[^,]*?) (?:rather )?(?:than|to) (?:on )?(?P<no>(?:mon|tue|wed|thu|fri|sat|sun|D\d)[^,]*)"
        ),
    ),
    ruling_out=r"(?:not(?: on| in| the)?|never|except(?: for)?|excepting|other than|apart from|besides|excluding|anything but|(?:any|every|each|all)(?: \S+){0,3}? but|instead of|rather than|neither|nor|no(?= (?:\S+days?|mornings?|afternoons?|evenings?|weekends?|D\d|P\d))|\S+n' t|cannot|cant|dont|NOT)(?: do| make| like| want| on| call(?: me)?| be| work)*",
    stops_ruling=r"(?:but|however|,|so|rather|make it)",
    impossible=r"(?:(?:is|are|' s|was|will be)? ?(?:not|nogood|out|impossible|bad|no)(?: possible| good)?|(?:doesn|won|isn|don|can)' t(?: work| suit| do| good| possible)?|i(?:' m| am)? ?(?:can' t|cannot|won' t|busy|not free|away|not available))",
    morning_hours=6,
    unsure_hours=7,
    weekday_names=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    month_names=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    hour_format="at {h}{m}",
    from_to="between {start} and {end}",
)
