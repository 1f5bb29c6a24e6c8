"""The small HTTP server of services without an API of their own: `/health`, `/ready`, `/metrics` and what they add.

With a token, `observability.gate` says who may come in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from observability.gate import may_enter

Health = Callable[[], Mapping[str, object]]
Ready = Callable[[], tuple[bool, str]]
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(
    host: str, port: int, health: Health, ready: Ready, routes: Mapping[str, Route] | None = None, token: str = ""
) -> web.AppRunner:
    """Starts the server; call `cleanup()` on the result to stop it. Raises OSError when the port is taken.

    `health` gives the fields beside `"status": "ok"`; `ready` whether the service can take work now, and why not;
    `token` is the bearer token that everything else needs, empty for none.
    """

    async def show_health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", **health()})

    async def show_ready(_: web.Request) -> web.Response:
        is_ready, reason = ready()
        return web.json_response({"ready": is_ready, "reason": reason}, status=200 if is_ready else 503)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def gate(request: web.Request, handler: Route) -> web.StreamResponse:
        if may_enter(request.path, request.headers.get("Authorization", "").encode(errors="replace"), token):
            return await handler(request)
        body = {"error": "unauthorised", "detail": "a bearer token is needed"}
        return web.json_response(body, status=401, headers={"WWW-Authenticate": "Bearer"})

    app = web.Application(client_max_size=64 * 1024, middlewares=[gate])
    app.router.add_get("/health", show_health)
    app.router.add_get("/ready", show_ready)
    app.router.add_get("/metrics", show_metrics)
    for path, route in (routes or {}).items():
        app.router.add_get(path, route)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
