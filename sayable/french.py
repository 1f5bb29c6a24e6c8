"""The words of French for what is written in signs. Pure: a table."""

from __future__ import annotations

from typing import Final

from sayable.words import LETTERS, Words, forms, named, pairs, shortened

FRENCH: Final = Words(
    months=tuple("janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()),
    month_names="janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[ûu]t|septembre|octobre|novembre|d[ée]cembre",
    letters=named(
        LETTERS,
        "a bé cé dé e effe gé hache i ji ka elle emme enne o pé cu erre esse té u vé double_vé ixe i_grec zède",
    ),
    point="virgule",
    decimal_comma=True,
    minus="moins",
    plus="plus",
    to="à",
    over="sur",
    and_="et",
    percent="pour cent",
    degrees=("degré", "degrés"),
    at="arobase",
    dot="point",
    dash="tiret",
    underscore="tiret bas",
    slash="slash",
    money={
        "€": (("euro", "euros"), ("centime", "centimes")),
        "$": (("dollar", "dollars"), ("cent", "cents")),
        "£": (("livre", "livres"), ("penny", "pence")),
        "CHF": (("franc suisse", "francs suisses"), ("centime", "centimes")),
    },
    units=forms(
        "km/h=kilomètre à l'heure/kilomètres à l'heure|kWh=kilowattheure/kilowattheures|kW=kilowatt/kilowatts|"
        "MW=mégawatt/mégawatts|W=watt/watts|V=volt/volts|A=ampère/ampères|km²=kilomètre carré/kilomètres carrés|"
        "km=kilomètre/kilomètres|m²=mètre carré/mètres carrés|m2=mètre carré/mètres carrés|"
        "m³=mètre cube/mètres cubes|m3=mètre cube/mètres cubes|cm=centimètre/centimètres|"
        "mm=millimètre/millimètres|m=mètre/mètres|kg=kilo/kilos|mg=milligramme/milligrammes|g=gramme/grammes|"
        "t=tonne/tonnes|cl=centilitre/centilitres|ml=millilitre/millilitres|L=litre/litres|l=litre/litres|"
        "ha=hectare/hectares|min=minute/minutes|ms=milliseconde/millisecondes|s=seconde/secondes|"
        "Go=gigaoctet/gigaoctets|Mo=mégaoctet/mégaoctets|Ko=kilooctet/kilooctets|ko=kilooctet/kilooctets|"
        "To=téraoctet/téraoctets|Mbit/s=mégabit par seconde/mégabits par seconde|Hz=hertz|dB=décibel/décibels|"
        "GB=gigaoctet/gigaoctets|MB=mégaoctet/mégaoctets|bar=bar/bars|j=jour/jours"
    ),
    feminine=frozenset(
        "heure heures minute minutes seconde secondes tonne tonnes livre livres semaine semaines année années personne "
        "personnes fois place places nuit nuits pièce pièces page pages milliseconde millisecondes journée journées "
        "question questions chambre chambres adresse adresses facture factures commande commandes".split()
    ),
    abbreviations=(
        (r"\bM\.(?=\s[A-ZÀ-Ý])", "monsieur"),
        (r"\bMM\.(?=\s[A-ZÀ-Ý])", "messieurs"),
        (r"\bMme\.?(?!\w)", "madame"),
        (r"\bMmes\.?(?!\w)", "mesdames"),
        (r"\bMlle\.?(?!\w)", "mademoiselle"),
        (r"\bMe\.?(?=\s[A-ZÀ-Ý])", "maître"),
        (r"\bDr\.?(?=\s[A-ZÀ-Ý])", "docteur"),
        (r"\bPr\.?(?=\s[A-ZÀ-Ý])", "professeur"),
        (r"\bSt[.-](?=\s?[A-ZÀ-Ý])", "saint "),
        (r"\bSte[.-](?=\s?[A-ZÀ-Ý])", "sainte "),
        (r"\b[Rr][Dd][Vv]\b", "rendez-vous"),
        (r"\b[Nn][°ºo](?=\s?\d)", "numéro "),
        (r"№\s?", "numéro "),
        (r"\b[Tt][ée]l\.?(?=[\s:])", "téléphone"),
        (r"\b[Aa]v\.(?=\s)", "avenue"),
        (r"\b[Bb](?:d|ld|vd)\.?(?=\s)", "boulevard"),
        (r"\b[Bb]ât\.?(?=\s)", "bâtiment"),
        (r"\b[Aa]pp?t\.?(?=\s)", "appartement"),
        (r"\b[Rr]és\.(?=\s)", "résidence"),
        (r"\b[Rr]éf\.?(?=[\s:])", "référence"),
        (r"\b[Cc]\.?-?à-?d\.?(?!\w)", "c'est-à-dire"),
        (r"\b[Pp]\.\s?ex\.", "par exemple"),
        (r"\b[Ee]x\.\s?:?(?=\s)", "exemple :"),
        (r"\betc\.?(?!\w)", "et cætera"),
        (r"\b[Ss]vp\b|\bSVP\b|\bs\.v\.p\.", "s'il vous plaît"),
        (r"\b[Ee]nv\.(?=\s)", "environ"),
        (r"\b[Mm]ax\.", "maximum"),
        (r"\b[Mm]in\.(?=\s\d)", "minimum"),
        (r"\bcf\.?(?=\s)", "voir"),
        (r"\bp\.(?=\s?\d)", "page"),
        (r"\bSté(?!\w)", "société"),
        (r"\bNB\s?:", "à noter :"),
        (r"\bPS\s?:", "post-scriptum :"),
        *shortened(
            pairs("janv=janvier|févr=février|fév=février|fevr=février|avr=avril|juil=juillet|sept=septembre|oct=octobre|"
                  "nov=novembre|déc=décembre|dec=décembre"),
            r"(?:(?<=\d )|(?<=[Ll]e )|(?<=[Ee]n )|(?<=1er ))", "",
        ),
        *shortened(
            pairs("lun=lundi|mar=mardi|mer=mercredi|jeu=jeudi|ven=vendredi|sam=samedi|dim=dimanche|Lun=lundi|Mar=mardi|"
                  "Mer=mercredi|Jeu=jeudi|Ven=vendredi|Sam=samedi|Dim=dimanche"),
            r"\b", r"(?=\s\d)", dot_needed=True,
        ),
        (r"\bet/ou\b", "et ou"),
    ),
    acronyms=frozenset("EDF TVA USB ADSL SAV UE USA IP HT API SEO IA ID RIO ETA".split()),
    signs={"&": "et", "+": "plus", "=": "égale", "×": "fois", "<": "inférieur à", ">": "supérieur à",
           "±": "plus ou moins", "§": "paragraphe", "#": "dièse", "@": "arobase", "‰": "pour mille", "÷": "divisé par"},
    halves={"1/2": "un demi", "1/3": "un tiers", "2/3": "deux tiers", "1/4": "un quart", "3/4": "trois quarts",
            "½": "un demi", "¼": "un quart", "¾": "trois quarts"},
    by="sur",
    spoken_ends=frozenset(),
)  # fmt: skip
