"""The body of a request as what it has to be."""

from __future__ import annotations

from typing import Any

from starlette.requests import ClientDisconnect, Request

from text_service.refusals import Unfit, read


async def body_of(request: Request, kind: type[Any]) -> Any:
    """JSON as a value of this kind. Raises Unfit, also where who sends it is gone."""
    try:
        return read(await request.body(), kind)
    except ClientDisconnect:
        raise Unfit(499, "client_gone", "the client hung up") from None
