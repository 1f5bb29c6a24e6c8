"""A challenge and a password to the credentials that answer it (RFC 7616, RFC 3261 section 22). Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from callers.sip_message import SipMessage

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}


class UnknownChallenge(ValueError):
    """No challenge that we can answer; the text shows them."""


def credentials(refusal: SipMessage, user: str, password: str, uri: str, nonce_of_ours: str) -> tuple[str, str]:
    """The header, as name and value, to repeat a request with after a 401 or 407. The challenges are tried in the order
    given. Raises UnknownChallenge."""
    asked, answered = (
        ("proxy-authenticate", "Proxy-Authorization")
        if refusal.status == 407
        else ("www-authenticate", "Authorization")
    )
    challenges = refusal.all(asked)
    for challenge in challenges:
        values = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(challenge)}
        algorithm = values.get("algorithm", "MD5").upper()
        qops = [qop.strip() for qop in values.get("qop", "").split(",") if qop.strip()]
        if challenge[:7].lower() == "digest " and algorithm in _HASHES and (not qops or "auth" in qops):
            return answered, _answer(values, algorithm, qops, (user, password, refusal.method, uri, nonce_of_ours))
    raise UnknownChallenge(f"no challenge that we can answer: {challenges}")


def _answer(values: dict[str, str], algorithm: str, qops: Sequence[str], ours: tuple[str, str, str, str, str]) -> str:
    user, password, method, uri, nonce_of_ours = ours
    realm, nonce = values.get("realm", ""), values.get("nonce", "")

    def digest(*parts: str) -> str:
        return _HASHES[algorithm](":".join(parts).encode())

    secret, request = digest(user, realm, password), digest(method, uri)
    fields = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', f"algorithm={algorithm}"]
    if qops:
        count = "00000001"
        response = digest(secret, nonce, count, nonce_of_ours, "auth", request)
        fields += ["qop=auth", f"nc={count}", f'cnonce="{nonce_of_ours}"']
    else:
        response = digest(secret, nonce, request)
    fields.append(f'response="{response}"')
    if "opaque" in values:
        fields.append(f'opaque="{values["opaque"]}"')
    return "Digest " + ", ".join(fields)
