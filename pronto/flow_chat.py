"""Talks to a flow in the terminal: what is typed is what the caller says; state, intent, score and what is remembered
are shown.

Empty line: silence. `#75011#`: keys. `/quit`: hang up. What an action asks is shown, and its answer is typed (`ok
{"status": "sent"}`, `not_found`, `nothing`), or comes from the server itself.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from bot_manager.actions import ActionWorker
from bot_manager.intents import intents_of
from bot_manager.targets import targets_of
from config import BotSettings, IntentSettings
from dialogue.conversation import Conversation
from dialogue.effects import Effect, EffectDone
from dialogue.flow import OUTCOMES, Flow
from dialogue.rehearsal import Decision, Rehearsal, Resolver, World
from pronto.asking import ask
from protocol.messages import HangUp


class IntentsAway(OSError):
    """The intent service does not answer, or nothing sensible."""


class HttpIntents:
    """Asks the intent service as the bot manager does: the main set first, the FAQ set when that has no match."""

    def __init__(self, main_url: str, faqs_url: str, language: str, timeout_s: float = 5.0, token: str = "") -> None:
        self._main_url = main_url
        self._faqs_url = faqs_url
        self._language = language
        self._timeout_s = timeout_s
        self._token = token

    def __call__(self, text: str, allowed: tuple[str, ...]) -> Decision:
        """Raises IntentsAway."""
        main = self._ask(
            self._main_url, {"sentence": text, "allowed": list(allowed)} if allowed else {"sentence": text}
        )
        if not main.get("fallback"):
            return Decision(str(main["intent"]), float(main.get("score", 0.0)), faq_set=False, fallback=False)
        faq = self._ask(self._faqs_url, {"sentence": text})
        if not faq.get("fallback"):
            return Decision(str(faq["intent"]), float(faq.get("score", 0.0)), faq_set=True, fallback=False)
        return Decision(str(main["intent"]), float(main.get("score", 0.0)))

    def _ask(self, url: str, question: Mapping[str, Any]) -> dict[str, Any]:
        body = {**question, "language": self._language}
        try:
            answer = ask("POST", url, self._token, body, timeout_s=self._timeout_s)
        except (OSError, ValueError) as error:
            raise IntentsAway(f"{url}: {error}") from error
        if not isinstance(answer, dict) or "intent" not in answer:
            raise IntentsAway(f"{url}: answers without an intent")
        return answer


class OwnIntents:
    """Decides in this process, with what the intent service would load (trained first when the phrases are new)."""

    def __init__(self, settings: IntentSettings, language: str) -> None:
        """Raises IntentsAway when there is nothing to decide with."""
        from intent_service.catalogue import Recognisers, Training
        from intent_service.encoder import open_encoder

        encoder = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
        catalogue = Recognisers(settings.flows_dir, settings.intent_cache_dir, (language,), encoder, Training())
        catalogue.refresh()
        if language not in catalogue.recognisers:
            raise IntentsAway(f"intents of {language}: {catalogue.refused.get(language, 'not loaded')}")
        self._recogniser = catalogue.recognisers[language]

    def __call__(self, text: str, allowed: tuple[str, ...]) -> Decision:
        main = self._recogniser.decide(text, allowed=allowed)
        if not main.fallback:
            return Decision(main.intent, main.score, faq_set=False, fallback=False)
        faq = self._recogniser.decide(text, faqs=True)
        if not faq.fallback:
            return Decision(faq.intent, faq.score, faq_set=True, fallback=False)
        return Decision(main.intent, main.score)


class TypedWorld:
    """What comes of actions, as the admin says it. Asks nobody."""

    def __call__(self, effect: Effect) -> tuple[EffectDone | None, float]:
        print(f"     [asks: {_asked(effect)}]")
        while True:
            try:
                line = input(f"answer> ({', '.join(OUTCOMES)}, nothing; with JSON behind it) ").strip()
            except EOFError:
                line = "error"
            outcome, _, text = line.partition(" ")
            if outcome == "nothing":
                return None, 0.0
            try:
                body = json.loads(text) if text.strip() else None
            except ValueError as error:
                print(f"     [no JSON: {error}]")
                continue
            if outcome in OUTCOMES:
                return EffectDone(0.0, effect.id, {"outcome": outcome, "body": body}), 0.1
            print(f"     [there is no outcome {outcome!r}]")


class LiveWorld:
    """What comes of actions when they are really asked for, of the servers that the settings list."""

    def __init__(self, settings: BotSettings) -> None:
        self._settings = settings

    def __call__(self, effect: Effect) -> tuple[EffectDone | None, float]:
        print(f"     [asks: {_asked(effect)}]")
        begun = time.monotonic()
        done = asyncio.run(self._perform(effect))
        took_s = time.monotonic() - begun
        result = done.result or {}
        body = json.dumps(result.get("body"), ensure_ascii=False)
        print(f"     [answer after {took_s:.2f} s: {result.get('outcome')} {body[:500]}]")
        return done, took_s

    async def _perform(self, effect: Effect) -> EffectDone:
        settings = self._settings
        targets = targets_of(settings.action_hosts, settings.action_private_hosts)
        intents = intents_of(settings)
        worker = ActionWorker(targets, settings.action_credentials_dir, intents=intents)
        try:
            return await worker.perform(effect)
        finally:
            await worker.close()
            await intents.close()


def _asked(effect: Effect) -> str:
    """An action's request, secrets by name."""
    told = effect.arguments
    if effect.kind == "message":
        return f"{told['action']}: message to {told['to']}: {told['text']}"
    if effect.kind == "knowledge":
        return f"{told['action']}: {told['language']}/{told['file']}.md: {told['question']}"
    query = "".join(f" {name}={value}" for name, value in told["query"].items())
    headers = "".join(
        f" {name}: {''.join(part if isinstance(part, str) else '{secret.' + part['secret'] + '}' for part in parts)}"
        for name, parts in told["headers"].items()
    )
    return f"{told['action']}: {told['method']} {told['url']}{query}{headers} {told['body'] or ''}".rstrip()


def _remembered(conversation: Conversation) -> dict[str, str]:
    """Variables and lists, as they are kept."""
    lists = {name: f"{len(rows)} records" for name, rows in conversation.lists.items()}
    return {**conversation.variables, **lists}


def chat(flow: Flow, texts: Mapping[str, str], resolve: Resolver, at: float, world: World | None = None) -> int:
    """Talks until the call is over; 0."""
    print("(empty line: silence; #75011#: keys; /quit: hang up)")
    conversation = Rehearsal(flow, resolve, at, world=world or TypedWorld())
    turns = 0
    known: dict[str, str] = {}
    while not conversation.over:
        for turn in conversation.turns[turns:]:
            move = turn.state if turn.state == turn.next_state else f"{turn.state} -> {turn.next_state}"
            print(
                f"     [{turn.intent or 'nothing'} {turn.score:.2f}, {turn.committed}; {move}; {' '.join(turn.slots)}]"
            )
        turns = len(conversation.turns)
        remembered = _remembered(conversation.dialogue.conversation)
        if changed := [f"{name}={value}" for name, value in remembered.items() if known.get(name) != value]:
            print(f"     {{{', '.join(changed)}}}")
        known = remembered
        print("bot>", " ".join(texts.get(name, name) for name in conversation.spoken))
        conversation.listen()
        if conversation.over:
            break
        try:
            line = input("you> ").strip()
        except EOFError:
            line = "/quit"
        if line == "/quit":
            conversation.hangs_up()
        elif not line:
            conversation.is_silent()
        elif line.startswith("#"):
            conversation.presses(line[1:])
        else:
            try:
                conversation.says(line)
            except IntentsAway as error:
                print(f"     [{error}]")
                conversation.recogniser_fails()
    end = conversation.ended_by
    how = (
        "the caller hung up"
        if end is None
        else "hang-up"
        if isinstance(end, HangUp)
        else f"transfer to {end.extension}"
    )
    lead = conversation.concluded
    print(f"({how}; outcome {lead.outcome if lead else '-'}; {' '.join(lead.lead) if lead else ''})")
    return 0
