"""A bug in one call: its caller is handed over or hung up, and neither the lanes nor the other calls notice."""

from typing import Any

from ari_controller.actions import CallAction
from ari_controller.admission import CallAdmission
from ari_controller.ari_errors import AriError
from ari_controller.ari_events import Channel, StasisEnded
from ari_controller.ari_requests import Request
from ari_controller.call_legs import CallLegs
from ari_controller.call_store import CallStore
from ari_controller.lane import Lane
from ari_controller.live_calls import LiveCalls
from protocol.bus import Outbox, connect
from protocol.call_id import is_call_id
from protocol.messages import HangUp
from tests.ari_controller.test_call_legs import RULES


class Line:
    """An Asterisk that does whatever it is asked for; `asked` lists the names of the requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request: Request) -> Any:
        self.asked.append(request.name)
        return {}


def calls_on(line: Line) -> LiveCalls:
    redis = connect("redis://127.0.0.1:1/0")
    return LiveCalls(RULES, "test", CallAdmission(5), line, CallStore(redis, "test", "x"), Outbox(redis, "test"))  # type: ignore[arg-type]


def caller(number: int) -> Channel:
    return Channel(f"pronto-{number}.1", "Ring", "1", "100", "Stasis", "pronto,fr/heating", 0.0)


def broken(*_: object) -> list[CallAction]:
    raise RuntimeError("a bug")


async def test_a_bug_in_the_way_out_hangs_up_and_others_live_on() -> None:
    line = Line()
    live = calls_on(line)
    for number in (1, 2):
        live.arrive(caller(number), ("fr/heating",))
    await live.settle()
    first, second = live.calls.values()
    first.legs.abandon = broken  # type: ignore[method-assign, assignment]
    line.asked.clear()
    live.step(first, broken)
    await live.settle()
    assert line.asked == ["hang_up"]
    live.tick()
    assert second.legs.state == "up"


async def test_a_lane_goes_on_after_an_item_that_fails() -> None:
    done: list[int] = []

    async def do(item: int) -> None:
        if item == 1:
            raise AriError(500, "no")
        done.append(item)

    lane = Lane(do)
    for item in range(3):
        lane.put(item)
    await lane.settle()
    assert (done, lane.is_busy) == ([0, 2], False)
    lane.put(3)
    await lane.settle()
    assert done == [0, 2, 3]


async def test_a_caller_who_is_sent_back_is_another_call() -> None:
    live = calls_on(Line())
    live.arrive(caller(1), ())
    (first,) = live.calls.values()
    first.legs.gone(None, 1.0)
    live.arrive(caller(1), ())
    ids = list(live.calls)
    assert len(ids) == 2
    assert all(is_call_id(call_id) for call_id in ids)
    assert live.call_of("pronto-1.1") is live.calls[ids[1]]
    assert isinstance(live.calls[ids[1]].legs, CallLegs)
    await live.settle()
    second = live.calls[ids[1]]
    assert second.legs.state == "up"
    # they hang up while the legs of the call before are still being deleted: that is theirs at once
    live.step(live.call_of("pronto-1.1") or second, lambda at: second.legs.event(StasisEnded("pronto-1.1"), at))
    assert not second.legs.live


async def test_who_drives_a_call_that_is_not_here_is_told_once() -> None:
    live = calls_on(Line())
    for number in range(3):
        live.command(HangUp("elsewhere", 1.0), f"1-{number}")
    assert len(live.outbox) == 1
