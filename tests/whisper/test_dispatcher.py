"""What the dispatcher does with a client who hangs up."""

import asyncio
import contextlib
import gc
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from whisper_service.dispatcher import Dispatcher, Refusal
from whisper_service.service import Service
from whisper_service.transcriber import Busy


class FullAtTheLastMoment:
    """A transcriber that finds its queue full just when it is told that nobody waits any more."""

    enter = staticmethod(contextlib.nullcontext)

    async def transcribe(self, _: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise Busy from None


class HungUp:
    headers: dict[str, str] = {}  # noqa: RUF012 - starlette's are as changeable
    url = SimpleNamespace(path="/whisper")

    async def receive(self) -> dict[str, str]:
        return {"type": "http.disconnect"}


async def test_an_error_that_comes_after_the_client_hung_up_is_nobodys() -> None:
    unheard: list[dict[str, Any]] = []
    for _ in range(3):  # what other tests left behind is not ours
        gc.collect()
        await asyncio.sleep(0)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    settings = SimpleNamespace(whisper_deadline_ms=2500)
    dispatcher = Dispatcher(cast(Service, SimpleNamespace(settings=settings, transcriber=FullAtTheLastMoment())))
    with pytest.raises(Refusal, match="hung up"):
        await dispatcher.answer(cast(Any, HungUp()), time.monotonic(), b"", "fr", [], None)
    gc.collect()
    await asyncio.sleep(0)
    assert unheard == []
