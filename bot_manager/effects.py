"""Carries out what a call's conversation needs from the world: one task per effect, what came of it is reported.

Kinds: `intent` asks the intent service, `http`, `message` and `knowledge` are actions of a flow. A call has few (the
dialogue asks about one utterance at once). Intents end with the call; what an action began goes on without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict

from bot_manager import metrics
from bot_manager.actions import ActionWorker
from bot_manager.intents import IntentClient, IntentError
from dialogue.effects import ACTION_KINDS, Effect, EffectDone
from protocol.steady import steady_time

log = logging.getLogger("pronto.effects")

UNKNOWN_KIND = "unknown_kind"


class EffectRunner:
    """The effects of one call; `report` is called with what came of each, on the event loop."""

    def __init__(
        self, intents: IntentClient, report: Callable[[EffectDone], None], actions: ActionWorker | None = None
    ) -> None:
        self._intents = intents
        self._actions = actions
        self._acting: set[str] = set()
        self._report = report
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def run(self, effect: Effect) -> None:
        """Begins an effect; one that is under way is left alone."""
        if effect.kind in ACTION_KINDS and self._actions is not None:
            if effect.id not in self._acting:
                self._acting.add(effect.id)
                self._actions.start(effect, self._report)
            return
        if effect.id in self._tasks:
            return
        task = asyncio.create_task(self._run(effect))
        self._tasks[effect.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(effect.id, None))
        metrics.LOOKUPS.labels("asked").inc()

    def drop(self, effect_id: str) -> None:
        """Ends an effect; nothing is reported of it."""
        task = self._tasks.pop(effect_id, None)
        if task is not None:
            task.cancel()
            metrics.LOOKUPS.labels("cancelled").inc()

    def close(self) -> None:
        """Ends all of them."""
        for effect_id in tuple(self._tasks):
            self.drop(effect_id)

    async def _run(self, effect: Effect) -> None:
        try:
            done = await self._do(effect)
        except asyncio.CancelledError:
            raise
        except Exception:  # a bug here must not leave the caller waiting for the answer
            log.exception("effect failed", extra={"effect": effect.id, "kind": effect.kind})
            done = EffectDone(steady_time(), effect.id, error="unknown_error")
        self._report(done)

    async def _do(self, effect: Effect) -> EffectDone:
        if effect.kind != "intent":
            log.error("effect of an unknown kind", extra={"effect": effect.id, "kind": effect.kind})
            return EffectDone(steady_time(), effect.id, error=UNKNOWN_KIND)
        asked = effect.arguments
        try:
            answer = await self._intents.ask(str(asked["sentence"]), str(asked["language"]), tuple(asked["allowed"]))
        except IntentError as error:
            log.warning("intent not found", extra={"effect": effect.id, "code": error.code})
            return EffectDone(steady_time(), effect.id, error=error.code)
        return EffectDone(steady_time(), effect.id, asdict(answer))
