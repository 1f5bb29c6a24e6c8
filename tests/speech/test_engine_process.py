"""A voice's process that does not start, and is closed while it is tried again."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from speech_service.engines.port import EngineFailed
from speech_service.engines.process import EngineProcess


@pytest.mark.parametrize("after_s", [0.0, 0.03, 0.3])
async def test_one_that_is_closed_while_it_starts_again_leaves_nothing_behind(tmp_path: Path, after_s: float) -> None:
    before = asyncio.all_tasks()
    engine = EngineProcess("piper", tmp_path, ["nobody"], streams=False, first_s=1.0)
    async with aclosing(engine.speak("nobody", "Bonjour.", 1.0)) as said:
        with pytest.raises(EngineFailed):
            await anext(said)
    (starting,) = asyncio.all_tasks() - before
    await asyncio.wait([starting], timeout=after_s)
    await engine.close()
    assert engine.pid == 0
    assert asyncio.all_tasks() <= before
    async with aclosing(engine.speak("nobody", "Bonjour.", 1.0)) as said:
        with pytest.raises(EngineFailed):
            await anext(said)
    assert asyncio.all_tasks() <= before
