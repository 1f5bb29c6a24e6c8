"""The pages that the service shows: the chat for web sites below `/chat/`, and `/try` for who writes flows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).resolve().parent / "page"
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
CHAT: Final = {
    f"/chat/{name}": FOLDER / name
    for name in ("chat.js", "page.html", "page.js", "page.css", "connection.js", "markdown.js", "words.js")
}
TRY: Final = {"/try": FOLDER / "try.html", "/try/try.js": FOLDER / "try.js", "/try/try.css": FOLDER / "try.css"}
"""Open to everybody: they hold nothing, and what they ask needs the key that is typed in."""


def routes(origins: Collection[str], files: Mapping[str, Path]) -> list[Route]:
    """Routes of files by their paths; pages of these web sites may have the chat in a frame."""
    return [Route(path, _answer(file, origins)) for path, file in files.items()]


def headers(origins: Collection[str]) -> dict[str, str]:
    """Nothing but what comes from here is run, shown or asked; nothing inline."""
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(["'self'", *origins]),
        "require-trusted-types-for": "'script'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in rules.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=300",
    }


def _answer(file: Path, origins: Collection[str]) -> Callable[[Request], Awaitable[Response]]:
    body, kind = file.read_bytes(), _TYPES[file.suffix]

    async def answer(_: Request) -> Response:
        return Response(body, media_type=kind, headers=headers(origins))

    return answer
