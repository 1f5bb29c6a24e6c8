"""An image holds what its processes import, nothing more, no password, and does not run as root: read off the files."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import yaml

from config import SERVICES, key_of
from tests.deploy.imports import ENTRIES, OURS, ROOT, closure

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "docker-compose.gpu.yml"
EXTRAS = {
    "service": ("controller", "receiver", "bot", "text", "browser"),
    "prompts": ("prompts",),
    "whisper": ("whisper",),
    "speech": ("speech",),
    "booking": ("booking",),
    "intent": ("intent",),
    "intent-torch": ("intent-train",),
}
"""Stage -> the extras that it is made of; test_extras.py holds an extra to what its process imports."""
INSTALL = "pip install --no-cache-dir --require-hashes --no-deps"


@dataclass
class Stage:
    """One `FROM ... AS name` with what was inherited."""

    base: str
    installs: list[str] = field(default_factory=list)
    """Each `pip install`, up to its end."""
    copied: set[str] = field(default_factory=set)
    """Sources of COPY, those that another stage made under our folder included."""
    user: str = "root"
    command: list[str] = field(default_factory=list)


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of every line, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = (line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line.strip())
    return [(name, rest) for name, rest in lines]


@cache
def stages() -> dict[str, Stage]:
    """The stages by name."""
    found: dict[str, Stage] = {}
    current = Stage("")
    for name, rest in instructions():
        match name:
            case "FROM":
                base, stage = rest.split(" AS ")
                parent = found.get(base, Stage(""))
                current = Stage(base, list(parent.installs), set(parent.copied), parent.user)
                found[stage] = current
            case "RUN":
                current.installs += re.findall(r"pip install [^&]*(?<! )", rest)
            case "COPY":
                sources = [word for word in rest.split() if not word.startswith("--")][:-1]
                current.copied |= {source.removeprefix("/opt/pronto/").removeprefix("./") for source in sources}
            case "USER":
                current.user = rest
            case "CMD":
                current.command = yaml.safe_load(rest)
    return found


def entries(stage: str) -> tuple[str, ...]:
    """The modules that are started in a stage."""
    return tuple(entry for extra in EXTRAS[stage] for entry in ENTRIES[extra])


@pytest.mark.parametrize("name", EXTRAS)
def test_a_stage_installs_the_locks_of_its_extras_by_their_hashes_and_nothing_else(name: str) -> None:
    locks = [f"locks/{extra}.txt" for extra in EXTRAS[name]]
    assert stages()[name].installs == [" ".join([INSTALL, *(f"-r {lock}" for lock in locks)])]
    assert set(locks) <= stages()[name].copied


def test_only_the_stage_that_exports_the_encoder_has_torch() -> None:
    with_torch = {name for name, stage in stages().items() if "locks/torch.txt" in stage.copied}
    assert with_torch == {"intent-torch"}


@pytest.mark.parametrize("name", EXTRAS)
def test_a_stage_copies_just_the_modules_that_its_processes_import(name: str) -> None:
    ours, _ = closure(entries(name))
    copied = {source.removesuffix(".py") for source in stages()[name].copied}
    assert {module.split(".")[0] for module in ours} == copied & OURS


def test_the_image_has_the_asterisk_that_set_up_fetches() -> None:
    pin = "asterisk_conf/asterisk.version"
    lines = (ROOT / pin).read_text(encoding="utf-8").splitlines()
    [version] = [line for line in lines if not line.startswith("#")]
    assert re.fullmatch(r"1:\d+\.\d+\.\d+\S*-\d+", version)
    [install] = [rest for name, rest in instructions() if name == "RUN" and "asterisk-core-sounds" in rest]
    assert f"version=$(sed '/^#/d' /opt/pronto/{pin})" in install
    assert {f'"{name}=$version"' for name in ("asterisk", "asterisk-modules", "asterisk-config")} <= set(
        install.split()
    )
    assert pin in stages()["asterisk"].copied
    assert f"$PROJECT/{pin}" in (ROOT / "scripts" / "fetch_packages.sh").read_text(encoding="utf-8")


def test_sources_of_copies_exist_and_the_context_has_them() -> None:
    ignored = set((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
    for stage in stages().values():
        assert {source for source in stage.copied - {".pronto"} if not (ROOT / source).exists()} == set()
        assert not (stage.copied - {".pronto"}) & ignored


def test_no_image_runs_as_root_or_holds_a_password() -> None:
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    targets = {service["build"]["target"] for service in compose["services"].values() if "build" in service}
    for target in targets:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", stages()[target].user), target
    words = {word for name, rest in instructions() if name in ("ENV", "ARG") for word in rest.split()}
    assert not {word for word in words if "PASSWORD" in word.upper()}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "asterisk_conf/*_password.conf"} <= set(ignored)


def compose_services() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return services


@pytest.mark.parametrize("name", compose_services())
def test_every_service_of_compose_has_a_health_check(name: str) -> None:
    assert compose_services()[name]["healthcheck"]["test"][0] == "CMD"


def test_compose_publishes_nothing_beyond_this_machine() -> None:
    for name, service in compose_services().items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
    for locked in (one for one in compose_services().values() if "build" in one):
        assert locked["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in locked["security_opt"]


def test_compose_starts_the_six_services_with_settings_that_they_have() -> None:
    keys = {
        module: {key_of(one) for one in settings.__dataclass_fields__.values()} for module, settings in SERVICES.items()
    }
    started = set()
    for service in compose_services().values():
        target = service.get("build", {}).get("target")
        command = service.get("command") or (stages()[target].command if target else [])
        if command[:2] == ["python", "-m"]:
            started.add(command[2])
            assert set(service["environment"]) <= keys[command[2]], command[2]
    assert started == set(SERVICES)


def test_every_variable_of_compose_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text(encoding="utf-8")))
    example = (ROOT / "deploy" / "example.env").read_text(encoding="utf-8")
    assert used == set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
