"""Words become the answer whether they are a number that is said. Pure: values in, values out.

Equal numbers in a row are dictated ("vingt-deux" four times is the end of a telephone number), equal other words are a
decoder's loop. Numbers are not read here, only told from other words, in the languages of callers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from whisper_service.phrases import normalise

_APART: Final = frozenset(
    # French, with the words of Belgium and Switzerland
    """zero un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts
    trente quarante cinquante soixante septante huitante octante nonante cent cents mille million millions oh o
    nought nil one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety hundred thousand cero
    dos tres cuatro cinco siete ocho nueve diez once doce trece catorce quince veinte treinta cuarenta cincuenta
    sesenta setenta ochenta noventa ciento mil um uma dois duas quatro sete oito nove dez onze doze treze quatorze
    quinze dezesseis dezasseis dezessete dezassete dezoito dezenove dezanove vinte trinta quarenta cinquenta
    sessenta oitenta cem cento meia""".split()
)
"""Numbers whose parts stand apart or are joined by hyphens."""
_GLUED: Final = re.compile(
    # Italian, Spanish, German, Dutch: ventidue, duecentomila, veintidos, zweiundzwanzig, tweeentwintig
    "(?:(?:zero|uno|una|un|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici|tredici|quattordici|quindici|sedici"
    "|diciassette|diciotto|diciannove|venti?|trenta?|quaranta?|cinquanta?|sessanta?|settanta?|ottanta?|novanta?|cento?|mille"
    "|mila)+"
    "|(?:dieci|veinti|treinta|cuarenta|cincuenta)(?:y)?(?:uno?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)"
    "|(?:dos|tres|cuatro|quin|seis|sete|nove|ocho)(?:cient[oa]s|ient[oa]s)"
    "|(?:null|eins?|eine|zwei|zwo|drei|vier|funf|sechs?|sieb(?:en)?|acht|neun|zehn|elf|zwolf|zwanzig|dreissig|vierzig|funfzig"
    "|sechzig|siebzig|achtzig|neunzig|hundert|tausend|und)+"
    "|(?:nul|een|twee|drie|vier|vijf|zes|zeven|acht|negen|tien|elf|twaalf|dertien|veertien|twintig|dertig|veertig|vijftig"
    "|zestig|zeventig|tachtig|negentig|honderd|duizend|en)+)"
)
_JOINING: Final = frozenset(
    "et e and y und en virgule virgola point punto comma tiret double triple doppio fois plus piu".split()
)
"""Said between numbers, and no number alone."""
_OTHERS: Final = frozenset("un une uno una um uma one o oh ein eine een sei meia once elf".split())
"""Numbers that are other words as well ("un", Italian "sei", English "oh")."""


def is_number(word: str) -> bool:
    """Whether a normalised word, or several that a hyphen joined ("vingt deux"), is a number."""
    parts = [part for part in word.split() if part not in _JOINING]
    return bool(parts) and all(part.isdigit() or part in _APART or bool(_GLUED.fullmatch(part)) for part in parts)


def are_numbers(words: Sequence[str]) -> bool:
    """Whether normalised words say mostly numbers: half of them do, "un" and its like aside, or all of them."""
    numbers = [word for word in words if is_number(word)]
    sure = [word for word in numbers if word not in _OTHERS]
    if 2 * len(sure) >= len(words):
        return bool(sure)
    return bool(numbers) and all(word in _JOINING or word in numbers for word in words)


def says_only_numbers(text: str) -> bool:
    """Whether a whole text is numbers and what joins them."""
    return are_numbers(words := normalise(text).split()) and all(word in _JOINING or is_number(word) for word in words)
