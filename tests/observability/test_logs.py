"""Records of two hosts, and of the hour that a clock goes through twice, can be put in order."""

import json
import logging
import time
from collections.abc import Iterator

import pytest

from observability.logs import JsonFormatter, TextFormatter

BEFORE, AFTER = 1_792_888_200.5, 1_792_891_800.25
"""02:30 in Paris on 25 October 2026, before and after the clocks were put back."""


@pytest.fixture(params=["Europe/Paris", "America/New_York", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def record(created: float) -> logging.LogRecord:
    made = logging.LogRecord("pronto.test", logging.INFO, "x.py", 1, "something", (), None)
    made.created = created
    return made


@pytest.mark.usefixtures("zone")
def test_times_are_utc_whatever_the_zone_of_the_host() -> None:
    for created, text in ((BEFORE, "2026-10-25T00:30:00.500Z"), (AFTER, "2026-10-25T01:30:00.250Z")):
        assert json.loads(JsonFormatter(False).format(record(created)))["time"] == text
        assert TextFormatter(False).format(record(created)) == f"{text} - pronto.test - INFO - something"
    assert JsonFormatter(False).format(record(BEFORE)) < JsonFormatter(False).format(record(AFTER))
