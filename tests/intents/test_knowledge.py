"""Questions and their answers in a Markdown file: what is read, what is found, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot_manager.actions import ActionWorker
from bot_manager.intents import IntentClient
from bot_manager.targets import targets_of
from config import ROOT, IntentSettings, load
from dialogue.effects import Effect
from intent_service.encoder import Encoder, open_encoder
from intent_service.knowledge import KnowledgeFiles
from knowledge_file import MOST_WORDS, BadKnowledge, KnownAnswer, read_knowledge
from tests.intents.conftest import Service

SALON = """\
# For the people who write this

What stands before the first question is not said.

### Dove posso parcheggiare?
###   C'è un parcheggio?  ###
Davanti al salone la sosta è **gratuita**
per un'ora.
<!-- ### Questa non è una domanda
https://example.org -->

## Another heading ends an answer
Nobody hears this.

### Avete il wifi?

Sì, la password è alla `cassa`.
"""

pytestmark = pytest.mark.timeout(300)


def test_headings_are_questions_and_what_is_below_is_said() -> None:
    assert read_knowledge("\ufeff" + SALON.replace("\n", "\r\n")) == (
        KnownAnswer(
            ("Dove posso parcheggiare?", "C'è un parcheggio?"), "Davanti al salone la sosta è gratuita per un'ora.", 5
        ),
        KnownAnswer(("Avete il wifi?",), "Sì, la password è alla cassa.", 15),
    )


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("", 1, "there is no question"),
        ("# Title\n## Under it\ntext\n#### Too deep\n", 1, "there is no question"),
        ("### Dove?\n\n### Quando?\n", 1, "has no answer"),
        ("### Dove?\nQui.\n### dove?\nLì.\n", 3, "stands in line 1 already"),
        ("### Dove?\nQui:\n- a destra\n", 3, "a list is nothing that can be said"),
        ("### Dove?\n1. a destra\n", 2, "a list is nothing that can be said"),
        ("### Dove?\nSu https://example.org/mappa.\n", 2, "an address of the web"),
        ("### Dove?\n| a | b |\n", 2, "tables and code"),
        ("###  \nQui.\n", 1, "a question has 1 to 200 characters"),
        ("### ?!\nQui.\n", 1, "a question has 1 to 200 characters"),
        (f"### Dove?\n{'qui ' * (MOST_WORDS + 1)}\n", 1, f"the answer has {MOST_WORDS + 1} words"),
    ],
)
def test_what_cannot_be_said_or_found_is_refused_with_its_line(text: str, line: int, fault: str) -> None:
    with pytest.raises(BadKnowledge) as caught:
        read_knowledge(text)
    assert any(at == line and fault in why for at, why in caught.value.faults), caught.value.faults


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    settings = load(IntentSettings)
    opened = open_encoder(settings.intent_encoder, settings.intent_cache_dir)
    assert opened.encoder is not None, opened.reason
    return opened.encoder


def test_an_edit_is_in_force_with_the_next_question_and_a_bad_one_is_not(tmp_path: Path, encoder: Encoder) -> None:
    files = KnowledgeFiles(tmp_path, encoder)
    assert files.of("it", "faq") is None
    (tmp_path / "it").mkdir()
    path = tmp_path / "it" / "faq.md"
    path.write_text(SALON, encoding="utf-8")
    known = files.of("it", "faq")
    assert known is not None
    assert known.look_up("avete il wifi").entry.answer == "Sì, la password è alla cassa."
    assert files.of("it", "faq") is known
    path.write_text(SALON.replace("cassa", "reception"), encoding="utf-8")
    edited = files.of("it", "faq")
    assert edited is not None
    assert edited.look_up("avete il wifi").entry.answer == "Sì, la password è alla reception."
    path.write_text("### Avete il wifi?\n", encoding="utf-8")
    assert files.of("it", "faq") is edited
    assert "has no answer" in files.refused["it/faq"]
    path.write_bytes(b"### Avete il wifi?\nS\xec.\n")
    assert files.of("it", "faq") is edited
    path.write_text(SALON, encoding="utf-8")
    assert files.of("it", "faq") is not edited
    assert files.refused == {}
    path.unlink()
    assert files.of("it", "faq") is None


# Written before they were tried, by the words of the questions in the file only where callers have no others.
ASKED = {
    "c'è posto per lasciare la macchina": "Dove posso",
    "dove lascio l'auto": "Dove posso",
    "il parcheggio si paga": "Dove posso",
    "ci si arriva in autobus": "Come si arriva",
    "quanto dista la metropolitana": "Come si arriva",
    "posso pagare col bancomat": "Come si può pagare",
    "prendete la carta di credito": "Come si può pagare",
    "posso passare senza prenotazione": "Bisogna prenotare",
    "devo per forza prendere appuntamento": "Bisogna prenotare",
    "e se faccio tardi": "Che cosa succede",
    "arrivo dieci minuti dopo, è un problema": "Che cosa succede",
    "se disdico devo pagare": "Fino a quando",
    "entro quando posso annullare": "Fino a quando",
    "tagliate anche ai bimbi piccoli": "Tagliate i capelli",
    "posso venire con mia figlia": "Tagliate i capelli",
    "il mio cane può venire con me": "Posso portare il cane",
    "sono in sedia a rotelle, riesco a entrare": "Si entra con",
    "ci sono scale all'ingresso": "Si entra con",
    "vorrei regalare un taglio a mia madre": "Avete buoni",
    "fate delle gift card": "Avete buoni",
    "le tinte sono naturali": "Che prodotti",
    "sono allergica, cosa usate": "Che prodotti",
    "c'è internet da voi": "Avete il wifi",
    "mi date la password della rete": "Avete il wifi",
    "dove trovo il vostro shampoo": "Vendete prodotti",
    "ho lasciato l'ombrello da voi ieri": "Ho dimenticato",
}
STRANGE = (
    "mi consiglia un buon ristorante",
    "chi ha vinto la partita",
    "che tempo fa domani",
    "vendete automobili usate",
    "cercate personale, vorrei lavorare da voi",
    "quanti anni ha la titolare",
    "mi aiuta con la dichiarazione dei redditi",
    "fate anche tatuaggi",
    "mi può prenotare un taxi",
    "avete un numero di partita iva",
)


def test_the_questions_of_a_salon_asked_in_other_words(encoder: Encoder) -> None:
    known = KnowledgeFiles(ROOT / "flows", encoder).of("it", "faq")
    assert known is not None
    found = {text: known.look_up(text) for text in ASKED}
    right = [text for text, begins in ASKED.items() if found[text].entry.questions[0].startswith(begins)]
    wrong_and_sure = [text for text in ASKED if text not in right and found[text].is_sure]
    print(f"{len(right)} of {len(ASKED)} right, {sum(found[text].is_sure for text in right)} of them sure")
    print({text: (found[text].entry.questions[0], round(found[text].score, 2)) for text in ASKED if text not in right})
    assert len(right) >= 0.75 * len(ASKED)
    assert wrong_and_sure == []
    strange = {text: known.look_up(text) for text in STRANGE}
    print({text: (one.entry.questions[0], round(one.score, 2)) for text, one in strange.items() if one.is_answer})
    assert not any(one.is_sure for one in strange.values())


def test_the_service_answers_from_the_file(service: Service) -> None:
    (service.flows / "it").mkdir()
    (service.flows / "it" / "faq.md").write_text(SALON, encoding="utf-8")

    def asked(**fields: Any) -> tuple[int, Any]:
        return service.post("/knowledge/", {"question": "c'è un parcheggio", "file": "faq", "language": "it"} | fields)

    status, answer = asked()
    assert (status, answer["question"], answer["sure"]) == (200, "Dove posso parcheggiare?", True)
    assert answer["answer"].startswith("Davanti al salone")
    for nothing in ("", "   ", "chi ha vinto la partita ieri sera", "\u0000", "!" * 1_000):
        status, answer = asked(question=nothing)
        assert (status, answer["answer"], answer["question"], answer["sure"]) == (200, None, None, False)
    assert asked(file="nothing")[0] == 404
    for bad in (
        {"file": "../faq"},
        {"file": ""},
        {"language": "../it"},
        {"language": "xx"},
        {"question": None},
        {"question": "x" * 1_001},
    ):
        assert asked(**bad)[0] == 422


async def test_the_action_of_a_flow_asks_the_service(service: Service) -> None:
    (service.flows / "it").mkdir()
    (service.flows / "it" / "faq.md").write_text(SALON, encoding="utf-8")
    asked = {"action": "look", "language": "it", "file": "faq", "question": "c'è un parcheggio", "timeout_ms": 20_000}

    async def outcome(url: str, **more: object) -> tuple[str, Any]:
        intents = IntentClient(url, url, 20.0, knowledge_url=f"{url}/knowledge/")
        worker = ActionWorker(targets_of("", ""), service.flows, intents=intents)
        done = await worker.perform(Effect("c:1:knowledge", "knowledge", asked | more))
        await worker.close()
        await intents.close()
        assert done.result is not None
        return done.result["outcome"], done.result["body"]

    said, body = await outcome(service.url)
    assert (said, body["question"], body["sure"]) == ("ok", "Dove posso parcheggiare?", True)
    assert await outcome(service.url, question="chi ha vinto la partita ieri sera") == ("not_found", None)
    assert await outcome(service.url, file="nothing") == ("error", None)
    assert await outcome("http://127.0.0.1:9", timeout_ms=100) in (("error", None), ("timeout", None))
