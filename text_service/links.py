"""Links by which a caller goes on in writing: a secret that opens one conversation, once, in one browser. Pure.

A flow has one made (`POST /api/text/links`) and sends it to the caller. The secret stands behind the `#` of the
address: browsers send that to nobody, so no log, no proxy and no preview of a messenger has it. Kept is its hash alone.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final

from msgspec import Meta, Struct

SECRET_BYTES: Final = 24
LINK_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}")
ANCHOR: Final = "go"


class LinkBody(Struct, forbid_unknown_fields=True):
    """The body of `POST /api/text/links`: the number that the conversation is to be with, and the flow that it runs."""

    number: Annotated[str, Meta(pattern=r"^\+?[0-9]{3,20}$")]
    flow: Annotated[str, Meta(max_length=80)] = ""


class TextLink(Struct, frozen=True):
    """What a link leads to."""

    number: str
    flow: str


def link_name(secret: str) -> str:
    """Under which a link is kept; empty for what is no secret of one."""
    return hashlib.sha256(secret.encode()).hexdigest() if LINK_SECRET.fullmatch(secret) else ""


def link_address(page_url: str, secret: str, flow: str) -> str:
    """What the caller opens."""
    language = flow.partition("/")[0]
    return f"{page_url.rstrip('/')}/chat/page.html?language={language}#{ANCHOR}={secret}"
