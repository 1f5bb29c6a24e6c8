"""What clients call a language becomes its Whisper code: `fr-FR`, `FR`, `French`, `français` and `fra` are `fr`. Pure.

Nothing and `auto` mean that the model shall tell (`AUTO`). What is no language comes back as it was sent, in small
letters, for the engine to refuse by name.
"""

from __future__ import annotations

import re
from typing import Final

from whisper_service.phrases import normalise

AUTO: Final = "auto"
UNDETERMINED: Final = "und"
"""ISO 639-2 for a language that nobody told: the model was not asked."""
MAX_CHARS: Final = 40

_NAMES: Final = """
af afr afrikaans|am amh amharic|ar ara arabic arabe arabo|as asm assamese|az aze azerbaijani|ba bak bashkir
be bel belarusian|bg bul bulgarian|bn ben bengali|bo bod tib tibetan|br bre breton|bs bos bosnian
ca cat catalan valencian catala|cs ces cze czech cestina|cy cym wel welsh|da dan danish dansk
de deu ger german deutsch|el ell gre greek|en eng english anglais inglese|es spa spanish castilian espanol
et est estonian|eu eus baq basque euskara|fa fas per persian farsi|fi fin finnish suomi|fo fao faroese
fr fra fre french francais francese|gl glg galician galego|gu guj gujarati|ha hau hausa|haw hawaiian
he heb hebrew|hi hin hindi|hr hrv croatian hrvatski|ht hat haitian|hu hun hungarian magyar|hy hye arm armenian
id ind indonesian|is isl ice icelandic|it ita italian italiano italien|ja jpn japanese|jw jv jav javanese
ka kat geo georgian|kk kaz kazakh|km khm khmer|kn kan kannada|ko kor korean|la lat latin
lb ltz luxembourgish letzeburgesch|ln lin lingala|lo lao|lt lit lithuanian|lv lav latvian|mg mlg malagasy
mi mri mao maori|mk mkd mac macedonian|ml mal malayalam|mn mon mongolian|mr mar marathi|ms msa may malay
mt mlt maltese|my mya bur burmese|ne nep nepali|nl nld dut dutch flemish nederlands|nn nno nynorsk
no nb nob nor norwegian bokmal norsk|oc oci occitan|pa pan punjabi panjabi|pl pol polish polski
ps pus pashto pushto|pt por portuguese portugues|ro ron rum romanian moldavian|ru rus russian|sa san sanskrit
sd snd sindhi|si sin sinhala sinhalese|sk slk slo slovak|sl slv slovenian|sn sna shona|so som somali
sq sqi alb albanian|sr srp serbian|su sun sundanese|sv swe swedish svenska|sw swa swahili|ta tam tamil
te tel telugu|tg tgk tajik|th tha thai|tk tuk turkmen|tl tgl fil tagalog filipino|tr tur turkish turkce
tt tat tatar|uk ukr ukrainian|ur urd urdu|uz uzb uzbek|vi vie vietnamese|yi yid yiddish|yo yor yoruba
yue cantonese|zh zho chi chinese mandarin cmn
"""
"""Between lines or bars: Whisper's code, those of ISO 639-2 and 639-3, the English name, names in other languages."""
_CODES: Final = {
    name: names.split()[0]
    for line in _NAMES.split("\n")
    for names in line.split("|")
    if names
    for name in names.split()
}


def language_code(wanted: str | None) -> str:
    """Whisper's code of a language tag (BCP 47) or name; AUTO for None, nothing, `auto` and `und`."""
    name = (wanted or "").strip().lower()
    if name in ("", AUTO, UNDETERMINED, "detect", "none", "null"):
        return AUTO
    if not re.fullmatch(r"[\w .-]+", name):
        return name
    words = (normalise(re.split(r"[-_]", name)[0]), *normalise(name).split())  # "zh-Hans-CN", "simplified chinese"
    return next((_CODES[word] for word in words if word in _CODES), name)
