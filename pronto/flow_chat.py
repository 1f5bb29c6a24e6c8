"""Talks to a flow in the terminal: what is typed is what the caller says; state, intent and score are shown.

Empty line: silence. `#75011#`: keys. `/quit`: hang up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config import IntentSettings
from dialogue.flow import Flow
from dialogue.rehearsal import Decision, Rehearsal, Resolver
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


def chat(flow: Flow, texts: Mapping[str, str], resolve: Resolver, at: float) -> int:
    """Talks until the call is over; 0."""
    conversation = Rehearsal(flow, resolve, at)
    print("(empty line: silence; #75011#: keys; /quit: hang up)")
    turns = 0
    while not conversation.over:
        for turn in conversation.turns[turns:]:
            move = turn.state if turn.state == turn.next_state else f"{turn.state} -> {turn.next_state}"
            print(
                f"     [{turn.intent or 'nothing'} {turn.score:.2f}, {turn.committed}; {move}; {' '.join(turn.slots)}]"
            )
        turns = len(conversation.turns)
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
