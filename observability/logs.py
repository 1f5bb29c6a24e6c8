"""Log records as text lines or JSON objects: a static message, and fields given through `extra`.

Text: `time - name - level - message key=value ...` (the format of the specification, fields behind it). JSON: one
object per line. Times are UTC (ISO 8601, `2026-01-31T09:30:00.123Z`): lines of two hosts, and of the hour in which
clocks are put back, can be put in order. Fields named in PERSONAL (what callers said, their numbers and digits) are
written only when asked for.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

PERSONAL: Final = frozenset(
    {"text", "sentence", "caller_number", "called_number", "digit", "digits", "slots", "value", "detail"}
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def time_of(record: logging.LogRecord) -> str:
    """When the record was made, in UTC to the millisecond."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fields_of(record: logging.LogRecord, personal: bool) -> dict[str, Any]:
    """The record's own fields; personal ones are replaced by `-` unless `personal`."""
    fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return fields if personal else {key: "-" if key in PERSONAL else value for key, value in fields.items()}


class TextFormatter(logging.Formatter):
    """`%(asctime)s - %(name)s - %(levelname)s - %(message)s`, then the fields as key=value."""

    def __init__(self, personal: bool) -> None:
        super().__init__("%(asctime)s - %(name)s - %(levelname)s - %(message)s")
        self._personal = personal

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """`time_of` the record; there is one format."""
        return time_of(record)

    def formatException(self, ei: Any) -> str:
        """A traceback with each line set in: no text in it can pass for a record of its own."""
        return "\n".join(f"    {line}" for line in super().formatException(ei).splitlines())

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        fields = fields_of(record, self._personal)
        # a line break in a message of a library would begin a line that looks like a record of its own
        line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in super().formatMessage(record))
        return " ".join([line, *(f"{key}={value!r}" for key, value in fields.items())])


class JsonFormatter(logging.Formatter):
    """One JSON object per record."""

    def __init__(self, personal: bool) -> None:
        super().__init__()
        self._personal = personal

    def format(self, record: logging.LogRecord) -> str:
        """The object's text."""
        body: dict[str, Any] = {
            "time": time_of(record),
            "name": record.name,
            "level": record.levelname,
            "message": record.getMessage(),
            **fields_of(record, self._personal),
        }
        if record.exc_info:
            body["traceback"] = self.formatException(record.exc_info)
        return json.dumps(body, ensure_ascii=False, default=repr)


def set_up_logs(level: str, log_format: str, personal: bool) -> None:
    """Sends every logger's records to standard error in the chosen format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(personal) if log_format == "json" else TextFormatter(personal))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "uvicorn.access", "httpx", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
