"""What is said in a browser call, frame by frame: values in, values out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser_audio.playing import DEAF_TICKS, LEAD_FRAMES, SETTLE_TICKS, CallVoice, NothingToSay
from browser_audio.sound import (
    FRAME_BYTES,
    FRAME_MS,
    BadFrame,
    frame_of,
    mixed,
    numbered,
    rtp_packet,
    twice_as_fast,
)
from protocol.items import ItemHeard, prompts
from protocol.messages import Event, PlaybackFinished, PlaybackStarted
from rtp_receiver.rtp import RtpPacket
from rtp_receiver.slin16 import PAYLOAD_TYPE, samples_of


class Line:
    """A speaker whose sound is made at once, and a page that plays a frame a tick, `late` ticks behind."""

    def __init__(self, late: int = 2, frames_an_item: int = 10) -> None:
        self.speaker = CallVoice("c1")
        self.late, self.frames_an_item = late, frames_an_item
        self.events: list[Event] = []
        self.page: list[bytes] = []
        self.ticks = self.played = 0

    def make(self) -> None:
        for order in self.speaker.to_make():
            order.sound += bytes(FRAME_BYTES * self.frames_an_item)
            order.whole = True

    def tick(self, count: int = 1, acknowledges: bool = True) -> None:
        for _ in range(count):
            self.make()
            frames, events = self.speaker.tick(self.ticks * 0.02)
            self.page += frames
            self.events += events
            self.ticks += 1
            if self.played < len(self.page) - (self.late if self.speaker.queue and frames else 0):
                self.played += 1
            if acknowledges:
                self.events += self.speaker.has_played(self.played, self.ticks * 0.02)

    @property
    def finished(self) -> list[PlaybackFinished]:
        return [event for event in self.events if isinstance(event, PlaybackFinished)]


def test_what_is_said_is_told_when_it_begins_and_when_the_page_has_played_it() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("welcome", "ask"))
    line.tick()
    assert [type(event) for event in line.events] == [PlaybackStarted]
    assert line.speaker.speaking
    assert len(line.page) == LEAD_FRAMES
    line.tick(40)
    (over,) = line.finished
    assert over.state == "finished"
    assert over.heard == (ItemHeard("finished", 10 * FRAME_MS), ItemHeard("finished", 10 * FRAME_MS))
    assert over.offset_ms == 20 * FRAME_MS
    assert not line.speaker.speaking


def test_a_stop_tells_what_the_page_had_played() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("welcome", "ask"))
    line.speaker.say("p2", "fr", prompts("more"))
    line.tick(13)
    until, events = line.speaker.stop(1.0)
    assert until == line.speaker.next_number
    assert events == []
    sent = len(line.page)
    line.tick(3, acknowledges=False)
    assert len(line.page) == sent  # nothing goes out before the page is silent
    told = line.speaker.settled(12, 1.1)
    assert [(event.playback_id, event.state, event.heard) for event in told if isinstance(event, PlaybackFinished)] == [
        ("p1", "stopped", (ItemHeard("finished", 200), ItemHeard("stopped", 40))),
        ("p2", "stopped", (ItemHeard("skipped"),)),
    ]
    assert not line.speaker.speaking


def test_a_page_that_does_not_tell_how_far_it_had_come_is_not_waited_for_long() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("welcome"))
    line.tick(5)
    assert line.speaker.stop(1.0)[0] is not None
    line.tick(SETTLE_TICKS + 1, acknowledges=False)
    assert [event.state for event in line.finished] == ["stopped"]


def test_a_page_that_tells_nothing_counts_as_having_heard() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("welcome"))
    line.tick(12 + DEAF_TICKS, acknowledges=False)
    assert [event.heard for event in line.finished] == [(ItemHeard("finished", 200),)]


def test_the_next_is_said_after_a_stop() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("welcome"))
    line.tick(5)
    line.speaker.stop(1.0)
    line.speaker.say("p2", "fr", prompts("sorry"))
    line.events += line.speaker.settled(4, 1.1)
    line.page, line.played = line.page[: line.speaker.next_number], line.speaker.next_number
    line.tick(30)
    assert [(event.playback_id, event.state) for event in line.finished] == [("p1", "stopped"), ("p2", "finished")]


def test_an_open_playback_waits_for_its_last_words() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("one"), is_open=True)
    line.tick(40)
    assert line.speaker.speaking
    assert line.finished == []
    line.speaker.append("p1", prompts("two"), last=True)
    line.tick(40)
    assert [event.heard for event in line.finished] == [(ItemHeard("finished", 200), ItemHeard("finished", 200))]
    with pytest.raises(NothingToSay):
        line.speaker.append("p1", prompts("three"), last=True)


def test_a_resumed_prompt_counts_from_its_beginning_and_a_command_that_comes_twice_is_done_once() -> None:
    line = Line()
    for _ in range(2):
        line.speaker.say("p1", "fr", prompts("welcome"), offset_ms=500)
    line.tick(40)
    assert [event.heard for event in line.finished] == [(ItemHeard("finished", 700),)]


def test_an_item_that_cannot_be_made_has_failed_and_the_others_are_said() -> None:
    line = Line()
    line.speaker.say("p1", "fr", prompts("nowhere", "ask"))
    failed, _ = line.speaker.to_make()
    failed.failed = failed.whole = True
    line.speaker.queue[0].items[1].begun = False
    line.tick(30)
    (over,) = line.finished
    assert (over.state, over.heard) == ("failed", (ItemHeard("failed"), ItemHeard("finished", 200)))


@given(st.lists(st.sampled_from(["say", "stop", "tick", "late", "settle"]), max_size=60))
def test_every_playback_is_told_to_be_over_once_whatever_happens(steps: list[str]) -> None:
    line = Line()
    said = 0
    for step in steps:
        match step:
            case "say":
                line.speaker.say(f"p{said}", "fr", prompts("one", "two"))
                said += 1
            case "stop":
                line.events += line.speaker.stop(1.0)[1]
            case "tick" | "late":
                line.tick(7, acknowledges=step == "tick")
            case "settle":
                if line.speaker.stopped:
                    line.events += line.speaker.settled(line.played, 1.0)
    line.tick(2 * (DEAF_TICKS + 30 * (said + 1)), acknowledges=False)
    line.tick(DEAF_TICKS + 1, acknowledges=False)
    assert [event.playback_id for event in line.finished] == [f"p{number}" for number in range(said)]
    assert not line.speaker.speaking


def test_a_frame_of_the_socket_becomes_the_packet_that_the_receiver_knows() -> None:
    pcm = (np.arange(320, dtype=np.int16) * 50).astype("<i2").tobytes()
    number, again = frame_of(numbered(70_000, pcm))
    assert (number, again) == (70_000, pcm)
    packet = RtpPacket.parse(rtp_packet(number, 7, again))
    assert (packet.payload_type, packet.sequence_number, packet.timestamp, packet.ssrc) == (
        PAYLOAD_TYPE,
        70_000 & 0xFFFF,
        70_000 * 320,
        7,
    )
    assert samples_of(packet.payload).tolist() == np.frombuffer(pcm, "<i2").tolist()
    with pytest.raises(BadFrame):
        frame_of(pcm)


def test_a_tone_at_8_khz_is_the_same_tone_at_16_khz() -> None:
    seconds = np.arange(8_000) / 8_000
    fast = twice_as_fast(np.round(10_000 * np.sin(2 * np.pi * 1_000 * seconds)).astype(np.int16))
    wanted = 10_000 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert np.abs(fast - wanted)[100:-100].max() < 300


def test_both_sides_are_mixed_and_clipped() -> None:
    loud = np.full(320, 30_000, "<i2").tobytes()
    assert np.frombuffer(mixed(loud, loud), "<i2").max() == 32_767
    assert mixed(loud, bytes(FRAME_BYTES)) == loud
