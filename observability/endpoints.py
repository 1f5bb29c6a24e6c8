"""What every service answers about itself: a report becomes the routes `/health`, `/ready`, `/metrics` and `/drain`.

Who is not trusted (`observability.gate`) learns from `/health` and `/ready` the status alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from observability.drain import Drain
from observability.gate import TRUSTED


@dataclass(frozen=True)
class ServiceReport:
    """Where the answers of one service come from."""

    health: Callable[[], Mapping[str, object]]
    """The fields of `/health` beside `status` and `pid`; a `status` other than "ok" makes it 503."""
    ready: Callable[[], tuple[bool, str]]
    """Whether the service can take work now, and why not. Who drains is not ready, whatever this says."""
    drain: Drain
    pages: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """Further paths, and what gives the JSON that is shown there."""
    registry: CollectorRegistry = REGISTRY
    """The service's own metrics, where they are not among those of the process."""

    def routes(self) -> list[Route]:
        """The routes of an application behind a Gate."""
        return [
            Route("/health", _endpoint(self._health)),
            Route("/ready", _endpoint(self._ready)),
            Route("/metrics", _endpoint(self._metrics)),
            Route("/drain", _endpoint(self._drain), methods=["GET", "POST", "DELETE"]),
            *(Route(path, _endpoint(self._page)) for path in self.pages),
        ]

    def _health(self, request: Request) -> Response:
        fields = {"status": "ok", "pid": os.getpid(), **self.health()}
        status = 200 if fields["status"] == "ok" else 503
        return _json(fields if _is_trusted(request) else {"status": fields["status"]}, status)

    def _ready(self, request: Request) -> Response:
        is_ready, reason = (False, "draining") if self.drain.is_draining else self.ready()
        fields = {"ready": is_ready, "reason": reason} if _is_trusted(request) else {"ready": is_ready}
        return _json(fields, 200 if is_ready else 503)

    def _metrics(self, _: Request) -> Response:
        own = CollectorRegistry()
        ready = Gauge("pronto_ready", "1 while the service can take work, as `/ready` says", registry=own)
        ready.set(not self.drain.is_draining and self.ready()[0])
        registries = dict.fromkeys((REGISTRY, self.drain.registry, self.registry, own))
        text = b"".join(generate_latest(one) for one in registries)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _drain(self, request: Request) -> Response:
        if request.method == "POST":
            self.drain.begin()
        elif request.method == "DELETE":
            self.drain.end()
        return _json(self.drain.status())

    def _page(self, request: Request) -> Response:
        return _json(self.pages[request.url.path]())


def _is_trusted(request: Request) -> bool:
    return request.scope.get(TRUSTED, False) is True


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")


def _endpoint(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    # a plain function would be run in a thread, beside what it reads
    async def endpoint(request: Request) -> Response:
        return answer(request)

    return endpoint
