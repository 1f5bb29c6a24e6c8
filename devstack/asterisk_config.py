"""Turns the deployment's configuration in asterisk_conf/ into that of one Asterisk on this machine.

The files stay as they are, comments included; only the values that tie them to a machine (folders, addresses, ports,
passwords) are put in. So what the tests run is what is deployed. Pure: text in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

# Asterisk looks for these too and writes an error line for each one that is missing.
EMPTY_FILES = "acl ccss cel features manager pjproject udptl websocket_client".split()

_SECTION = re.compile(r"^\[(?P<name>[^]]+)\]")
_VALUE = re.compile(r"^(?P<key>[\w-]+)(?P<equals>\s*=>?\s*)(?P<value>.*)$")


class UnknownSection(ValueError):
    """A change names a section that the file does not have."""


@dataclass(frozen=True)
class AsteriskSettings:
    """What makes one Asterisk different from the next."""

    sip_port: int
    """UDP port for SIP."""
    http_port: int
    """TCP port of ARI, always on loopback."""
    ari_password: str
    """Password of the ARI user `pronto`."""
    softphone_password: str
    """Password of the SIP account `softphone`."""
    address: str = "127.0.0.1"
    """The address for SIP and RTP."""
    trunk: str = "127.0.0.1/32"
    """Addresses whose calls are taken without a password: the callers of the local stack."""
    rtp_ports: tuple[int, int] = (10_000, 29_999)
    """First and last UDP port for audio."""
    app: str = "pronto"
    """The controller's ARI application."""
    away_prompt: str = "demo-congrats"
    """What a caller hears while the controller is away: a sound without file extension."""
    adviser: str = ""
    """The channel that rings at a hand-off; empty: an echo."""
    extra_dialplan: str = ""
    """Appended to extensions.conf: the tests' own extensions."""


def with_values(text: str, changes: Mapping[str, Mapping[str, str]]) -> str:
    """`text` with the values of `changes` put in: {section: {key: value}}, {"trunk:identify": ...} for the section
    [trunk] with `type = identify`. A key that the section lacks is added below its header. Raises UnknownSection."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _SECTION.match(line)]
    blocks = [lines[start:end] for start, end in zip([0, *starts], [*starts, len(lines)], strict=True)]
    missing = set(changes)
    for index, block in enumerate(blocks):
        for selector in _selectors(block) & set(changes):
            blocks[index] = _changed(blocks[index], changes[selector])
            missing.discard(selector)
    if missing:
        raise UnknownSection(f"no section {', '.join(sorted(missing))}")
    return "\n".join(line for block in blocks for line in block) + "\n"


def _selectors(block: list[str]) -> set[str]:
    header = _SECTION.match(block[0]) if block else None
    if header is None:
        return set()
    name = header["name"]
    kinds = {match["value"] for line in block if (match := _VALUE.match(line)) and match["key"] == "type"}
    return {name} | {f"{name}:{kind}" for kind in kinds}


def _changed(block: list[str], values: Mapping[str, str]) -> list[str]:
    result, left = [], dict(values)
    for line in block:
        match = _VALUE.match(line)
        if match and match["key"] in values:
            # a key that is given twice (allow, match) keeps its first place only
            if match["key"] in left:
                result.append(f"{match['key']}{match['equals']}{left.pop(match['key'])}")
        else:
            result.append(line)
    return result[:1] + [f"{key} = {value}" for key, value in left.items()] + result[1:]


def folders(run: PurePath) -> dict[str, PurePath]:
    """The folders of asterisk.conf below the run folder."""
    return {
        "astetcdir": run / "etc",
        "astvarlibdir": run / "lib",
        "astcachedir": run / "lib",
        "astkeydir": run / "lib",
        "astdbdir": run / "db",
        "astspooldir": run / "spool",
        "astrundir": run / "run",
        "astlogdir": run / "log",
    }


def local_files(
    deployed: Mapping[str, str], settings: AsteriskSettings, run: PurePath, modules: PurePath, data: PurePath
) -> dict[str, str]:
    """All configuration files by name. `deployed` are the texts of asterisk_conf/, `run` the folder of this Asterisk,
    `modules` and `data` those of its program. Raises UnknownSection and KeyError when `deployed` does not fit."""
    own_folders = {"astmoddir": modules, "astdatadir": data, **folders(run)}
    changes: dict[str, dict[str, dict[str, str]]] = {
        "asterisk.conf": {"directories": {key: str(path) for key, path in own_folders.items()}},
        "http.conf": {"general": {"bindaddr": "127.0.0.1", "bindport": str(settings.http_port)}},
        "rtp.conf": {
            "general": {"rtpstart": str(settings.rtp_ports[0]), "rtpend": str(settings.rtp_ports[1])},
        },
        "pjsip.conf": {
            "udp": {"bind": f"{settings.address}:{settings.sip_port}"},
            "trunk:endpoint": _media_on(settings.address),
            "trunk:identify": {"match": settings.trunk},
            "softphone:endpoint": _media_on(settings.address),
        },
        "globals.conf": {
            "globals": {
                "PRONTO_APP": settings.app,
                "PRONTO_AWAY_PROMPT": settings.away_prompt,
                "PRONTO_ADVISER": settings.adviser,
            },
        },
    }
    files = {name: with_values(text, changes.get(name, {})) for name, text in deployed.items()}
    absent = set(changes) - set(deployed)
    if absent:
        raise KeyError(f"asterisk_conf/ lacks {', '.join(sorted(absent))}")
    files["extensions.conf"] += settings.extra_dialplan
    files["ari_password.conf"] = f"password = {settings.ari_password}\n"
    files["softphone_password.conf"] = f"password = {settings.softphone_password}\n"
    return {f"{name}.conf": "" for name in EMPTY_FILES} | files


def _media_on(address: str) -> dict[str, str]:
    # without the second line the audio sockets would be open on every address
    return {"media_address": address, "bind_rtp_to_media_address": "yes"}
