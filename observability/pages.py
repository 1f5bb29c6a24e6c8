"""Pages that services show: files by their paths, with a policy under which nothing but what comes from here is run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def routes(origins: Collection[str], files: Mapping[str, Path], *, microphone: bool = False) -> list[Route]:
    """Routes of files by their paths; pages of these web sites may have them in a frame, and they the microphone."""
    return [Route(path, _answer(file, headers(origins, microphone=microphone))) for path, file in files.items()]


def headers(origins: Collection[str], *, microphone: bool = False) -> dict[str, str]:
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
        "Permissions-Policy": f"camera=(), geolocation=(), microphone=({'self' if microphone else ''})",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, max-age=300",
    }


def _answer(file: Path, sent: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    body, kind = file.read_bytes(), _TYPES[file.suffix]

    async def answer(_: Request) -> Response:
        return Response(body, media_type=kind, headers=dict(sent))

    return answer
