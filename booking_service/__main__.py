"""Runs the booking service: `python -m booking_service`, settings from the environment (see config.BookingSettings)."""

from __future__ import annotations

import asyncio
import sys

from booking_service.http_api import create_booking_app
from booking_service.sending import port_of
from booking_service.service import BookingService
from config import BadSettings, BookingSettings, load
from observability.http import Server
from observability.lifecycle import until_stopped
from observability.listening import bound_socket
from observability.logs import set_up_logs
from observability.standby import take_place

DRAIN_S = 5.0


async def run(settings: BookingSettings) -> None:
    """Serves until a signal comes, then answers what is inside."""
    service = BookingService(settings, port_of(settings))
    server = Server(
        create_booking_app(service), bound_socket(settings.booking_host, settings.booking_port, settings.reuse_port)
    )
    await service.look()
    await server.start()

    async def finish() -> None:
        service.drain.begin()
        await service.drain.finished(DRAIN_S)

    try:
        await until_stopped(
            server.alive(),
            service.watch(),
            service.send_messages(),
            service.end_what_is_over(),
            service.retain(),
            before_end=finish,
        )
    finally:
        await server.stop()
        await service.close()


def main() -> int:
    """The exit status."""
    try:
        settings = load(BookingSettings)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    set_up_logs(settings.log_level, settings.log_format, settings.log_personal)
    take_place(settings.standby_lock, wait=settings.standby)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
