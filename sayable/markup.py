"""Takes out what nobody can say: Markdown, HTML, targets of links, emoji, emoticons. Pure: text in, text out."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_FENCE = re.compile(r"^[ \t]*(```|~~~).*?$", re.MULTILINE)
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)|\[([^\]]+)\]\[[^\]]*\]")
_FOOTNOTE = re.compile(r"\[\^?\d+\]")
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]{0,200}>", re.DOTALL)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]+(.*?)[ \t]*#*$", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*([-*_=][ \t]?){3,}$|^[ \t]*\|?[ \t:|-]*-{3,}[ \t:|-]*$", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*+•·‣◦▪–—][ \t]+(\[[ xX]\][ \t]+)?", re.MULTILINE)
_ROW = re.compile(r"^[ \t]*\|(.*)\|[ \t]*$", re.MULTILINE)
_STRONG = re.compile(r"(\*{1,3}|_{2,3}|~~|`{1,3})(?=\S)(.+?)(?<=\S)\1", re.DOTALL)
_UNDERLINED = re.compile(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])")
_EMOTICON = re.compile(
    r"(?<!\w)(?:[:;][-o']?[)(DPpO3/|\\*]+|=[-o']?[)(DPpO/|\\*]+|8-[)(DPpO3]+|[xX](?:-[)(DPp]+|D+)|<3|\^\^|:'\()(?!\w)"
)
"""Eyes that are a digit or a letter need a nose: 83 is a number, "8p" eightpence, "8)" the end of a list."""
_SHORTCODE = re.compile(r"(?<!\w):[a-z][a-z0-9_+-]{1,30}:(?!\w)")
_KEPT_SYMBOLS: Final = frozenset("°€$£¥%‰+=<>&@#§©®™²³½¼¾×÷±~^|℃№ªº")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")


def plain(text: str) -> str:
    """The words of a text, with sentences where lines of a list or a heading ended."""
    text = unicodedata.normalize("NFC", text)
    text = _FENCE.sub("", text)
    text = _IMAGE.sub(r"\1", text)
    text = _LINK.sub(lambda match: match[1] or match[2], text)
    text = _FOOTNOTE.sub("", text)
    text = html.unescape(_TAG.sub(" ", text)) if "<" in text or "&" in text else text
    text = _RULE.sub("", text)
    text = _HEADING.sub(lambda match: _closed(match[1]), text)
    text = _QUOTE.sub("", text)
    text = _ROW.sub(lambda match: _closed(", ".join(filter(None, map(str.strip, match[1].split("|"))))), text)
    text = "\n".join(_closed(_BULLET.sub("", line)) if _BULLET.match(line) else line for line in text.split("\n"))
    for _ in range(2):
        text = _STRONG.sub(r"\2", text)
    text = _UNDERLINED.sub(r"\1", text)
    text = _SHORTCODE.sub(" ", _EMOTICON.sub(" ", text))
    text = "".join(_kept(sign) for sign in text)
    text = text.replace("*", " ").replace("`", " ")
    text = re.sub(r"\s*\n\s*", lambda _: "\n", text)
    text = "\n".join(_closed(line) for line in text.split("\n")[:-1]) + "\n" + text.split("\n")[-1]
    text = text.replace("\n", " ")
    text = _SPACES.sub(" ", text)
    return re.sub(r"\s+([,.;])", r"\1", text).strip()


def _closed(line: str) -> str:
    """A line that is said as a sentence of its own."""
    line = line.rstrip()
    return line + "." if line and line[-1].isalnum() else line


def _kept(sign: str) -> str:
    if sign in "\n\t" or sign in _KEPT_SYMBOLS:
        return sign
    category = unicodedata.category(sign)
    if category == "Zs":
        return " "
    if category in ("Cf", "Mn", "Me") or "\U0001f3fb" <= sign <= "\U0001f3ff":  # joiners, selectors, skin tones
        return ""
    return " " if category in ("So", "Sk", "Cc", "Co", "Cs", "Cn", "Sm") else sign
