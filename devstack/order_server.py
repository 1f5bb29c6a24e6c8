"""A shop's order server for the demonstration flow (flows/fr/order_status.yaml), on loopback.

    python -m devstack.order_server [--port 8099] [--slow-s 0] [--down]

Knows three orders, by number and by the telephone of who ordered. A call-back is taken once for each Idempotency-Key.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from aiohttp import web

ORDERS: tuple[dict[str, Any], ...] = (
    {"number": "123456", "telephone": "+33612345678", "status": "sent", "date": "2026-12-03"},
    {"number": "234567", "telephone": "+33698765432", "status": "late", "date": "2026-12-10"},
    {"number": "345678", "telephone": "+33711223344", "status": "prepared"},
)


class OrderServer:
    """The handlers. `slow_s` is waited before each answer; while `down` each is 503. `call_backs`: key -> body.
    `asked` counts the requests."""

    def __init__(self, slow_s: float = 0.0, down: bool = False) -> None:
        self.slow_s = slow_s
        self.down = down
        self.call_backs: dict[str, Any] = {}
        self.asked = 0

    def app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/orders", self.by_telephone)
        made.router.add_get("/orders/{number}", self.by_number)
        made.router.add_post("/call_backs", self.call_back)
        return made

    async def by_telephone(self, request: web.Request) -> web.Response:
        return await self._one("telephone", request.query.get("telephone", ""))

    async def by_number(self, request: web.Request) -> web.Response:
        return await self._one("number", request.match_info["number"])

    async def call_back(self, request: web.Request) -> web.Response:
        if not await self._works():
            return web.Response(status=503)
        self.call_backs.setdefault(request.headers["Idempotency-Key"], await request.json())
        return web.Response(status=204)

    async def _works(self) -> bool:
        self.asked += 1
        await asyncio.sleep(self.slow_s)
        return not self.down

    async def _one(self, key: str, value: str) -> web.Response:
        if not await self._works():
            return web.Response(status=503)
        for order in ORDERS:
            if order[key] == value:
                return web.json_response({name: part for name, part in order.items() if name != "telephone"})
        return web.Response(status=404)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8_099)
    parser.add_argument("--slow-s", type=float, default=0.0)
    parser.add_argument("--down", action="store_true")
    args = parser.parse_args()
    web.run_app(OrderServer(args.slow_s, args.down).app(), host="127.0.0.1", port=args.port)


if __name__ == "__main__":
    main()
