"""The deployment's configuration with this machine's values put in: text in, text out."""

from pathlib import Path, PurePath

import pytest

from config import ROOT
from devstack.asterisk_config import AsteriskSettings, UnknownSection, local_files, with_values
from dialogue.flow_store import FlowStore
from dialogue.voice.holding import MOST_HELD_MS

CONF = Path(__file__).resolve().parents[2] / "asterisk_conf"
SETTINGS = AsteriskSettings(sip_port=5070, http_port=8090, ari_password="pw1", softphone_password="pw2")


def deployed() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in CONF.glob("*.conf")}


def rendered(settings: AsteriskSettings = SETTINGS) -> dict[str, str]:
    return local_files(deployed(), settings, PurePath("/r"), PurePath("/m"), PurePath("/d"))


def test_a_value_is_replaced_and_all_else_is_kept() -> None:
    text = "; about\n[one]\nport = 1\n; why\nname => x\n[two]\nport = 2\n"
    assert with_values(text, {"two": {"port": "9"}}) == "; about\n[one]\nport = 1\n; why\nname => x\n[two]\nport = 9\n"


def test_the_arrow_stays_an_arrow_and_a_comment_is_no_value() -> None:
    assert with_values("[d]\n;run => /no\nrun => /a\n", {"d": {"run": "/b"}}) == "[d]\n;run => /no\nrun => /b\n"


def test_a_key_the_section_lacks_is_added_to_it() -> None:
    assert with_values("[a]\nx = 1\n[b]\n", {"a": {"y": "2"}}) == "[a]\ny = 2\nx = 1\n[b]\n"


def test_sections_of_one_name_are_told_apart_by_their_type() -> None:
    text = "[t]\ntype = aor\nmatch = 1\n[t]\ntype = identify\nmatch = 1\n"
    assert with_values(text, {"t:identify": {"match": "2"}}) == text[:-2] + "2\n"


def test_a_repeated_key_becomes_one() -> None:
    assert with_values("[t]\nmatch = 1\nmatch = 2\n", {"t": {"match": "3"}}) == "[t]\nmatch = 3\n"


def test_a_section_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UnknownSection, match="two"):
        with_values("[one]\n", {"two": {"port": "1"}})


def test_folders_ports_and_passwords_are_this_machines() -> None:
    files = rendered()
    assert "astrundir => /r/run" in files["asterisk.conf"]
    assert "astmoddir => /m" in files["asterisk.conf"]
    assert "bindport = 8090" in files["http.conf"]
    assert "bind = 127.0.0.1:5070" in files["pjsip.conf"]
    assert files["ari_password.conf"] == "password = pw1\n"
    assert files["softphone_password.conf"] == "password = pw2\n"


def test_limits_of_the_deployment_are_the_ones_that_run() -> None:
    files, origin = rendered(), deployed()
    for name, line in (
        ("asterisk.conf", "maxfiles = 20000"),
        ("http.conf", "sessionlimit = 1000"),
        ("rtp.conf", "strictrtp = yes"),
        ("pjsip.conf", "rtp_timeout = 120"),
    ):
        assert line in origin[name].splitlines()
        assert line in files[name].splitlines()


LONGEST_TEXT_MS = 15_000
"""A flow without recordings speaks texts, whose length nobody knows before."""


def test_a_line_without_packets_outlives_every_wait_of_the_shipped_flows() -> None:
    """A muted telephone may send nothing: the flow says good-bye first. A hold is waited for by the bot first."""
    lines = deployed()["pjsip.conf"].splitlines()
    limits_s = {int(line.split("=")[1]) for line in lines if line.startswith("rtp_timeout =")}
    held_s = {int(line.split("=")[1]) for line in lines if line.startswith("rtp_timeout_hold =")}
    assert min(held_s) * 1_000 > MOST_HELD_MS
    flows = FlowStore(ROOT / "flows", ROOT / "audio_prompts")
    flows.load()
    assert flows.names()
    for flow in map(flows.current, flows.names()):
        prompt_ms = max(flow.prompt_ms.values(), default=LONGEST_TEXT_MS)
        patience_ms = max([step.wait_ms for step in flow.everywhere.values()])
        for state in filter(lambda state: state.listens, flow.states.values()):
            rungs = state.no_input.retries + 1 if state.no_input else 1
            silent_ms = patience_ms + rungs * (state.listening.no_input_ms + prompt_ms)
            assert min(limits_s) * 1_000 > silent_ms, (flow.name, state.name)


def test_ari_is_never_offered_to_the_network() -> None:
    for text in (deployed()["http.conf"], rendered(AsteriskSettings(1, 2, "a", "b", address="0.0.0.0"))["http.conf"]):
        assert "bindaddr = 127.0.0.1" in text.splitlines()


def test_no_password_is_in_the_deployed_files() -> None:
    lines = [line.strip() for text in deployed().values() for line in text.splitlines()]
    assert not [line for line in lines if line.startswith(("password =", "password="))]


def test_a_missing_file_is_named() -> None:
    without = {name: text for name, text in deployed().items() if name != "rtp.conf"}
    with pytest.raises(KeyError, match=r"rtp\.conf"):
        local_files(without, SETTINGS, PurePath("/r"), PurePath("/m"), PurePath("/d"))
