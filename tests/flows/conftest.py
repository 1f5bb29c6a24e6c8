"""The shipped flow, with prompts whose length is guessed from their text: no audio needs to be there."""

import shutil
import wave
from pathlib import Path

import pytest

from audio_prompts.catalogue import read_catalogue
from dialogue.flow import Flow
from dialogue.flow_loader import read_flow
from dialogue.flow_names import Known
from dialogue.flow_store import intent_names
from dialogue.rehearsal import Resolver
from dialogue.scores import phrases_resolver

ROOT = Path(__file__).resolve().parents[2]
MS_PER_CHARACTER = 70


@pytest.fixture(scope="session")
def known() -> Known:
    """What flows/fr/heating.yaml may name."""
    texts = read_catalogue(ROOT / "audio_prompts" / "fr" / "prompts.yaml").texts
    folder = ROOT / "flows" / "fr"
    return Known(
        intent_names(folder / "intents.yaml"),
        intent_names(folder / "faqs.yaml"),
        {name: len(text) * MS_PER_CHARACTER for name, text in texts.items()},
    )


@pytest.fixture(scope="session")
def heating(known: Known) -> Flow:
    path = ROOT / "flows" / "fr" / "heating.yaml"
    return read_flow(path.read_text(encoding="utf-8"), "flows/fr/heating.yaml", known)


@pytest.fixture(scope="session")
def shipped(known: Known, heating: Flow) -> dict[str, Flow]:
    """Every shipped flow, by name."""
    path = ROOT / "flows" / "fr" / "order_status.yaml"
    order_status = read_flow(path.read_text(encoding="utf-8"), "flows/fr/order_status.yaml", known)
    path = ROOT / "flows" / "fr" / "heating_form.yaml"
    heating_form = read_flow(path.read_text(encoding="utf-8"), "flows/fr/heating_form.yaml", known)
    italian = ROOT / "flows" / "it"
    booking = read_flow(
        (italian / "booking.yaml").read_text(encoding="utf-8"),
        "flows/it/booking.yaml",
        Known(intent_names(italian / "intents.yaml"), frozenset(), {}, language="it", knowledge={"faq": ()}),
    )
    return {
        "fr/heating": heating,
        "fr/order_status": order_status,
        "fr/heating_form": heating_form,
        "it/booking": booking,
    }


@pytest.fixture(scope="session")
def resolvers(resolve: Resolver) -> dict[str, Resolver]:
    """Intents by exact phrase, by language."""
    return {"fr": resolve, "it": phrases_resolver(ROOT / "flows", "it", {})}


@pytest.fixture(scope="session")
def resolve(heating: Flow) -> Resolver:
    """Intents by exact phrase."""
    return phrases_resolver(ROOT / "flows", "fr", heating.faqs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the French flow folder, and prompts that are half a second of silence each."""
    flows, prompts = tmp_path / "flows" / "fr", tmp_path / "prompts" / "fr"
    flows.mkdir(parents=True)
    prompts.mkdir(parents=True)
    for name in ("heating.yaml", "intents.yaml", "faqs.yaml", "out_of_scope.yaml"):
        shutil.copy(ROOT / "flows" / "fr" / name, flows / name)
    shutil.copy(ROOT / "audio_prompts" / "fr" / "prompts.yaml", prompts / "prompts.yaml")
    for line in (prompts / "prompts.yaml").read_text().partition("prompts:")[2].splitlines():
        if line.startswith("  ") and not line.strip().startswith("#"):
            write_wav(prompts / f"{line.split(':')[0].strip()}.wav")
    return tmp_path


def write_wav(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(8_000))
