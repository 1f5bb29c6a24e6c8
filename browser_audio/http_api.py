"""The HTTP side: `/ws/call`, the page below `/call/`, and what every service answers about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

from browser_audio.service import BrowserCalls
from config import origins_of
from observability.endpoints import ServiceReport
from observability.gate import Gate
from observability.pages import routes as page_routes

SOCKET: Final = "/ws/call"
FOLDER: Final = Path(__file__).resolve().parent / "page"
PAGE: Final = {
    f"/call/{name}": FOLDER / name for name in ("call.html", "call.css", "call.js", "phone.js", "sound.js", "words.js")
}
MAX_BODY_BYTES: Final = 4_096


def create_app(calls: BrowserCalls, report: ServiceReport) -> Starlette:
    """The application of one service."""
    origins = origins_of(calls.settings.browser_origins)
    routes = [
        WebSocketRoute(SOCKET, calls.serve),
        *page_routes(origins, PAGE, microphone=True),
        *report.routes(),
    ]
    public = {SOCKET, *PAGE} if origins else set()
    gate = Middleware(
        Gate, token=calls.settings.pronto_token, max_body_bytes=MAX_BODY_BYTES, public=public, origins=origins
    )
    app = Starlette(routes=routes, middleware=[gate])
    app.router.redirect_slashes = False
    return app
