"""Part files: whole packets, nothing lost, cut as late as they can be; what a dead controller left is removed."""

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ari_controller.part_cutter import MARGIN_S, PACKET_BYTES, PartCutter
from ari_controller.speech_feeds import FORGOTTEN_S, SpeechFeeds


@given(st.lists(st.binary(min_size=2, max_size=3_000), max_size=20))
def test_all_of_the_sound_comes_out_in_whole_packets(pieces: list[bytes]) -> None:
    cutter, parts, now_s = PartCutter(0.0), [], 0.0
    for piece in pieces:
        cutter.add(piece)
        now_s += 1.0
        if cutter.wait_s(now_s) == 0.0:
            parts.append(cutter.part(now_s))
    cutter.whole = True
    if cutter.wait_s(now_s) == 0.0:
        parts.append(cutter.part(now_s))
    assert all(len(part) % PACKET_BYTES == 0 for part in parts)
    made = b"".join(parts)
    sound = b"".join(pieces)
    assert made[: len(sound)] == sound
    assert not any(made[len(sound) :])
    assert len(made) - len(sound) < PACKET_BYTES


def test_the_first_part_is_cut_at_once_and_the_next_shortly_before_it_ends() -> None:
    cutter = PartCutter(10.0)
    assert cutter.wait_s(10.0) is None
    cutter.add(bytes(PACKET_BYTES * 50))
    assert cutter.wait_s(10.0) == 0.0
    cutter.part(10.0)
    cutter.add(bytes(PACKET_BYTES))
    assert cutter.wait_s(10.5) == 11.0 - MARGIN_S - 10.5
    assert cutter.silent_s(12.5) == 1.5


def test_what_was_left_of_calls_that_are_over_is_removed(tmp_path: Path) -> None:
    old_s = time.time() - FORGOTTEN_S - 1
    for name in ("live-call_1_1.wav", "dead-call_1_1.wav", "dead-call_1_2.tmp", "new-call_1_1.wav"):
        (tmp_path / name).write_bytes(b"")
        if not name.startswith("new"):
            os.utime(tmp_path / name, (old_s, old_s))
    SpeechFeeds("http://127.0.0.1:9", "", tmp_path).sweep(["live-call"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live-call_1_1.wav", "new-call_1_1.wav"]
