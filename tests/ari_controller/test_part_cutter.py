"""Part files: whole packets, nothing lost, soon handed over and yet few; what a dead controller left is removed."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_controller.part_cutter import AHEAD_S, BYTES_A_MS, EVERY_S, MARGIN_S, PACKET_BYTES, PartCutter
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


def test_the_first_part_is_cut_at_once_and_the_next_soon_and_before_it_ends() -> None:
    cutter = PartCutter(10.0)
    assert cutter.wait_s(10.0) is None
    cutter.add(bytes(PACKET_BYTES * 50))
    assert cutter.wait_s(10.0) == 0.0
    cutter.part(10.0)
    cutter.add(bytes(PACKET_BYTES))
    assert cutter.wait_s(10.25) == EVERY_S - 0.25, "not one part for every piece"
    cutter.part(10.5)
    cutter.add(bytes(PACKET_BYTES))
    assert cutter.wait_s(10.75) == pytest.approx(11.02 - MARGIN_S - 10.75), "or it would be a gap"
    cutter.add(bytes(PACKET_BYTES * 200))
    cutter.part(10.75)
    cutter.add(bytes(PACKET_BYTES))
    assert cutter.wait_s(11.75) == pytest.approx(15.04 - AHEAD_S - 11.75), "Asterisk has enough"


@pytest.mark.parametrize("times_real", [1.2, 1.5, 3.0, 20.0])
def test_asterisk_has_nearly_all_that_was_made_if_we_end_now_and_few_parts(times_real: float) -> None:
    cutter, handed_s, cut_at_s = PartCutter(0.0), 0.0, []
    for step in range(200):  # of 20 ms
        now_s = step / 50
        cutter.add(bytes(round(PACKET_BYTES * times_real) // 2 * 2))
        while cutter.wait_s(now_s) == 0.0:
            handed_s += len(cutter.part(now_s)) / BYTES_A_MS / 1_000
            cut_at_s.append(now_s)
        made_s = (step + 1) / 50 * times_real
        kept_s = made_s - handed_s
        assert kept_s <= EVERY_S * times_real + 0.05 or handed_s - now_s >= AHEAD_S - 0.05
    assert sum(at_s >= 2.0 for at_s in cut_at_s) <= 8, "in two seconds"


def test_what_was_left_of_calls_that_are_over_is_removed(tmp_path: Path) -> None:
    old_s = time.time() - FORGOTTEN_S - 1
    for name in ("live-call_1_1.sln", "dead-call_1_1.sln", "dead-call_1_2.tmp", "new-call_1_1.sln"):
        (tmp_path / name).write_bytes(b"")
        if not name.startswith("new"):
            os.utime(tmp_path / name, (old_s, old_s))
    SpeechFeeds("http://127.0.0.1:9", "", tmp_path).sweep(["live-call"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live-call_1_1.sln", "new-call_1_1.sln"]
