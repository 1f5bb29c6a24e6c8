"""Session descriptions: ours, and those of other telephones."""

import pytest

from callers.sdp import AudioTarget, MalformedSdp, audio_target, describe

ANSWER = b"""v=0
o=- 1 3 IN IP4 10.0.0.1
s=Asterisk
c=IN IP4 10.0.0.1
t=0 0
m=audio 12000 RTP/AVP 0 96
a=rtpmap:0 PCMU/8000
a=rtpmap:96 telephone-event/8000
"""


def test_our_own_description_is_understood() -> None:
    assert audio_target(describe("127.0.0.1", 4000)) == AudioTarget("127.0.0.1", 4000, (0, 101), 101)


def test_an_answer_names_host_port_and_key_type() -> None:
    assert audio_target(ANSWER) == AudioTarget("10.0.0.1", 12000, (0, 96), 96)


def test_the_address_of_the_stream_counts_before_that_of_the_session() -> None:
    assert audio_target(ANSWER + b"c=IN IP4 10.0.0.2\n").host == "10.0.0.2"


def test_video_is_passed_over() -> None:
    video = b"m=video 9000 RTP/AVP 31\nc=IN IP4 10.0.0.9\n"
    assert audio_target(ANSWER.replace(b"m=audio", video + b"m=audio")) == audio_target(ANSWER)
    assert audio_target(ANSWER + video) == audio_target(ANSWER)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (b"", "no audio stream"),
        (ANSWER.replace(b"12000", b"0"), "no audio stream"),
        (ANSWER.replace(b"c=IN IP4 10.0.0.1\n", b""), "no audio stream"),
        (ANSWER.replace(b"AVP 0 96", b"AVP 8 96"), "no PCMU"),
        (ANSWER.replace(b"12000 RTP/AVP 0 96", b"port"), "not a media line"),
    ],
)
def test_a_description_we_cannot_use_says_why(description: bytes, reason: str) -> None:
    with pytest.raises(MalformedSdp, match=reason):
        audio_target(description)
