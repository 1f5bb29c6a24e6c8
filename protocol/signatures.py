"""Signs what is sent to other systems, and checks what they send: that it is theirs, whole and new. HMAC-SHA256 with a
time. Pure.

    Pronto-Signature: t=1790000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd

The signature is that of `<t>.<body>`; who checks it refuses a `t` that is far from their own clock, so that what was
recorded on the way cannot be sent again later.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HEADER: Final = "Pronto-Signature"
LEAST_SECRET: Final = 16
"""Characters of a secret that cannot be guessed."""


def signature(secret: str, at: int, body: bytes) -> str:
    """The value of the header for a body that is sent at `at` (seconds since the epoch)."""
    return f"t={at},v1={_mac(secret, at, body)}"


def is_ours(secret: str, header: str, body: bytes, now: float, tolerance_s: float = 300.0) -> bool:
    """What a receiver does: whether the header signs this body, at about this time."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    if not parts.get("t", "").isdecimal() or not parts["t"].isascii() or len(parts["t"]) > 12:
        return False
    at = int(parts["t"])
    is_new = abs(now - at) <= tolerance_s
    return hmac.compare_digest(parts.get("v1", "").encode(), _mac(secret, at, body).encode()) and is_new


def _mac(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
