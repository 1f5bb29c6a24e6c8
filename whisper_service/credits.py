"""Tells what a speech model says to silence, in any language: credits of subtitles, thanks for watching, calls to
subscribe, broadcasters with a year. Pure: patterns on normalised text (`whisper_service.phrases.normalise`).

The models learnt from subtitles of videos, and lists of their sentences miss the next language. So these are shapes,
made of small vocabularies, and asked of the whole text: it begins with a word for subtitles and a name follows; thanks
for an act of watching; an imperative of subscribing; a broadcaster with a year. Callers speak of subtitles and years
too, but in sentences of another shape, which the tests hold.
"""

from __future__ import annotations

import re
from typing import Final


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


_SUBTITLES: Final = _any(
    r"""sous\stitr\w* soustitr\w* subtitl\w* sub\stitles? closed\scaption\w* captions? captioning sottotitol\w*
    subtitul\w* subtitol\w* legendas? legendad\w* legendagem untertitel\w* undertekst\w* undertext\w* teksting
    tekstet textning ondertitel\w* napisy titulk[uy] titlovi titlovani titrage podnapisi altyazi\w*
    subtitrar\w* felirat\w* tekstitys subtiitrid phu\sde (?:danske|norske)\stekster svensktextning"""
)
_TRANSLATED: Final = _any(
    r"""traduction traduit traduzione tradotto traduccion traducido traducao traduzido translat(?:ion|ed)
    ubersetz(?:ung|t) vertaling vertaald transcri(?:ption|bed|pcion|cao|zione|tto|to) realisation realise
    realizzazione przeklad tlumaczenie preklad"""
)
_BY: Final = _any(
    r"""by par pas para por pela pelo von vom van av af a\scura door przez od podle de del di da dei do des du im from
    fran tarafindan provided created made done realis\w* realiz\w* crea\w* cread\w* criad\w* feit\w* ingediend
    verzorgd stworzon\w* vytvoril\w* et e\srevisione and und y"""
)
_SAYS_SO: Final = _any(r"by par a\scura por von vom door av af przez tarafindan")
_SENTENCE: Final = (
    r"(?!.*\b(?:ne|pas|non|not|no|nicht|kein\w*|funziona\w*|marche\w*|work\w*|help|est|sont|sono|is|are|sind|son)\b)"
)
"""No credit: somebody says something about subtitles."""
_THANKS: Final = _any(
    r"""thanks? thank\syou merci grazie gracias obrigad[oa] dank danke dankjewel bedankt tack takk tak kiitos
    dziekuj\w* dzieki dekuj\w* dakuj\w* multumesc multumim hvala koszonj?\w* gracies"""
)
_FOR: Final = _any(
    r"""for pour d de per di por pela pelo fur furs voor att at za ze pentru na sto ca dass daf fordi kun icin per\sl
    per\sla a"""
)
_WATCH: Final = _any(
    r"""watching viewing listening attention visionnage visionne visionner regarde regarder suivi ecoute ecouter
    visione attenzione ascolto ascoltato guardato seguito visto ver verlo mirar mirado atencion assistir
    atencao audiencia visualizacao zuschauen zusehen zuhoren aufmerksamkeit ansehen zugeschaut kijken
    luisteren aandacht tittade tittat tittar lyssnade sa\spa sett\spa fulgte fulgt saa\smed sa\smed lyttede
    oppmerksomhet\w* opmaerksomhed\w* katsoitte katsomisesta uwage ogladanie obejrzenie pozornost sledovani
    sledovanie pozretie vizionare vizionat atentie gledanju gledanje paznju figyelm\w* nezest veure atencio"""
)
_FILM: Final = _any(
    r"""videos? video[sn]? chaine channel canale? kanal\w* kanaal episodes? episodio episodi folge aflevering avsnitt?
    afsnit odcin\w* vlog tuto tutorial stream emission puntata filmik\w* filmpje serie"""
)
_MINE: Final = r"(?!.*\b(?:m|me|mi|avermi|mich|mir|mij|mig|moi|hearing)\b)"
"""Callers thank for having been listened to themselves."""
_SUBSCRIBE: Final = _any(
    r"""abonne\stoi abonnez(?:\svous)? abonniert abonnieren\ssie abonneer(?:\sje)? subscribe iscriviti iscrivetevi
    suscribete suscribanse suscribios inscreva(?:m)?\sse se\sinscreva(?:m)? subscreva(?:m)? prenumerera
    tilaa(?:\skanava)? (?:za)?subskrybuj\w* abone\sol\w* abonati\sva pretplatite\sse odebirejte subscriu\ste"""
)
_WANTS: Final = (
    r"(?!.*\b(?:i|we|m|me|mi|how|comment|come|want|would|will|veux|voudrais|peux|puis|dois|souhaite|vorrei|voglio|posso|quiero"
    r"|puedo|mochte)\b)"
)
"""Callers do want to subscribe to things."""
_FORGET: Final = _any(
    r"""don\st\sforget oublie\spas oubliez\spas non\sdimentica non\sdimenticate no\solvides no\solviden
    nao\sesqueca[sm]? vergiss\snicht vergesst\snicht vergeet\sniet glem\sikke glom\sinte nie\szapomnij\w*"""
)
_TO_SUBSCRIBE: Final = r"(?:abonn|subscri|iscriv|suscri|inscrev|subskry|prenumer)\w*"
_AND: Final = "(?:and|et|e|y|und|en|og|och|i|a)"
_AND_ON: Final = rf"(?: {_AND} .*| .*\b{_TO_SUBSCRIBE}.*| a bientot.*)?"
_ACT: Final = _any(
    r"""like likez mets mettez metti mettete lascia lasciate laisse laissez leave hit smash press click turn\son drop
    dale deja dejen deixa deixe deixem curta curte active activez activa ativa ative attiva attivate druckt?
    lasst druk klik klikk klicka clique cliquez clicca zostaw zostawcie gefallt"""
)
_BELL: Final = _any(
    r"""cloche bell campan\w+ sininho glocke pouce daumen duim likes? commentaire commento comentario lapke lajka"""
)
_SHARE: Final = _any(r"""like likez partage partagez share condividi comparte compartilhe comparta teile teilt deel""")
_NEXT: Final = _any(
    r"""next new prochaine? nouvelle? prossim[ao] nuov[ao] proxim[ao] nuev[ao] nov[ao] nachsten neuen volgende nieuwe
    nasta neste naeste kolejnym nastepnym"""
)
_FAREWELL: Final = _any(
    r"""on\sse\sretrouve rendez\svous a\sbientot a\stres\sbientot a\stout\sde\ssuite see\syou see\sya catch\syou
    ci\svediamo nos\svemos hasta ate bis wir\ssehen\suns tot vi\sses vi\ssees do\szobaczenia"""
)
_BROADCASTER: Final = _any(
    r"""zdf ard swr wdr ndr mdr rbb orf srf rtbf vrt npo avrotros bnn\svara bbc itv tf1 france\s\d mediaset rtve nrk
    svt yle tvp tvn cbc cctv nhk cnn cbs pbs funk btmedia omroep\w* scandinavian\stext broadcast\stext
    dansk\svideotekst ai\smedia red\sbee qtss copyright"""
)
_SHORT_NAME: Final = _any(r"tv radio br hr rts rtl nos kro eo arte rai tve rtp dr mtv ntv trt abc nbc canal")
_YEAR: Final = r"(?:19|20)\d\d"

CREDITS: Final = tuple(
    re.compile(shape)
    for shape in (
        rf"{_SUBTITLES}(?: (?:\d+|fr|en|eng|tv|st|de|it|vf|hd|sdh))*",
        rf"{_SENTENCE}{_SUBTITLES}(?: \S+){{0,2}} {_BY}(?: .*)?",  # "Untertitel im Auftrag des ZDF, 2017"
        rf"{_SENTENCE}{_SUBTITLES}(?: \S+){{1,4}}",  # "Legenda Adriana Zanotto"
        rf"{_SUBTITLES} .* {_YEAR}",
        r"(?:\S+ ){1,3}(?:ondertiteling|untertitelung|captioning|legendagem|tekstitys)",
        rf"(?:\S+ )?{_SUBTITLES} (?:\S+ ){{1,4}}{_SAYS_SO} .*",
        rf"{_TRANSLATED} (?:and|et|e|y|und|og|och|en) {_SUBTITLES}",
        rf"{_SENTENCE}{_TRANSLATED}(?: \S+){{0,3}} {_SAYS_SO} .*",
        r".*\bamara (?:org|community|gemeinschaft|gemenskap\w*).*",
        r".*\b(?:comm?un\w+|gemeinschaft|gemeenschap|gemenskap\w*|spolecznos\w*) (?:\w{1,3} )?amara\b.*",
        rf"{_MINE}(?:\S+ ){{0,6}}{_THANKS}(?: \S+){{0,3}} {_FOR}(?: \S+){{0,3}} {_WATCH}"
        rf"(?:(?: \S+){{0,2}} {_FILM})?{_AND_ON}",
        r"(?:kiitos katso|koszonj?u?k?(?:om)? (?:hogy )?(?:meg)?nez)\w*(?: .*)?",
        r"(?:tesekkur\w* )?(?:izled|dinled)\w* icin(?: .*)?",
        rf"{_WANTS}(?:.* )?{_SUBSCRIBE} (?:\S+ ){{0,5}}{_FILM}(?: .*)?",
        rf"{_WANTS}(?:(?:please|bitte|por favor|per favore|{_SHARE}|\S+ (?:and|et|e|und|y)) )?{_SUBSCRIBE}(?: \S+)?",
        rf"{_ACT} (?:\S+ ){{0,4}}{_BELL}(?: .*)?",
        rf"{_SHARE} (?:\S+ ){{0,2}}{_FILM}(?: .*)?",
        rf"{_SHARE} {_AND} (?:{_SHARE}|{_SUBSCRIBE})",
        r"(?:\S+ )?(?:oublie|oubliez|pense|pensez) (?:\S+ ){1,2}(?:t|vous) abonner(?: .*)?",
        rf"{_FORGET} (?:\S+ ){{0,4}}{_TO_SUBSCRIBE}(?: .*)?",
        rf"{_SUBSCRIBE} {_AND} .*",
        rf"{_FAREWELL} (?:\S+ ){{0,5}}{_NEXT} {_FILM}(?: .*)?",  # "on se retrouve dans une prochaine vidéo"
        rf"(?:c )?{_BROADCASTER}(?: \S+){{0,6}} {_YEAR}",  # "ARD Text im Auftrag von Funk 2018"
        rf"(?:c )?{_SHORT_NAME}(?: \S+)? {_YEAR}",  # "TV Gelderland 2021"
        rf"{_MINE}(?!.*\b(?:la|ma|une|cette|my|the|our|en|de|du|depuis)\b)(?:\S+ ){{1,3}}tv {_YEAR}",
        r"copyright(?: .*)?",
    )
)
"""A text that is one of these is refused whatever language was asked for and however sure the model is."""


def is_credit(normalised: str) -> bool:
    """Whether the whole normalised text has the shape of a credit."""
    return any(shape.fullmatch(normalised) for shape in CREDITS)
