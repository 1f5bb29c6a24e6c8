"""What the business data answers instead of doing it: a status, a code and a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BookingRefused(Exception):
    """`status` is HTTP's; `fields` stand beside `error` and `detail` in the answer."""

    def __init__(self, status: int, code: str, detail: str, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.fields = status, code, detail, dict(fields or {})


def not_found(what: str, number: object) -> BookingRefused:
    """404."""
    return BookingRefused(404, "not_found", f"there is no {what} {number}")


def invalid(detail: str) -> BookingRefused:
    """422."""
    return BookingRefused(422, "invalid", detail)
