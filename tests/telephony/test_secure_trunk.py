"""TLS and SRTP are switched on in pjsip.conf alone, and then a call between two Asterisks is heard by nobody else."""

import base64
import http.client
import re
import shutil
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode

from config import ROOT
from devstack.asterisk import ARI_USER, Asterisk, settings_on_free_ports
from devstack.asterisk_config import with_values
from devstack.processes import ProcessFailed, free_tcp_port, wait_for


def certificate(folder: Path) -> dict[str, str]:
    """The values of `[tls]` for a new certificate of 127.0.0.1 that signs itself."""
    key, crt = folder / "pronto.key", folder / "pronto.crt"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", crt], check=True, capture_output=True)
    return {"cert_file": str(crt), "priv_key_file": str(key), "ca_list_file": str(crt)}


def without_semicolons(text: str) -> str:
    """pjsip.conf with the section [tls] and the trunk's two lines switched on, as its comments say."""
    section = re.search(r"^;\[tls\]\n(?:;.*\n)+", text, re.MULTILINE)
    assert section is not None
    text = text.replace(section[0], re.sub(r"^;(?! )", "", section[0], flags=re.MULTILINE))
    return text.replace("transport = udp\n; instead", "; instead").replace(
        ";transport = tls\n;media_encryption", "transport = tls\nmedia_encryption"
    )


def secure(folder: Path, keys: dict[str, str], port: int, other: int) -> Asterisk:
    """An Asterisk that takes calls over TLS on `port` and has the one on `other` for its provider."""
    shutil.copytree(ROOT / "asterisk_conf", folder)
    pjsip = folder / "pjsip.conf"
    changes = {
        "tls": {**keys, "bind": f"127.0.0.1:{port}"},
        "trunk:aor": {"contact": rf"sip:127.0.0.1:{other}\;transport=tls"},
    }
    pjsip.write_text(with_values(without_semicolons(pjsip.read_text(encoding="utf-8")), changes), encoding="utf-8")
    return Asterisk(settings_on_free_ports(), deployed_dir=folder)


def call(asterisk: Asterisk) -> None:
    """A call over the trunk, with an echo at this end."""
    query = {"endpoint": "PJSIP/0123@trunk", "context": "handoff", "extension": "900", "priority": "1"}
    token = base64.b64encode(f"{ARI_USER}:{asterisk.settings.ari_password}".encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", asterisk.settings.http_port, timeout=5.0)
    connection.request("POST", f"/ari/channels?{urlencode(query)}", headers={"Authorization": f"Basic {token}"})
    assert connection.getresponse().status == http.client.OK
    connection.close()


def test_a_trunk_has_tls_and_srtp_without_another_module(tmp_path: Path) -> None:
    keys = certificate(tmp_path)
    near_port, far_port = free_tcp_port(), free_tcp_port()
    near = secure(tmp_path / "near", keys, near_port, far_port)
    far = secure(tmp_path / "far", keys, far_port, near_port)

    def value(channel: str, name: str) -> str:
        return str(far.get(f"channels/{channel}/variable?{urlencode({'variable': name})}")["value"])

    hearing: list[str] = []

    def hears() -> bool:
        """Whether a channel at the far end hears the echo. A slow machine may send an INVITE again, and a channel that
        is gone between two questions hears nothing."""
        for channel in far.get("channels"):
            with suppress(ProcessFailed):
                if int(value(channel["id"], "CHANNEL(rtcp,rxcount)") or 0) > 50:
                    hearing.append(channel["id"])
        return bool(hearing)

    with ExitStack() as running:
        for asterisk in (near, far):
            asterisk.start()
            running.callback(asterisk.stop)
        call(near)
        assert wait_for(hears, 15.0), far.log() + near.log()
        assert value(hearing[0], "CHANNEL(pjsip,secure)") == "1"
        assert value(hearing[0], "CHANNEL(rtp,secure,audio)") == "1"
