"""What dies is started again, and what is stopped has time to finish: read off the compose file and the unit."""

from dataclasses import fields
from pathlib import Path

import yaml

from config import SERVICES

ROOT = Path(__file__).resolve().parent.parent.parent


def longest_drain_s() -> float:
    """The longest default of a service for finishing what it has begun."""
    return max(
        float(str(field.default))
        for cls in SERVICES.values()
        for field in fields(cls)
        if field.name.endswith("_drain_s")
    )


def unit() -> dict[str, str]:
    lines = (ROOT / "deploy" / "systemd" / "pronto@.service").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def test_every_container_is_started_again_and_has_time_to_stop() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.gpu.yml").read_text(encoding="utf-8"))
    assert {service["restart"] for service in compose["services"].values()} == {"unless-stopped"}
    for name in ("controller", "receiver", "bot", "whisper", "speech", "booking", "intent", "asterisk"):
        grace_s = float(compose["services"][name]["stop_grace_period"].removesuffix("s"))
        assert grace_s > longest_drain_s() + 5, name


def test_the_unit_starts_again_what_dies_and_not_what_was_replaced_or_set_up_wrongly() -> None:
    settings = unit()
    assert settings["Restart"] == "always"
    assert settings["RestartPreventExitStatus"].split() == ["2", "3"]
    assert float(settings["TimeoutStopSec"]) > longest_drain_s() + 5
