"""Moments as callers say them: days, times, stretches of either. Pure.

A text goes through four rooms: `normal` (words and digits alike, one spelling), `mentions` (what names a day, a time, a
part of the day or a length of time), `sense` (what those mean together: ruled out, either-or, until, from-to), and
`dialogue.slots.date_time`, which makes the value of it. `french`, `italian` and `english` are the words, `calendar`
counts.
"""
