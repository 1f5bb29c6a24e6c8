"""modules.conf is minimal: each line is used by what we deploy or call, or is needed by a line that is."""

import re

from config import ROOT, STATE

CONF = ROOT / "asterisk_conf" / "modules.conf"
PROGRAM = STATE / "asterisk" / "modules"
DIALPLAN, PJSIP = "asterisk_conf/extensions.conf", "asterisk_conf/pjsip.conf"
REQUESTS, README = "ari_controller/ari_requests.py", "asterisk_conf/README.md"
USED = {
    "res_timing_timerfd": (REQUESTS, '"play"'),  # paces whatever is played
    "pbx_config": (DIALPLAN, "exten =>"),
    "func_channel": (README, "CHANNEL("),
    "func_callerid": (DIALPLAN, "CALLERID("),
    "func_dialplan": (REQUESTS, "DIALPLAN_EXISTS("),
    "app_playback": (DIALPLAN, "Playback("),
    "app_echo": (DIALPLAN, "Echo("),
    "app_dial": (DIALPLAN, "Dial("),
    "app_stasis": (DIALPLAN, "Stasis("),
    "bridge_simple": (DIALPLAN, "Dial("),  # caller and adviser, when the audio is converted
    "bridge_native_rtp": (DIALPLAN, "Dial("),  # the same, when it is not
    "bridge_softmix": (REQUESTS, '("type", "mixing")'),
    "codec_ulaw": (PJSIP, "ulaw"),
    "codec_alaw": (PJSIP, "alaw"),
    "codec_g722": (PJSIP, "g722"),
    "codec_gsm": (DIALPLAN, "Playback(beep)"),  # Asterisk's own sounds are GSM
    "format_gsm": (DIALPLAN, "Playback(beep)"),
    "codec_resample": (REQUESTS, '"slin16"'),
    "format_sln": ("ari_controller/speech_feeds.py", '".sln"'),
    "format_wav": (REQUESTS, '("format", "wav")'),
    "res_rtp_asterisk": (PJSIP, "rtp_timeout"),
    "res_srtp": (PJSIP, "media_encryption = sdes"),
    "chan_rtp": (REQUESTS, "externalMedia"),
    "chan_pjsip": (PJSIP, "type = endpoint"),
    "res_pjsip_sdp_rtp": (PJSIP, "rtp_symmetric"),
    "res_pjsip_caller_id": (PJSIP, "trust_id_inbound"),
    "res_pjsip_header_funcs": (DIALPLAN, "PJSIP_HEADER("),
    "res_pjsip_dtmf_info": (PJSIP, "dtmf_mode = auto"),
    "res_pjsip_endpoint_identifier_user": (PJSIP, "identify_by = username"),
    "res_pjsip_endpoint_identifier_ip": (PJSIP, "identify_by = ip"),
    "res_pjsip_authenticator_digest": (PJSIP, "auth_type = digest"),
    "res_pjsip_outbound_authenticator_digest": (PJSIP, "outbound_auth = trunk-auth"),
    "res_pjsip_outbound_registration": (PJSIP, "type = registration"),
    "res_pjsip_registrar": (PJSIP, "max_contacts"),
    "res_pjsip_nat": (PJSIP, "rewrite_contact"),
    "res_pjsip_rfc3326": ("ari_controller/ari_events.py", "cause"),  # why a call ended
    "res_pjsip_logger": (README, "pjsip set logger on"),
    "res_ari_applications": ("ari_controller/controller.py", "/applications/"),
    "res_ari_asterisk": ("ari_controller/controller.py", "/asterisk/info"),
    "res_ari_bridges": (REQUESTS, '_at("bridges"'),
    "res_ari_channels": (REQUESTS, '_at("channels"'),
    "res_ari_endpoints": (README, "/ari/endpoints"),
    "res_ari_events": ("ari_controller/ari.py", "/events"),
    "res_ari_playbacks": (REQUESTS, '_at("playbacks"'),
    "res_ari_recordings": ("tests/telephony/test_asterisk.py", "recordings/stored"),
}
"""Module -> a file and the text in it that is nothing without the module."""


def listed() -> set[str]:
    """The modules of modules.conf."""
    return set(re.findall(r"^load = (\w+)\.so$", CONF.read_text(encoding="utf-8"), re.MULTILINE))


def needed_by(module: str) -> set[str]:
    """The modules that `module` requires, as its file says: their names stand in it, alone or in a list with commas."""
    words = re.findall(rb"[\w,]+(?=\x00)", (PROGRAM / f"{module}.so").read_bytes())
    return {name for word in words for name in word.decode().split(",")} - {module}


def test_every_module_is_used_or_needed_by_one_that_is() -> None:
    wanted = set(USED)
    waiting = set(USED)
    while waiting:
        more = (needed_by(waiting.pop()) & listed()) - wanted
        wanted |= more
        waiting |= more
    assert listed() == wanted


def test_what_a_module_is_used_for_is_there() -> None:
    assert [
        (module, text) for module, (file, text) in USED.items() if text not in (ROOT / file).read_text(encoding="utf-8")
    ] == []


def test_the_least_version_is_that_of_the_newest_module() -> None:
    # the releases of ARI's outgoing websockets, without which res_ari cannot be loaded; 20.15 is the oldest of them
    assert "res_websocket_client" in listed() & needed_by("res_ari")
    assert "Asterisk 20.15, 21.10, 22.5 or newer" in (ROOT / README).read_text(encoding="utf-8")
    assert "wanted=20.15 program=asterisk" in (ROOT / "scripts" / "fetch_packages.sh").read_text(encoding="utf-8")
