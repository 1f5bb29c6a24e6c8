"""The forms of the names that pass between rooms: settings, flows, messages and requests all ask here. Pure.

What one reader takes and the next one refuses fails in the middle of a call; so each form stands here once, and a name
that has it can be part of a path, a key and a request (tests/test_forms.py puts every legal one into them).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NewType

Language = NewType("Language", str)
"""`fr`, or with a region `fr-FR`: a folder of prompts and what the recogniser is told."""

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_PROMPT: Final = re.compile(r"[a-z0-9_]{1,80}")
_EXTENSION: Final = re.compile(r"[A-Za-z0-9+*#_-]{1,40}")
_CONTEXT: Final = re.compile(r"[A-Za-z0-9_-]{1,79}")
_CELL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,62}")
_FLOW: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?/[^/\x00-\x1f\x7f]{1,80}")


def language(text: str) -> Language:
    """The language of that name. Raises ValueError for what is none."""
    if not _LANGUAGE.fullmatch(text):
        raise ValueError("is no language code such as fr or fr-FR")
    return Language(text)


def is_language(text: str) -> bool:
    """Whether `language` takes it."""
    return bool(_LANGUAGE.fullmatch(text))


def is_prompt(text: str) -> bool:
    """Whether a prompt may be called so: small letters, digits and _, at most 80."""
    return bool(_PROMPT.fullmatch(text))


def is_extension(text: str) -> bool:
    """Whether a dialplan extension may be called so: letters, digits and + * # _ -, at most 40."""
    return bool(_EXTENSION.fullmatch(text))


def is_context(text: str) -> bool:
    """Whether a dialplan context, or a Stasis application, may be called so: letters, digits, dash and underscore, as
    many as Asterisk keeps (AST_MAX_CONTEXT)."""
    return bool(_CONTEXT.fullmatch(text))


def is_cell(text: str) -> bool:
    """Whether a cell may be called so. It begins the ids of its calls (protocol.call_id) and stands in every Redis key,
    where * ? [ ] would be patterns: letters, digits, dash, underscore and single dots, at most 63."""
    return bool(_CELL.fullmatch(text))


def is_flow(text: str) -> bool:
    """Whether a flow may be called so: `<language>/<name>`."""
    return bool(_FLOW.fullmatch(text))


def is_ipv4(text: str) -> bool:
    """Whether this is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def at_port(host: str, port: int) -> str:
    """`host:port` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"
