"""A real Asterisk starts from the deployment's files, has every module it needs, and leaves nothing behind."""

import os
import re
from pathlib import Path

import pytest

from devstack.asterisk import Asterisk, settings_on_free_ports
from devstack.processes import ProcessFailed

CONF = Path(__file__).resolve().parents[2] / "asterisk_conf"


def test_every_module_of_the_list_is_running(asterisk: Asterisk) -> None:
    wanted = set(re.findall(r"^load = (\S+)", (CONF / "modules.conf").read_text(encoding="utf-8"), re.MULTILINE))
    running = {module["name"] for module in asterisk.get("asterisk/modules") if module["status"] == "Running"}
    assert len(wanted) > 50
    assert wanted <= running


def test_nothing_is_wrong_after_the_start() -> None:
    server = Asterisk(settings_on_free_ports())
    server.start()
    log = server.log()
    server.stop()
    assert "Asterisk" in log
    assert not [line for line in log.splitlines() if "ERROR" in line or "WARNING" in line]


def test_it_leaves_nothing_behind() -> None:
    server = Asterisk(settings_on_free_ports())
    server.start()
    pid = server.process.pid
    server.stop()
    assert server.process.exit_status == 0
    assert not server.run_dir.exists()
    assert not os.path.exists(f"/proc/{pid}")


def test_recordings_lie_where_they_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    server = Asterisk(settings_on_free_ports(), recordings_dir=tmp_path / "recordings")
    server.start()
    try:
        (tmp_path / "recordings" / "call-1.wav").write_bytes(b"RIFF")
        assert [item["name"] for item in server.get("recordings/stored")] == ["call-1"]
    finally:
        server.stop()
    assert (tmp_path / "recordings" / "call-1.wav").exists()


def test_a_wrong_password_is_refused(asterisk: Asterisk) -> None:
    stranger = Asterisk(settings_on_free_ports(http_port=asterisk.settings.http_port))
    with pytest.raises(ProcessFailed, match="401"):
        stranger.get("channels")


@pytest.mark.parametrize("port", ["sip_port", "http_port"])
def test_a_port_in_use_is_told_and_cleaned_up(asterisk: Asterisk, port: str) -> None:
    second = Asterisk(settings_on_free_ports(**{port: getattr(asterisk.settings, port)}))
    with pytest.raises(ProcessFailed, match="in use"):
        second.start()
    assert second.process.exit_status is not None
    assert not second.run_dir.exists()
