"""Asks the turn model about guesses, on a thread of its own: neither the media thread nor the event loop waits for it.

Who sounds finished may be answered as the words say, and ends after `whole_silence_ms`; who does not is given the whole
silence of the turn. A model that fails has no say.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from protocol.messages import EndUtterance
from rtp_receiver import metrics
from rtp_receiver.call_stream import Segment
from rtp_receiver.turn_model import FINISHED_FROM, TurnModel

log = logging.getLogger("pronto.receiver")


class Judge:
    """See `recognition.TurnJudge`. `end_utterance` is called on the event loop."""

    def __init__(self, model: TurnModel, end_utterance: Callable[[EndUtterance], None]) -> None:
        self._model = model
        self._end_utterance = end_utterance
        self._thread = ThreadPoolExecutor(1, "turn-model")

    async def finished(self, call_id: str, segment: Segment) -> bool:
        """Whether nothing more is expected after this guess."""
        began = time.monotonic()
        try:
            probability = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._model.finished, segment.samples
            )
        except Exception:
            log.exception("the turn model failed", extra={"call_id": call_id})
            metrics.TURN_VERDICTS.labels("failed").inc()
            return True
        metrics.TURN_MODEL_SECONDS.observe(time.monotonic() - began)
        finished = probability >= FINISHED_FROM
        metrics.TURN_VERDICTS.labels("finished" if finished else "unfinished").inc()
        if finished:
            listen = segment.listen
            command = EndUtterance(
                call_id, time.time(), listen.turn, segment.utterance, segment.revision, listen.whole_silence_ms
            )
            self._end_utterance(command)
        return finished
