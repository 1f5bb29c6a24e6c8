"""Questions in between, answered from the salon's file through the flow: known, doubtful, unknown, and then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ROOT, IntentSettings, load
from dialogue.effects import Effect, EffectDone
from intent_service.encoder import open_encoder
from intent_service.knowledge import KnowledgeFiles
from pronto.flow_chat import OwnIntents
from tests.booking.talking import ELENA, DemoShop, demo_shop

pytestmark = pytest.mark.timeout(900)
UNKNOWN = "Su questo non ho informazioni. Se vuole, le passo una persona."


@pytest.fixture(scope="module")
def files() -> KnowledgeFiles:
    settings = load(IntentSettings)
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    assert opened.encoder is not None, opened.reason
    return KnowledgeFiles(ROOT / "flows", opened.encoder)


@pytest.fixture(scope="module")
def own() -> OwnIntents:
    return OwnIntents(load(IntentSettings), "it")


@pytest.fixture
def shop(tmp_path: Path, files: KnowledgeFiles, own: OwnIntents) -> Iterator[DemoShop]:
    with demo_shop(tmp_path) as served:
        served.resolve = own
        asks_the_shop = served.world

        def world(effect: Effect) -> tuple[EffectDone | None, float]:
            if effect.kind != "knowledge":
                return asks_the_shop(effect)
            known = files.of(str(effect.arguments["language"]), str(effect.arguments["file"]))
            assert known is not None, files.refused
            found = known.look_up(str(effect.arguments["question"]))
            body = {"question": found.entry.questions[0], "answer": found.entry.answer, "sure": found.is_sure}
            result = {"outcome": "ok", "body": body} if found.is_answer else {"outcome": "not_found", "body": None}
            return EffectDone(0.0, effect.id, result), 0.02

        served.world = world  # type: ignore[method-assign]
        yield served


def test_a_question_is_answered_and_the_booking_goes_on(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("vorrei prenotare", "sì", "un taglio"):
        call.says(text)
    call.says("c'è un parcheggio?")
    assert call.spoken[0].startswith("Davanti al salone la sosta è gratuita")
    assert call.dialogue.state == "ask_when"
    call.says("domani alle nove")
    assert call.dialogue.conversation.slots["moment"] == "2026-01-15T09:00"


def test_a_doubtful_one_is_asked_about(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("vorrei prenotare", "sì", "un taglio", "quali sono i prodotti che usate per la tinta"):
        call.says(text)
    assert call.spoken == ["Vuole sapere questo: Che prodotti usate?"]
    call.says("sì")
    assert call.spoken[0].startswith("Usiamo prodotti senza parabeni")
    assert call.dialogue.state == "ask_when"


def test_an_unknown_one_is_not_answered_by_invention(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("vorrei prenotare", "sì", "un taglio", "fate sconti per gli anziani"):
        call.says(text)
    assert call.spoken[0] == UNKNOWN
    assert call.dialogue.state == "ask_when"


# --- what was said of another appointment, and what is not certain ---


def test_the_day_of_the_old_appointment_is_not_the_new_one(shop: DemoShop) -> None:
    shop.book(client=3, data="2026-01-16", ora="10:00")
    call = shop.call(ELENA)
    for text in ("devo spostare l'appuntamento di venerdì", "sì"):
        call.says(text)
    assert call.spoken[-1] == "A quando lo spostiamo?"
    call.says("facciamo lunedì alla stessa ora")
    assert call.dialogue.conversation.slots["moment"] == "2026-01-19T10:00"


def test_the_new_day_is_taken_from_the_first_sentence(shop: DemoShop) -> None:
    shop.book(client=3, data="2026-01-16", ora="10:00")
    call = shop.call(ELENA)
    for text in ("vorrei spostare l'appuntamento di venerdì a martedì", "sì"):
        call.says(text)
    assert call.spoken[-1].startswith("Lo sposto a martedì 20 gennaio alle 10.")


def test_an_hour_earlier_is_no_hour_of_today(shop: DemoShop) -> None:
    shop.book(client=3, data="2026-01-16", ora="10:00")
    call = shop.call(ELENA)
    for text in ("posso anticipare di un'ora il mio appuntamento?", "sì"):
        call.says(text)
    assert call.spoken[-1] == "A quando lo spostiamo?"
    call.says("alle nove")
    assert call.dialogue.conversation.slots["moment"] == "2026-01-16T09:00"


def test_a_day_that_may_be_two_is_read_back(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("vorrei prenotare", "sì", "una piega", "giovedì prossimo alle dieci e mezza"):
        call.says(text)
    assert call.spoken == ["giovedì 15 gennaio alle 10 e 30, è giusto?"]
    call.says("sì")
    assert call.dialogue.conversation.slots["moment"] == "2026-01-15T10:30"


def test_a_plain_yes_where_none_is_asked_for_means_nothing(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("un taglio venerdì pomeriggio", "sì", "è uguale"):
        call.says(text)
    assert call.dialogue.state == "ask_alternative"
    call.says("sì, va benissimo")
    assert call.spoken[0] == "Mi scusi, non ho capito."


def test_a_day_alone_is_a_wish_for_an_appointment(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    call.says("giovedì ventidue alle dieci")
    assert call.spoken == ["Parlo con Elena?"]
    for text in ("sì", "un taglio"):
        call.says(text)
    assert call.dialogue.conversation.slots["moment"] == "2026-01-22T10:00"


def test_a_question_that_names_a_day_is_no_wish(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("e a che ora aprite domani?", "siete aperti la domenica?"):
        call.says(text)
        assert call.dialogue.state == "ask_intent"
        assert "moment" not in call.dialogue.conversation.slots
    call.says("allora prenoto per domani alle tre")
    assert call.spoken == ["Parlo con Elena?"]


def test_nobody_is_said_good_bye_to_on_a_guess(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("Elena Brambilla", "vorrei un massaggio"):
        call.says(text)
        assert not call.dialogue.over
        assert call.ended_by is None
    assert call.spoken == ["Parlo con Elena?"]


def test_repeat_says_the_recap_again(shop: DemoShop) -> None:
    call = shop.call(ELENA)
    for text in ("un taglio venerdì alle dieci con Giulia", "sì"):
        call.says(text)
    recap = list(call.spoken)
    assert recap[0].startswith("Riepilogo: taglio, venerdì 16 gennaio alle 10, con Giulia.")
    call.says("ripeta")
    assert call.spoken == recap
