"""How often clients and addresses may ask."""

from observability.rate import MOST_KNOWN, WINDOW_S
from text_service.limits import Limits


def test_a_client_may_ask_so_often_in_any_minute() -> None:
    limits = Limits(3, 100)
    assert [limits.wait_s("a", "x", at) for at in (0.0, 10.0, 20.0)] == [0, 0, 0]
    assert limits.wait_s("a", "x", 30.0) == 30
    assert limits.wait_s("b", "x", 30.0) == 0
    assert limits.wait_s("a", "x", WINDOW_S) == 0
    assert limits.wait_s("a", "x", WINDOW_S) == 10


def test_an_address_may_ask_for_all_its_clients_together() -> None:
    limits = Limits(100, 3)
    assert [limits.wait_s(f"client-{number}", "x", 0.0) for number in range(4)] == [0, 0, 0, 60]
    assert limits.wait_s("client-9", "y", 0.0) == 0


def test_a_refused_query_counts_for_nobody() -> None:
    limits = Limits(1, 2)
    assert limits.wait_s("a", "x", 0.0) == 0
    assert limits.wait_s("a", "x", 1.0) > 0
    assert limits.wait_s("b", "x", 1.0) == 0


def test_those_that_asked_longest_ago_are_forgotten() -> None:
    limits = Limits(1, 1_000_000)
    for number in range(MOST_KNOWN + 10):
        limits.wait_s(f"c{number}", "x", 0.0)
    assert limits.wait_s("c0", "x", 1.0) == 0
    assert limits.wait_s(f"c{MOST_KNOWN + 9}", "x", 1.0) > 0
