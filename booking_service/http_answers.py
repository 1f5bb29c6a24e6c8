"""Between requests and what is done: bodies become values, what is raised becomes an answer, both counted and timed."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from booking_service import metrics
from booking_service.bodies import TIMES
from booking_service.refusals import BookingRefused, invalid, not_found
from booking_service.service import BookingService
from records.database import BadSchema

log = logging.getLogger("booking_service")

_CLOCK: Final = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::00)?")
B = TypeVar("B")
Answer = dict[str, Any] | None
Endpoint = Callable[[Request], Awaitable[Response]]


def answered(service: BookingService, path: str, do: Callable[[Request], Awaitable[Answer]]) -> Endpoint:
    """Counts and times it, and makes an answer of what is raised."""

    async def endpoint(request: Request) -> Response:
        began_s, outcome, headers = time.monotonic(), "failed", {}
        service.inside += 1
        try:
            answer = await do(request)
            outcome = "done"
            return Response(status_code=204) if answer is None else JSONResponse(answer)
        except BookingRefused as refused:
            outcome = refused.code
            status, shown_ = refused.status, {"error": refused.code, "detail": refused.detail, **refused.fields}
        except (SQLAlchemyError, BadSchema, OSError) as error:
            outcome, headers = "database", {"Retry-After": "1"}
            log.error("the database did not do it", extra={"error": type(error).__name__, "path": path})
            status, shown_ = 503, {"error": "database", "detail": "the data cannot be reached"}
        finally:
            service.inside -= 1
            metrics.REQUESTS.labels(path, outcome).inc()
            metrics.DURATION.labels(path).observe(time.monotonic() - began_s)
        return JSONResponse(shown_, status, headers)

    return endpoint


async def body_of(request: Request, kind: type[B]) -> B:
    """The body as a value. Raises BookingRefused."""
    try:
        return msgspec.convert(_timed(msgspec.json.decode(await request.body())), kind)
    except ClientDisconnect:
        raise BookingRefused(499, "client_gone", "the client hung up") from None
    except msgspec.ValidationError as error:
        raise invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BookingRefused(400, "not_json", str(error)) from None


def _timed(value: Any) -> Any:
    """HH:MM, or with :00, where the contract has a time: msgspec wants the seconds. Raises BookingRefused."""
    if isinstance(value, list):
        return [_timed(one) for one in value]
    if not isinstance(value, dict):
        return value
    # what is in `params`, `slots` and the like is not ours to read
    found = {name: _timed(one) if name == "escludi" else one for name, one in value.items()}
    for name in TIMES & found.keys():
        if isinstance(text := found[name], str):
            if not (match := _CLOCK.fullmatch(text)):
                raise invalid(f"{name} is no time such as 09:30")
            found[name] = f"{match[1]}:00"
    return found


def number_of(request: Request) -> int:
    number: int = request.path_params["number"]
    if number >= 2**31:
        raise not_found("row", number)
    return number


def day_of(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise invalid("data is no date") from None
