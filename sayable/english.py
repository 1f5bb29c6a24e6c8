"""The words of English for what is written in signs. Pure: a table."""

from __future__ import annotations

from typing import Final

from sayable.words import LETTERS, Words, forms, named, pairs, shortened

ENGLISH: Final = Words(
    months=tuple(
        "January February March April May June July August September October November December".split()
    ),
    month_names="January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?",
    letters=named(
        LETTERS,
        "ay bee see dee ee eff gee aitch eye jay kay ell em en oh pee cue are ess tee you vee double_you ex why zed",
    ),
    point="point",
    decimal_comma=False,
    minus="minus",
    plus="plus",
    to="to",
    over="over",
    and_="and",
    percent="percent",
    degrees=("degree", "degrees"),
    at="at",
    dot="dot",
    dash="dash",
    underscore="underscore",
    slash="slash",
    money={
        "€": (("euro", "euros"), ("cent", "cents")),
        "$": (("dollar", "dollars"), ("cent", "cents")),
        "£": (("pound", "pounds"), ("penny", "pence")),
        "CHF": (("Swiss franc", "Swiss francs"), ("centime", "centimes")),
    },
    units=forms(
        "km/h=kilometre per hour/kilometres per hour|mph=mile per hour/miles per hour|"
        "kWh=kilowatt hour/kilowatt hours|kW=kilowatt/kilowatts|MW=megawatt/megawatts|W=watt/watts|V=volt/volts|"
        "km²=square kilometre/square kilometres|km=kilometre/kilometres|m²=square metre/square metres|"
        "m2=square metre/square metres|m³=cubic metre/cubic metres|m3=cubic metre/cubic metres|"
        "sq ft=square foot/square feet|ft=foot/feet|cm=centimetre/centimetres|mm=millimetre/millimetres|"
        "m=metre/metres|kg=kilogram/kilograms|mg=milligram/milligrams|g=gram/grams|lbs=pound/pounds|lb=pound/pounds|"
        "oz=ounce/ounces|ml=millilitre/millilitres|l=litre/litres|L=litre/litres|mins=minute/minutes|min=minute/minutes|"
        "hrs=hour/hours|hr=hour/hours|h=hour/hours|ms=millisecond/milliseconds|secs=second/seconds|sec=second/seconds|"
        "s=second/seconds|GB=gigabyte/gigabytes|MB=megabyte/megabytes|kB=kilobyte/kilobytes|TB=terabyte/terabytes|"
        "Mbps=megabit per second/megabits per second|Hz=hertz|dB=decibel/decibels"
    ),
    feminine=frozenset(),
    abbreviations=(
        (r"\bMr\.?(?=\s)", "mister"),
        (r"\bMrs\.?(?=\s)", "missus"),
        (r"\bMs\.?(?=\s[A-Z])", "miz"),
        (r"\bDr\.?(?=\s[A-Z])", "doctor"),
        (r"\bProf\.(?=\s)", "professor"),
        (r"\bSt\.?(?=\s[A-Z])", "saint"),
        (r"(?<=[a-z] )St\b\.?", "street"),
        (r"(?<=[a-z] )Rd\b\.?", "road"),
        (r"(?<=[a-z] )Ave\b\.?", "avenue"),
        (r"(?<=[a-z] )Blvd\b\.?", "boulevard"),
        (r"(?<=[a-z] )Ln\b\.?", "lane"),
        (r"\b[Aa]pt\.?(?=\s)", "apartment"),
        (r"\b[Nn]o\.(?=\s?\d)", "number "),
        (r"№\s?", "number "),
        (r"#(?=\d)", "number "),
        (r"\b[Tt]el\.?(?=[\s:])", "telephone"),
        (r"\be\.g\.,?", "for example"),
        (r"\bi\.e\.,?", "that is"),
        (r"\betc\.?(?!\w)", "et cetera"),
        (r"\bvs\.?(?=\s)", "versus"),
        (r"\b[Aa]pprox\.", "approximately"),
        (r"\b[Dd]ept\.?(?!\w)", "department"),
        (r"\b[Aa]ppt\.?(?!\w)", "appointment"),
        (r"\b[Rr]ef\.(?=[\s:])", "reference"),
        (r"\b[Ee]xt\.(?=\s?\d)", "extension"),
        (r"\b[Ii]nc\.", "incorporated"),
        (r"\b[Ll]td\.?(?!\w)", "limited"),
        (r"\bmax\.", "maximum"),
        (r"\bp\.(?=\s?\d)", "page"),
        (r"\bpp\.(?=\s?\d)", "pages"),
        (r"\bw/o\b", "without"),
        (r"\band/or\b", "and or"),
        *shortened(
            pairs("Jan=January|Feb=February|Aug=August|Sep=September|Sept=September|Oct=October|Nov=November|"
                  "Dec=December"),
            r"\b", r"(?=\s\d{4}\b)",
        ),
        *shortened(
            pairs("Mon=Monday|Tue=Tuesday|Tues=Tuesday|Wed=Wednesday|Thu=Thursday|Thur=Thursday|Thurs=Thursday|"
                  "Fri=Friday|Sat=Saturday|Sun=Sunday"),
            r"\b", r"(?=,?\s(?:\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s))",
        ),
    ),
    acronyms=frozenset("USB UK USA EU IP API AI ID FAQ ETA ATM".split()),
    signs={"&": "and", "+": "plus", "=": "equals", "×": "times", "<": "less than", ">": "greater than",
           "±": "plus or minus", "§": "section", "#": "hash", "@": "at", "‰": "per mille", "÷": "divided by"},
    halves={"1/2": "one half", "1/3": "one third", "2/3": "two thirds", "1/4": "one quarter", "3/4": "three quarters",
            "½": "one half", "¼": "one quarter", "¾": "three quarters"},
    by="by",
    spoken_ends=frozenset({"co", "io"}),
)  # fmt: skip
