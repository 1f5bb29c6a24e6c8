"""The receiver's tests run on the loop that the receiver runs on."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Of every test in this folder."""
    return {"uvloop": uvloop.new_event_loop}
