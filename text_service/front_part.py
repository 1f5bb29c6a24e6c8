"""A front part: the chat's pages and sockets, for a back part that may be on another machine. It holds no conversation
and needs no Redis, no flows, no prompts; several of them serve one back part."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from config import TextSettings, origins_of
from observability.endpoints import ServiceReport
from observability.gate import Gate
from observability.http import Server
from observability.lifecycle import until_stopped
from observability.listening import bound_socket
from observability.pages import routes as page_routes
from text_service import metrics, pages
from text_service.back_part import BackPart
from text_service.limits import Limits
from text_service.refusals import MAX_BODY_BYTES
from text_service.sockets import SOCKETS, Sockets

log = logging.getLogger("text_service")

GRACE_S = 5


def create_front(back: BackPart, report: ServiceReport) -> Starlette:
    """The application of one front part."""
    settings = back.settings
    origins = origins_of(settings.text_origins)
    sockets = Sockets(back, Limits(settings.text_client_rate, settings.text_address_rate))

    async def status(_: Request) -> Response:
        return JSONResponse({**await back.look_at_parts(), "clients_connected": sockets.count})

    routes = [
        Route("/api/text/status", status),
        WebSocketRoute(SOCKETS, sockets.serve),
        *page_routes(origins, pages.CHAT),
        *report.routes(),
    ]
    key = settings.text_api_key or settings.pronto_token
    public = {SOCKETS, *pages.CHAT} if origins else set()
    gate = Middleware(Gate, token=key, max_body_bytes=MAX_BODY_BYTES, public=public, origins=origins)
    app = Starlette(routes=routes, middleware=[gate])
    app.router.redirect_slashes = False
    return app


async def run_front(settings: TextSettings) -> None:
    """Serves until a signal comes, then lets queries be answered, for `text_drain_s` at most. A back part that is away
    is no reason to be away too: who opens the page is told."""
    back = BackPart(settings)
    report = ServiceReport(lambda: {"inside": back.inside}, lambda: (True, ""), back.drain)
    metrics.READY.set_function(lambda: float(not back.drain.is_draining))
    sock = bound_socket(settings.text_host, settings.text_port, settings.reuse_port)
    server = Server(create_front(back, report), sock, GRACE_S, web_sockets=True)
    await server.start()
    log.info("ready")

    async def finish() -> None:
        back.drain.begin()
        await back.watchers.tell_all()
        await back.drain.finished(settings.text_drain_s)

    try:
        await until_stopped(server.alive(), back.follow(), before_end=finish)
    finally:
        await server.stop()
