"""Days and times in a call script that lie ahead of the call, whenever it is placed. Pure: text in, text out.

{+1}            lunedì 30 novembre    the day after the call's, as the bot says it
{+1 weekday}    lunedì
{soon}          10 e 45               a quarter of an hour that is within half an hour
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from dialogue.values.spoken import spoken
from dialogue.values.value_types import Locale, ValueType

SIGN: Final = re.compile(r"\{(?:\+(?P<days>\d{1,3})(?P<weekday> weekday)?|soon)\}")


def dated(text: str, language: str, now: datetime) -> str:
    """`text` with every sign in it replaced; `now` is the clock on the wall where the flow is."""
    where = Locale(language)

    def said(sign: re.Match[str]) -> str:
        if sign["days"] is None:
            at = (now + timedelta(minutes=30)).replace(second=0, microsecond=0)
            at -= timedelta(minutes=at.minute % 15)
            return spoken(ValueType("time"), f"{at:%H:%M}", where, now.date())
        day = now.date() + timedelta(days=int(sign["days"]))
        whole = spoken(ValueType("date"), day.isoformat(), where, now.date())
        return whole.split()[0] if sign["weekday"] else whole

    return SIGN.sub(said, text)
