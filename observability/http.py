"""The small HTTP server of services without an API of their own: `/health`, `/ready`, `/metrics`, `/drain` and what
they add.

With a token, `observability.gate` says who may come in.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from observability.drain import Drain
from observability.gate import UNAUTHORISED, may_enter

Health = Callable[[], Mapping[str, object]]
Ready = Callable[[], tuple[bool, str]]
Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(
    host: str,
    port: int,
    health: Health,
    ready: Ready,
    routes: Mapping[str, Route] | None = None,
    token: str = "",
    *,
    drain: Drain | None = None,
    reuse_port: bool = False,
) -> web.AppRunner:
    """Starts the server; call `cleanup()` on the result to stop it. Raises OSError when the port is taken.

    `health` gives the fields beside `"status": "ok"`; `ready` whether the service can take work now, and why not;
    `token` is the bearer token that everything else needs, empty for none. `reuse_port` lets a successor listen on the
    same port already.
    """

    async def show_health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "pid": os.getpid(), **health()})

    async def show_ready(_: web.Request) -> web.Response:
        is_ready, reason = (False, "draining") if drain is not None and drain.is_draining else ready()
        return web.json_response({"ready": is_ready, "reason": reason}, status=200 if is_ready else 503)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def gate(request: web.Request, handler: Route) -> web.StreamResponse:
        if may_enter(request.path, request.headers.get("Authorization", "").encode(errors="replace"), token):
            return await handler(request)
        body = dict(zip(("error", "detail"), UNAUTHORISED, strict=True))
        return web.json_response(body, status=401, headers={"WWW-Authenticate": "Bearer"})

    def show_drain(act: Callable[[Drain], None]) -> Route:
        async def answer(_: web.Request) -> web.Response:
            assert drain is not None
            act(drain)
            return web.json_response(drain.status())

        return answer

    app = web.Application(client_max_size=64 * 1024, middlewares=[gate])
    app.router.add_get("/health", show_health)
    app.router.add_get("/ready", show_ready)
    app.router.add_get("/metrics", show_metrics)
    if drain is not None:
        app.router.add_get("/drain", show_drain(lambda _: None))
        app.router.add_post("/drain", show_drain(Drain.begin))
        app.router.add_delete("/drain", show_drain(Drain.end))
    for path, route in (routes or {}).items():
        app.router.add_get(path, route)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port, reuse_port=reuse_port or None).start()
    return runner
