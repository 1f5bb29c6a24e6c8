"""Who imports whom: services meet only in `protocol`, and pure modules touch no clock, socket or model."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("ari_controller", "rtp_receiver", "whisper_service", "intent_service", "bot_manager")
OUTSIDE = ("pronto", "devstack", "callers", "benchmarks", "models", "scripts", "tests")
"""What stands around the product and may import all of it."""
MAY_IMPORT: dict[str, set[str]] = {
    "config": set(),
    "protocol": set(),
    "yaml_text": set(),
    "voice_activity": set(),
    "audio_prompts": {"config", "yaml_text"},
    "observability": {"config"},
    "dialogue": {"protocol", "yaml_text", "audio_prompts"},
    "records": {"protocol", "dialogue", "config"},
    "ari_controller": {"config", "protocol", "observability"},
    "rtp_receiver": {"config", "protocol", "observability", "voice_activity"},
    "whisper_service": {"config", "observability", "voice_activity"},
    "intent_service": {"config", "observability", "yaml_text"},
    "bot_manager": {"config", "protocol", "observability", "dialogue", "records"},
}
"""Room -> the rooms whose modules it may import. docs/architecture.md draws it."""
SHELL_ONLY = {
    "asyncio",
    "aiohttp",
    "redis",
    "fastapi",
    "time",
    "random",
    "os",
    "uvicorn",
    "sqlalchemy",
    "httpx",
    "socket",
}


def imports_of(path: Path) -> set[str]:
    """Dotted names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room_of(name: str) -> str:
    """The room that a dotted module name is in."""
    return name.split(".")[0]


def files_of(room: str) -> list[Path]:
    return modules(room) if (ROOT / room).is_dir() else [ROOT / f"{room}.py"]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in files_of(room)
        for name in imports_of(path)
        if room_of(name) in {*MAY_IMPORT, *OUTSIDE} and room_of(name) not in {room, *MAY_IMPORT[room]}
    }
    assert not found


def test_every_room_is_in_the_table() -> None:
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} | {"config"}
    assert rooms - set(OUTSIDE) == set(MAY_IMPORT)


def test_the_picture_of_the_rooms_is_that_of_the_table() -> None:
    """docs/rooms.svg: `python -m scripts.draw_rooms` makes it."""
    from scripts.draw_rooms import PICTURE, picture

    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_modules_that_call_themselves_pure_are() -> None:
    """A module whose docstring says `Pure:` keeps that promise."""
    pure = [
        path
        for package in (*SERVICES, "dialogue", "records", "voice_activity", "yaml_text")
        for path in modules(package)
        if "Pure:" in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    ]
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in pure
        for name in imports_of(path)
        if name.split(".")[0] in SHELL_ONLY
    }
    assert not found
