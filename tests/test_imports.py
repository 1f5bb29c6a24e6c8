"""Who imports whom: services meet only in `protocol`, and pure modules touch no clock, socket or model."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = (
    "ari_controller",
    "rtp_receiver",
    "whisper_service",
    "speech_service",
    "intent_service",
    "bot_manager",
    "booking_service",
    "text_service",
    "browser_audio",
)
OUTSIDE = ("pronto", "devstack", "callers", "benchmarks", "models", "scripts", "tests")
"""What stands around the product and may import all of it."""
MAY_IMPORT: dict[str, set[str]] = {
    "forms": set(),
    "knowledge_file": set(),
    "config": {"forms"},
    "protocol": set(),
    "yaml_text": set(),
    "compiled": set(),
    "voice_activity": {"compiled"},
    "sayable": set(),
    "audio_prompts": {"forms", "config", "yaml_text", "protocol"},
    "observability": {"config"},
    "dialogue": {"forms", "protocol", "yaml_text", "audio_prompts", "knowledge_file"},
    "records": {"protocol"},
    "ari_controller": {"forms", "config", "protocol", "observability"},
    "rtp_receiver": {"config", "protocol", "observability", "voice_activity", "compiled"},
    "whisper_service": {"config", "observability", "voice_activity"},
    "speech_service": {"config", "observability", "sayable", "audio_prompts"},
    "intent_service": {"config", "observability", "yaml_text", "knowledge_file"},
    "booking_service": {"config", "protocol", "observability", "records"},
    "bot_manager": {"config", "protocol", "observability", "dialogue", "records"},
    "text_service": {"forms", "config", "protocol", "observability", "audio_prompts"},
    "browser_audio": {"forms", "config", "protocol", "observability", "audio_prompts"},
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
    "subprocess",
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
    modules = {"config", "forms", "knowledge_file"}
    rooms = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} | modules
    assert rooms - set(OUTSIDE) == set(MAY_IMPORT)


def test_the_picture_of_the_rooms_is_that_of_the_table() -> None:
    """docs/rooms.svg: `python -m scripts.draw_rooms` makes it."""
    from scripts.draw_rooms import PICTURE, picture

    assert PICTURE.read_text(encoding="utf-8") == picture()


def test_modules_that_call_themselves_pure_are() -> None:
    """A module whose docstring has the word `Pure` keeps that promise, whatever stands behind it."""
    pure = [
        path
        for room in MAY_IMPORT
        for path in files_of(room)
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    ]
    assert len(pure) > 60
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in pure
        for name in imports_of(path)
        if name.split(".")[0] in SHELL_ONLY
    }
    assert not found
