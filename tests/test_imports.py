"""Who imports whom: services meet only in `protocol`, and pure modules touch no clock, socket or model."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("ari_controller", "rtp_receiver", "whisper_service", "intent_service", "bot_manager")
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


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_no_other_service(service: str) -> None:
    others = set(SERVICES) - {service}
    found = {
        (path.name, name) for path in modules(service) for name in imports_of(path) if name.split(".")[0] in others
    }
    assert not found


@pytest.mark.parametrize("package", ["protocol", "voice_activity", "yaml_text"])
def test_what_services_share_imports_nothing_else_of_ours(package: str) -> None:
    ours = {path.name for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"} | {"config"}
    found = {name for path in modules(package) for name in imports_of(path) if name.split(".")[0] in ours}
    assert {name.split(".")[0] for name in found} <= {package}


def test_modules_that_call_themselves_pure_are() -> None:
    """A module whose docstring says `Pure:` keeps that promise."""
    pure = [
        path
        for package in (*SERVICES, "voice_activity", "yaml_text")
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
