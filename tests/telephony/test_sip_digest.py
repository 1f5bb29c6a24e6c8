"""Challenges and their answers; the expected digests are those of RFC 7616 section 3.9.1 and RFC 2617 section 3.5."""

import pytest

from callers.sip_digest import UnknownChallenge, credentials
from callers.sip_message import SipMessage

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def refusal(status: int, header: str, *challenges: str) -> SipMessage:
    return SipMessage(
        f"SIP/2.0 {status} Unauthorized", (("CSeq", "1 GET"), *((header, challenge) for challenge in challenges))
    )


def challenge(algorithm: str) -> str:
    return (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{NONCE}",'
        f' opaque="{OPAQUE}"'
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(algorithm: str, response: str) -> None:
    asked = refusal(401, "WWW-Authenticate", challenge(algorithm))
    name, value = credentials(asked, "Mufasa", "Circle of Life", "/dir/index.html", CNONCE)
    assert name == "Authorization"
    assert f'response="{response}"' in value
    assert f'opaque="{OPAQUE}"' in value
    assert f"algorithm={algorithm}" in value


def test_the_first_challenge_that_we_know_is_answered() -> None:
    asked = refusal(407, "Proxy-Authenticate", 'Basic realm="x"', challenge("SHA-512-256"), challenge("MD5"))
    name, value = credentials(asked, "Mufasa", "Circle of Life", "/dir/index.html", CNONCE)
    assert name == "Proxy-Authorization"
    assert "8ca523f5e9506fed4657c9700eebdbec" in value


def test_an_old_challenge_without_qop() -> None:
    asked = refusal(
        401, "WWW-Authenticate", 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    )
    _, value = credentials(asked, "Mufasa", "Circle Of Life", "/dir/index.html", "unused")
    # MD5(MD5(user:realm:password):nonce:MD5(method:uri)), as RFC 2617 has it for clients of RFC 2069
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in value
    assert "cnonce" not in value


def test_a_challenge_that_nobody_knows_is_shown() -> None:
    with pytest.raises(UnknownChallenge, match="Basic"):
        credentials(refusal(401, "WWW-Authenticate", 'Basic realm="x"'), "a", "b", "sip:c", "d")
