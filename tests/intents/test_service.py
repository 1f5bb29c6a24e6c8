"""The service as it runs: a process, HTTP, real training, hot reload."""

from __future__ import annotations

import json

import psutil
import pytest

from tests.intents.conftest import Service

pytestmark = pytest.mark.timeout(600)


def test_the_contract(service: Service) -> None:
    status, answer = service.post("/embedding_main/", {"sentence": "Oui, bien sûr !"})
    assert (status, answer["intent"], answer["fallback"]) == (200, "yes", False)
    assert answer["score"] > 0.9
    assert answer["top3"][0]["intent"] == "yes"

    status, answer = service.post("/embedding_main/", {"sentence": "je voudrais parler à un conseiller"})
    assert (status, answer["intent"]) == (200, "human")

    status, answer = service.post("/embedding_faqs/", {"sentence": "Combien ça coûte ?"})
    assert (status, answer["intent"]) == (200, "faq1")

    for empty in ("", "   ", "...", "euh"):
        status, answer = service.post("/embedding_main/", {"sentence": empty})
        assert (status, answer["intent"], answer["fallback"], answer["score"]) == (200, "no_match", True, 0.0)

    status, answer = service.post("/embedding_main/", {"sentence": "combien ça coûte"})
    assert (status, answer["intent"], answer["fallback"]) == (200, "no_match", True)


def test_draining_is_not_ready_and_still_answers(service: Service) -> None:
    assert service.request("POST", "/drain")[1]["draining"] is True
    try:
        assert service.request("GET", "/ready")[0] == 503
        assert service.post("/embedding_main/", {"sentence": "oui"})[1]["intent"] == "yes"
        assert service.request("GET", "/drain")[1]["left"] == 0
    finally:
        assert service.request("DELETE", "/drain")[1]["draining"] is False
    assert service.request("GET", "/ready")[0] == 200


def test_allowed_restricts_and_unknown_names_are_refused(service: Service) -> None:
    status, answer = service.post("/embedding_main/", {"sentence": "oui", "allowed": ["no", "human"]})
    assert (status, answer["intent"]) == (200, "no_match")
    assert {one["intent"] for one in answer["top3"]} <= {"no", "human"}
    status, answer = service.post("/embedding_main/", {"sentence": "oui", "allowed": ["yes", "maybe"]})
    assert status == 422
    assert "maybe" in answer["detail"]
    assert service.post("/embedding_main/", {"sentence": "oui", "allowed": []})[1]["intent"] == "no_match"


@pytest.mark.parametrize("path", ["/embedding_main/", "/embedding_faqs/"])
def test_bad_requests_are_422(service: Service, path: str) -> None:
    bad: tuple[object, ...] = (
        {},
        {"text": "oui"},
        {"sentence": None},
        {"sentence": 3},
        {"sentence": "oui " * 1000},
        {"sentence": "oui", "allowed": "yes"},
        {"sentence": "oui", "language": "xx"},
        b"not json",
    )
    for body in bad:
        assert service.post(path, body)[0] == 422, body


def test_health_says_that_there_is_no_encoder(service: Service) -> None:
    health = json.loads(service.get("/health")[1])
    assert health["status"] == "ok"
    assert health["encoder"] == "none"
    assert "INTENT_ENCODER=none" in health["encoder_note"]
    assert set(health["languages"]) == {"fr"}


def test_metrics_count_what_was_asked(service: Service) -> None:
    for _ in range(2):
        service.post("/embedding_main/", {"sentence": "oui"})
    text = service.get("/metrics")[1]
    assert 'pronto_intent_decisions_total{outcome="match",set="main"} 2.0' in text
    assert 'pronto_intent_recognised_total{intent="yes",set="main"} 2.0' in text
    assert "pronto_intent_cache_hits_total 1.0" in text


def test_files_are_reloaded_and_bad_ones_refused(service: Service) -> None:
    path = service.flows / "fr" / "intents.yaml"
    good = path.read_text(encoding="utf-8")
    first = service.post("/embedding_main/", {"sentence": "oui"})[1]["model_version"]
    assert service.post("/embedding_main/", {"sentence": "je déménage"})[1]["intent"] != "moving"

    path.write_text(good + "  moving:\n    phrases: [je déménage, on déménage, nous déménageons]\n", encoding="utf-8")
    service.wait_until(lambda: service.post("/embedding_main/", {"sentence": "je déménage"})[1]["intent"] == "moving")
    second = service.post("/embedding_main/", {"sentence": "oui"})[1]["model_version"]
    assert second != first

    path.write_text(good.replace("strict: true", "strict: perhaps"), encoding="utf-8")
    reason = "flows/fr/intents.yaml:10: intent human"  # it may see the file while it is being written, too
    service.wait_until(lambda: json.loads(service.get("/health")[1])["refused"].get("fr", "").startswith(reason))
    answer = service.post("/embedding_main/", {"sentence": "je déménage"})[1]
    assert (answer["intent"], answer["model_version"]) == ("moving", second)
    assert service.get("/ready")[0] == 200


def test_a_stop_in_mid_training_ends_well_and_leaves_no_process(service: Service) -> None:
    path = service.flows / "fr" / "intents.yaml"
    path.write_text(
        path.read_text(encoding="utf-8") + "  moving:\n    phrases: [je déménage, on déménage, nous déménageons]\n",
        encoding="utf-8",
    )
    parent = psutil.Process(service.process.pid)
    service.wait_until(lambda: [child.nice() for child in parent.children()] == [5])  # gives way to calls
    children = parent.children()
    service.process.terminate()
    assert service.process.wait(timeout=20) == 0
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert (len(gone), alive) == (len(children), [])
