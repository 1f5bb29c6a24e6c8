"""The HTTP server of every service: an ASGI application on a port becomes a server inside the service's own event loop.

Signals are the service's affair, as is when the server starts and stops; while nobody asks, it does nothing. `serve` is
the whole server of a service without an API of its own.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from observability.endpoints import ServiceReport
from observability.gate import App, Gate
from observability.heartbeat import beat_every_s, notify
from observability.listening import bound_socket
from observability.whole_answers import WholeAnswers

MAX_BODY_BYTES = 64 * 1024
MAX_FRAME_BYTES = 64 * 1024
PING_S = 20.0
GRACE_S = 5
LOOK_S = 0.5


class Server:
    """One application on one bound socket. Requests that are inside when it stops have `grace_s` to be answered.

    `web_sockets` are taken where the application has some: a frame of more than MAX_FRAME_BYTES closes its connection
    (1009), as does a peer that answers no ping for PING_S (1011); frames are not compressed."""

    def __init__(self, app: App, sock: socket.socket, grace_s: int = GRACE_S, *, web_sockets: bool = False) -> None:
        config = uvicorn.Config(
            app,
            http=WholeAnswers,
            ws="websockets-sansio" if web_sockets else "none",
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_per_message_deflate=False,
            log_config=None,
            log_level="warning" if web_sockets else None,  # each opening and closing is told, with its address
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=grace_s,
        )
        config.load()
        # `uvicorn.Server.serve` would catch signals and wake up ten times a second: its two ends are used without it
        self._uvicorn = uvicorn.Server(config)
        self._uvicorn.lifespan = config.lifespan_class(config)
        self._socket = sock

    @property
    def port(self) -> int:
        """Where it listens, also if any port was asked for."""
        return int(self._socket.getsockname()[1])

    async def start(self) -> None:
        """Listens from now on. Raises OSError."""
        await self._uvicorn.startup(sockets=[self._socket])

    async def alive(self) -> None:
        """Never returns; raises RuntimeError when nobody listens any more although nobody said `stop`. A background
        task of the service: one that cannot be seen and not be drained must end. Each look is a beat of the service's
        heart for its supervisor: the loop that answers requests goes round."""
        every_s = beat_every_s(LOOK_S)
        while self._listens():
            notify("WATCHDOG=1")
            await asyncio.sleep(every_s)
        raise RuntimeError("the HTTP server has ended")

    async def stop(self) -> None:
        """Listens no more and answers what is inside, for `grace_s` at most. Nothing but the port is given back where
        it did not listen."""
        if self._listens():
            await self._uvicorn.shutdown(sockets=[self._socket])
        self._socket.close()

    def _listens(self) -> bool:
        try:
            return bool(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError:  # closed
            return False


async def serve(report: ServiceReport, host: str, port: int, token: str = "", *, reuse_port: bool = False) -> Server:
    """Starts a server of `report`; call `stop()` on the result. Raises OSError when the port is taken.

    `token` is the bearer token that everything but the status needs, empty for none. `reuse_port` lets a successor
    listen on the same port already.
    """
    gate = Middleware(Gate, token=token, max_body_bytes=MAX_BODY_BYTES)
    app = Starlette(routes=report.routes(), middleware=[gate])
    app.router.redirect_slashes = False
    server = Server(app, bound_socket(host, port, reuse_port))
    await server.start()
    return server
