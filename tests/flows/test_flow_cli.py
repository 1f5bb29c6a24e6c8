"""The command line over the shipped flow: exit status and what is printed."""

import asyncio
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from config import ROOT
from devstack.order_server import OrderServer
from dialogue.flow import Flow
from dialogue.flow_picture import picture
from dialogue.flow_store import FlowStore
from pronto.__main__ import main

SVG = "{http://www.w3.org/2000/svg}"


def flow_command(*arguments: str) -> int:
    return main(["flow", *arguments])


def run_in(folder: Path, *arguments: str) -> int:
    return flow_command("--flows-dir", str(folder / "flows"), "--prompts-dir", str(folder / "prompts"), *arguments)


def test_check_says_what_is_wrong_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr" / "x.yaml").write_text("flow: x\nlanguage: fr\n")
    (tmp_path / "fr" / "intents.yaml").write_text("language: fr\nintents: {}\n")
    assert flow_command("--flows-dir", str(tmp_path), "check") == 1
    faults = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^.*?(x\.yaml.*)$", r"\1", fault) for fault in faults] == [
        "x.yaml:1: the flow needs start",
        "x.yaml:1: the flow needs states",
        "x.yaml:1: the flow needs too_long",
        "x.yaml:1: the flow needs trouble",
    ]


def test_check_names_the_flows_that_are_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_in(folder, "check") == 0
    assert re.fullmatch(r"fr/heating: good; \d+ states, 8 of them ask, version [0-9a-f]{12}\n", capsys.readouterr().out)


def test_scores_are_played_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score = folder / "scores.yaml"
    score.write_text("scores:\n  - name: a\n    steps: [says: oui, state: ask_zip_code]\n")
    assert run_in(folder, "test", str(score)) == 0
    assert "1 scores, 0 wrong" in capsys.readouterr().out
    score.write_text("scores:\n  - name: a\n    steps: [says: oui, state: goodbye]\n")
    assert run_in(folder, "test", str(score)) == 1
    assert "step 2 {'state': 'goodbye'}: the state is ask_zip_code" in capsys.readouterr().out


def test_the_picture_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_in(folder, "graph", "-o", str(folder / "flow.svg")) == 0
    assert (folder / "flow.svg").read_text().startswith("<svg")
    assert run_in(folder, "graph", "fr/cooling") == 1
    assert "no flow fr/cooling; there are fr/heating" in capsys.readouterr().err


def test_chat_shows_prompts_state_intent_and_score(folder: Path) -> None:
    folders = ["--flows-dir", str(folder / "flows"), "--prompts-dir", str(folder / "prompts")]
    chat = subprocess.run(
        [sys.executable, "-m", "pronto", "flow", *folders, "chat", "--phrases"],
        input="oui d'accord\n\n#75011#\nje suis locataire\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "bot> Très bien. Quel est le code postal de votre logement ?" in chat.stdout
    assert "[ok_eligibility 0.97, endpoint; init -> ask_zip_code; ]" in chat.stdout
    assert "[nothing 0.00, no_input; ask_zip_code; ]" in chat.stdout
    assert "[slot_value 1.00, dtmf; ask_zip_code -> ask_owner_house; zip_code=75011]" in chat.stdout
    assert chat.stdout.endswith("(hang-up; outcome not_owner; zip_code=75011 owner=no)\n")


def chat_of_orders(folder: Path, lines: str, *more: str, **settings: str) -> str:
    """A conversation about an order."""
    text = (ROOT / "flows" / "fr" / "order_status.yaml").read_text(encoding="utf-8")
    port = settings.pop("port", "8099")
    (folder / "flows" / "fr" / "order_status.yaml").write_text(text.replace("8099", port), encoding="utf-8")
    folders = ["--flows-dir", str(folder / "flows"), "--prompts-dir", str(folder / "prompts")]
    return subprocess.run(
        [sys.executable, "-m", "pronto", "flow", *folders, "chat", "fr/order_status", "--phrases", *more],
        input=lines,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_chat_shows_what_actions_ask_and_what_is_remembered(folder: Path) -> None:
    answers = ['ok {"nothing"', "perhaps", "not_found", "123456", 'ok {"number": "123456", "status": "sent"}', "non"]
    shown = chat_of_orders(folder, "\n".join(answers) + "\n")
    assert "[asks: find_by_telephone: GET http://127.0.0.1:8099/orders telephone=+33100000000]" in shown
    assert "[no JSON: " in shown
    assert "[there is no outcome 'perhaps']" in shown
    assert "[asks: find_by_number: GET http://127.0.0.1:8099/orders/123456]" in shown
    assert "{order.number=123456, order.status=sent}" in shown
    assert "outcome told" in shown


async def test_chat_can_ask_the_servers_themselves(folder: Path) -> None:
    orders = OrderServer()
    server = TestServer(orders.app(), host="127.0.0.1")
    await server.start_server()
    host = f"127.0.0.1:{server.port}"
    lines = "123456\noui\n"
    told = {"port": str(server.port), "ACTION_PRIVATE_HOSTS": host}
    shown = await asyncio.to_thread(chat_of_orders, folder, lines, "--live", **told)
    await server.close()
    assert "s: not_found null]" in shown
    assert "order.status=sent" in shown
    assert list(orders.call_backs.values()) == [{"order": "123456", "telephone": "+33100000000"}]
    assert "outcome call_back" in shown


def test_the_picture_shows_every_state_and_each_way_once(heating: Flow) -> None:
    root = ElementTree.fromstring(picture(heating))
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]
    assert sorted(str(name) for name in names) == sorted(["fr/heating", "anywhere", *heating.states])
    labels = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "small"]
    assert labels.count("not_proprio") == 1
    assert labels.count("trouble") == 1
    boxes = [{key: float(box.get(key, 0)) for key in ("x", "y", "width", "height")} for box in root.iter(f"{SVG}rect")][
        1:
    ]
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            apart_x = box["x"] + box["width"] <= other["x"] or other["x"] + other["width"] <= box["x"]
            apart_y = box["y"] + box["height"] <= other["y"] or other["y"] + other["height"] <= box["y"]
            assert apart_x or apart_y


def test_a_way_past_other_questions_is_told_in_the_box_of_its_question() -> None:
    flows = FlowStore(ROOT / "flows", ROOT / "audio_prompts")
    flows.load()
    for name in ("it/booking", "fr/heating_form"):
        flow = flows.current(name)
        texts = list(ElementTree.fromstring(picture(flow)).iter(f"{SVG}text"))
        assert min(float(text.get("x", 0)) for text in texts) >= 70  # beside a box it would stand under the arrows
        told = [str(text.text).rpartition("→ ")[2] for text in texts if "→" in str(text.text)]
        assert told
        assert set(told) <= set(flow.states)


def test_the_picture_of_names_with_special_characters_is_valid(heating: Flow) -> None:
    odd = replace(heating.states["init"], say=("<&>",))
    flow = replace(heating, name='a<b>&"c"', states={**heating.states, "init": odd})
    texts = [text.text for text in ElementTree.fromstring(picture(flow)).iter(f"{SVG}text")]
    assert 'fr/a<b>&"c"' in texts
    assert "says <&>" in texts
