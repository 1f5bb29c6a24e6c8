"""Records on disk: in order, whole after a kill or a full disk, one process at a time."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.call import Record
from records.spool import Spool, of_line, to_line
from tests.records.samples import call, turn, version


def opened(folder: Path) -> Spool:
    spool = Spool(folder)
    assert spool.open()
    return spool


def everything(spool: Spool, at_once: int = 7) -> list[Record]:
    found: list[Record] = []
    while batch := spool.first(at_once):
        found += batch
        spool.take_off(len(batch))
    return found


@pytest.mark.parametrize("record", [call(), turn(), version()])
def test_a_line_gives_the_record_again(record: Record) -> None:
    assert of_line(to_line(record)) == record
    assert to_line(record).count("\n") == 1


def test_a_field_of_a_later_version_is_left_out() -> None:
    assert of_line(to_line(call()).replace('{"kind"', '{"mood": 1, "kind"')) == call()


@given(st.text())
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        of_line(line)


def test_records_come_in_order_while_others_are_added(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    records = [call(f"call-{number}") for number in range(2_500)]
    spool.append(records[:1_500])
    first = spool.first(10)
    spool.append(records[1_500:2_000])
    spool.take_off(10)
    spool.append(records[2_000:])
    assert spool.count == 2_490
    assert first + everything(spool, 333) == records
    assert (spool.count, list(tmp_path.glob("*.jsonl"))) == (0, [])


def test_what_was_not_taken_off_is_there_for_the_next_process(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.append([call("a"), call("b")])
    assert len(first.first(1)) == 1
    first.close()
    again = opened(tmp_path)
    again.append([call("c")])
    assert [getattr(one, "id", "") for one in everything(again)] == ["a", "b", "c"]


def test_of_a_torn_end_the_rest_is_read(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.append([call("a"), call("b")])
    first.close()
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    again = opened(tmp_path)
    again.append([call("c")])
    assert [getattr(one, "id", "") for one in everything(again)] == ["a", "c"]
    assert again.damaged == 1


def test_one_process_has_it(tmp_path: Path) -> None:
    first, second = opened(tmp_path), Spool(tmp_path)
    first.append([call()])
    assert not second.open()
    first.close()
    assert second.open()
    assert everything(second) == [call()]


def test_a_full_disk_takes_all_or_nothing(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([call("a")])
    (path,) = tmp_path.glob("*.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            spool.append([call("b"), call("c")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    spool.append([call("d")])
    assert [getattr(one, "id", "") for one in everything(spool)] == ["a", "d"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    spool = opened(tmp_path / "spool")
    spool.append([call()])
    assert [oct(path.stat().st_mode & 0o077) for path in (tmp_path / "spool").glob("*.jsonl")] == ["0o0"]
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
