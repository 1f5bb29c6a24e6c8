"""The words of Italian for what is written in signs. Pure: a table."""

from __future__ import annotations

from typing import Final

from sayable.words import LETTERS, Words, forms, named, pairs, shortened

ITALIAN: Final = Words(
    months=tuple(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()
    ),
    month_names="gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre",
    letters=named(
        LETTERS,
        "a bi ci di e effe gi acca i i_lunga cappa elle emme enne o pi cu erre esse ti u vu doppia_vu ics ipsilon zeta",
    ),
    point="virgola",
    decimal_comma=True,
    minus="meno",
    plus="più",
    to="a",
    over="su",
    and_="e",
    percent="per cento",
    degrees=("grado", "gradi"),
    at="chiocciola",
    dot="punto",
    dash="trattino",
    underscore="trattino basso",
    slash="barra",
    money={
        "€": (("euro", "euro"), ("centesimo", "centesimi")),
        "$": (("dollaro", "dollari"), ("centesimo", "centesimi")),
        "£": (("sterlina", "sterline"), ("penny", "pence")),
        "CHF": (("franco svizzero", "franchi svizzeri"), ("centesimo", "centesimi")),
    },
    units=forms(
        "km/h=chilometro all'ora/chilometri all'ora|kWh=chilowattora|kW=chilowatt|MW=megawatt|W=watt|V=volt|"
        "A=ampere|km²=chilometro quadrato/chilometri quadrati|km=chilometro/chilometri|"
        "m²=metro quadrato/metri quadrati|m2=metro quadrato/metri quadrati|mq=metro quadrato/metri quadrati|"
        "m³=metro cubo/metri cubi|m3=metro cubo/metri cubi|cm=centimetro/centimetri|mm=millimetro/millimetri|"
        "m=metro/metri|kg=chilo/chili|mg=milligrammo/milligrammi|g=grammo/grammi|t=tonnellata/tonnellate|"
        "cl=centilitro/centilitri|ml=millilitro/millilitri|L=litro/litri|l=litro/litri|ha=ettaro/ettari|"
        "min=minuto/minuti|ms=millisecondo/millisecondi|s=secondo/secondi|h=ora/ore|"
        "GB=gigabyte|MB=megabyte|kB=chilobyte|TB=terabyte|Mbit/s=megabit al secondo|Hz=hertz|dB=decibel|"
        "gg=giorno/giorni"
    ),
    feminine=frozenset(
        "ora ore sterlina tonnellata settimana persona volta notte pagina stanza camera fattura domanda".split()
    ),
    abbreviations=(
        (r"\b[Ss]ig\.ra(?!\w)", "signora"),
        (r"\b[Ss]ig\.na(?!\w)", "signorina"),
        (r"\b[Ss]igg\.", "signori"),
        (r"\b[Ss]ig\.(?=\s)", "signor"),
        (r"\b[Dd]ott\.ssa(?!\w)", "dottoressa"),
        (r"\b[Dd]ott\.(?=\s)", "dottor"),
        (r"\b[Pp]rof\.ssa(?!\w)", "professoressa"),
        (r"\b[Pp]rof\.(?=\s)", "professor"),
        (r"\b[Aa]vv\.(?=\s)", "avvocato"),
        (r"\b[Ii]ng\.(?=\s)", "ingegner"),
        (r"\b[Gg]eom\.(?=\s)", "geometra"),
        (r"\b[Aa]rch\.(?=\s)", "architetto"),
        (r"\b[Rr]ag\.(?=\s)", "ragionier"),
        (r"\b[Gg]ent\.mo", "gentilissimo"),
        (r"\b[Gg]ent\.ma", "gentilissima"),
        (r"\b[Ee]gr\.(?=\s)", "egregio"),
        (r"\b[Ss]pett\.le", "spettabile"),
        (r"\b[Vv]\.le(?=\s)", "viale"),
        (r"\b[Pp]\.zza(?=\s)", "piazza"),
        (r"\b[Cc]\.so(?=\s)", "corso"),
        (r"\b[Vv]\.(?=\s[A-Z])", "via"),
        (r"\b[Nn](?:\.|°|º|um\.)(?=\s?\d)", "numero "),
        (r"№\s?", "numero "),
        (r"\b[Tt]el\.?(?=[\s:])", "telefono"),
        (r"\b[Cc]ell\.(?=[\s:])", "cellulare"),
        (r"\b[Pp]\.?\s?es\.|\b[Aa]d es\.|\b[Ee]s\.(?=[\s:])", "per esempio"),
        (r"\becc\.?(?!\w)|\betc\.?(?!\w)", "eccetera"),
        (r"\b[Pp]ag\.(?=\s?\d)", "pagina"),
        (r"\b[Rr]if\.(?=[\s:])", "riferimento"),
        (r"\b[Ss]\.?[Pp]\.?[Aa]\.?(?!\w)", "esse pi a"),
        (r"\b[Ss]\.?[Rr]\.?[Ll]\.?(?!\w)", "esse erre elle"),
        (r"\b[Cc]\.a\.(?=\s)", "all'attenzione"),
        (r"\bc\.m\.", "corrente mese"),
        (r"\bmax\.?(?!\w)", "massimo"),
        (r"\bmin\.(?=\s\d)", "minimo"),
        (r"\bca\.(?=\s)", "circa"),
        (r"\bS\.(?=\s[A-Z])", "san"),
        (r"\be/o\b", "e o"),
        *shortened(
            pairs("gen=gennaio|feb=febbraio|febbr=febbraio|mar=marzo|apr=aprile|mag=maggio|giu=giugno|lug=luglio|"
                  "ago=agosto|set=settembre|sett=settembre|ott=ottobre|nov=novembre|dic=dicembre"),
            r"(?<=\d )", "",
        ),
        *shortened(
            pairs("lun=lunedì|mar=martedì|mer=mercoledì|gio=giovedì|ven=venerdì|sab=sabato|dom=domenica|Lun=lunedì|"
                  "Mar=martedì|Mer=mercoledì|Gio=giovedì|Ven=venerdì|Sab=sabato|Dom=domenica"),
            r"\b", r"(?=\s\d)", dot_needed=True,
        ),
    ),
    acronyms=frozenset("USB ADSL UE USA IP API IA ID".split()),
    signs={"&": "e", "+": "più", "=": "uguale a", "×": "per", "<": "minore di", ">": "maggiore di", "±": "più o meno",
           "§": "paragrafo", "#": "cancelletto", "@": "chiocciola", "‰": "per mille", "÷": "diviso"},
    halves={"1/2": "mezzo", "1/3": "un terzo", "2/3": "due terzi", "1/4": "un quarto", "3/4": "tre quarti",
            "½": "mezzo", "¼": "un quarto", "¾": "tre quarti"},
    by="per",
    spoken_ends=frozenset({"it", "eu", "io"}),
)  # fmt: skip
