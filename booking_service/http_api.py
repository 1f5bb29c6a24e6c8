"""The HTTP side of the business data: endpoints by their Italian names, JSON in and out, errors as {error, detail}.

`/health` answers 200 also where something does not work; `/ready` decides about traffic.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from booking_service import (
    appointments,
    bodies,
    catalogue,
    clients,
    conversations,
    exchange,
    messages,
    waiting,
)
from booking_service.http_answers import Answer, answered, body_of, day_of, number_of
from booking_service.refusals import invalid, not_found
from booking_service.service import BookingService
from booking_service.written import mobile
from observability.endpoints import ServiceReport
from observability.gate import TRUSTED, Gate

MAX_BODY_BYTES: Final = 256 * 1024


def create_booking_app(service: BookingService) -> Starlette:
    """The application of one service."""
    api = _BookingApi(service)
    report = ServiceReport(service.health, service.ready, service.drain)
    table: list[tuple[str, str, Callable[[Request], Awaitable[Answer]]]] = [
        ("POST", "/api/clienti/search", api.search_clients),
        ("POST", "/api/clienti/create", api.create_client),
        ("POST", "/api/consensi", api.prove_consent),
        ("POST", "/api/appuntamenti/disponibilita", api.available),
        ("POST", "/api/appuntamenti/hold", api.hold),
        ("DELETE", "/api/appuntamenti/hold/{session_id}", api.release),
        ("POST", "/api/appuntamenti/create", api.create),
        ("POST", "/api/appuntamenti/search", api.search),
        ("PUT", "/api/appuntamenti/{number:int}", api.change),
        ("DELETE", "/api/appuntamenti/{number:int}", api.cancel),
        ("POST", "/api/waitlist/add", api.wait),
        ("GET", "/api/waitlist/list", api.waiting),
        ("PUT", "/api/waitlist/{number:int}", api.change_waiting),
        ("GET", "/api/operatori/list", api.staff),
        ("POST", "/api/operatori/search", api.able_staff),
        ("POST", "/api/info", api.tell),
        ("POST", "/api/operatori", api.put_staff),
        ("PUT", "/api/operatori/{number:int}", api.put_staff),
        ("GET", "/api/servizi/list", api.services),
        ("POST", "/api/servizi", api.put_service),
        ("PUT", "/api/servizi/{number:int}", api.put_service),
        ("GET", "/api/settings/orari_lavoro", api.hours),
        ("PUT", "/api/settings/orari_lavoro", api.put_hours),
        ("GET", "/api/settings/giorni_festivi", api.holidays),
        ("PUT", "/api/settings/giorni_festivi", api.put_holidays),
        ("PUT", "/api/settings", api.put_settings),
        ("GET", "/api/settings", api.all_settings),
        ("GET", "/api/settings/{name}", api.setting),
        ("POST", "/api/whatsapp/send-template", api.send_template),
        ("POST", "/api/import/clienti.csv", api.take_clients),
        ("GET", "/api/sessions/by-number/{caller_number}", api.resumable),
        ("GET", "/api/sessions/{session_id}", api.session),
        ("PUT", "/api/sessions/{session_id}", api.put_session),
        ("POST", "/api/audit", api.audit),
        ("POST", "/api/turns", api.turn),
    ]
    routes = [Route(path, answered(service, path, do), methods=[method]) for method, path, do in table]
    routes.append(Route("/api/export/{name}", api.export))
    routes += [Route("/health", functools.partial(_health, service)), *report.routes()]
    gate = Middleware(Gate, token=service.settings.pronto_token, max_body_bytes=MAX_BODY_BYTES)
    app = Starlette(routes=routes, middleware=[gate])
    app.router.redirect_slashes = False
    return app


class _BookingApi:
    """The endpoints: each reads a body, does one thing in one transaction, and gives what is answered."""

    def __init__(self, service: BookingService) -> None:
        self._service = service
        self._terms = service.terms

    async def search_clients(self, request: Request) -> Answer:
        body = await body_of(request, bodies.ClientSearch)
        return await self._service.read(lambda session: clients.search(session, body))

    async def create_client(self, request: Request) -> Answer:
        body = await body_of(request, bodies.NewClient)
        return await self._service.change(lambda session: clients.create(session, body, self._service.now()))

    async def prove_consent(self, request: Request) -> Answer:
        """A no to the question for consent: its proof, and nothing of who said it."""
        body = await body_of(request, bodies.ConsentProof)
        return await self._service.change(lambda session: clients.prove(session, body, False, self._service.now()))

    async def available(self, request: Request) -> Answer:
        body = await body_of(request, bodies.SlotQuestion)
        now_s = self._service.now()
        return await self._service.read(lambda session: appointments.available(session, self._terms, body, now_s))

    async def hold(self, request: Request) -> Answer:
        body = await body_of(request, bodies.SlotQuestion)
        return await self._changed(lambda session, now_s: appointments.hold(session, self._terms, body, now_s))

    async def release(self, request: Request) -> Answer:
        number = request.path_params["session_id"]
        return await self._service.change(lambda session: appointments.release(session, number))

    async def create(self, request: Request) -> Answer:
        body = await body_of(request, bodies.NewAppointment)
        key = request.headers.get("idempotency-key", "")
        if len(key) > 200:
            raise invalid("Idempotency-Key is longer than 200 characters")
        return await self._changed(lambda session, now_s: appointments.create(session, self._terms, body, key, now_s))

    async def search(self, request: Request) -> Answer:
        body = await body_of(request, bodies.AppointmentSearch)
        return await self._service.read(lambda session: appointments.search(session, body))

    async def change(self, request: Request) -> Answer:
        body, number = await body_of(request, bodies.AppointmentChange), number_of(request)
        return await self._changed(
            lambda session, now_s: appointments.change(session, self._terms, number, body, now_s)
        )

    async def cancel(self, request: Request) -> Answer:
        number = number_of(request)
        now_s = self._service.now()
        return await self._service.change(lambda session: appointments.cancel(session, self._terms, number, now_s))

    async def wait(self, request: Request) -> Answer:
        body = await body_of(request, bodies.NewWaiting)
        return await self._changed(lambda session, now_s: waiting.add(session, self._terms, body, now_s))

    async def waiting(self, request: Request) -> Answer:
        day = day_of(request.query_params.get("data"))
        client = request.query_params.get("cliente_id", "")
        number = int(client) if client.isascii() and client.isdigit() and len(client) < 10 else None
        return {"waitlist": await self._service.read(lambda session: waiting.listed(session, day, number))}

    async def change_waiting(self, request: Request) -> Answer:
        """A yes to a place that is kept books it."""
        body, number = await body_of(request, bodies.WaitingChange), number_of(request)

        def do(session: Session, now_s: float) -> dict[str, Any]:
            if body.status != "BOOKED":
                return waiting.change(session, number, body)
            row, hold = waiting.held(session, number, now_s)
            wish = bodies.NewAppointment(
                row.cliente_id, [one["servizio_id"] for one in row.servizi], hold.data, hold.ora, hold.operatore_id
            )
            place = waiting.place_of(number)
            booked = appointments.create(session, self._terms, wish, f"{place}:{hold.data}", now_s, place)
            return {**waiting.change(session, number, body), "appuntamento": booked}

        return await self._changed(do)

    async def staff(self, _: Request) -> Answer:
        return {"operatori": await self._service.read(catalogue.staff)}

    async def able_staff(self, request: Request) -> Answer:
        body = await body_of(request, bodies.StaffSearch)
        return await self._service.read(lambda session: catalogue.able_staff(session, body))

    async def tell(self, request: Request) -> Answer:
        """Answers from the data what a caller asks of the shop. 404 where it does not say."""
        body, now_s = await body_of(request, bodies.ShopQuestion), self._service.now()
        told = await self._service.read(lambda session: catalogue.tell(session, body.domanda, self._terms, now_s))
        if not told:
            raise not_found("answer", "")
        return {"risposta": told}

    async def put_staff(self, request: Request) -> Answer:
        body = await body_of(request, bodies.StaffEntry)
        number = request.path_params.get("number")
        return await self._service.change(lambda session: catalogue.put_staff(session, body, number))

    async def services(self, _: Request) -> Answer:
        return {"servizi": await self._service.read(catalogue.services)}

    async def put_service(self, request: Request) -> Answer:
        body = await body_of(request, bodies.ServiceEntry)
        number = request.path_params.get("number")
        return await self._service.change(lambda session: catalogue.put_service(session, body, number))

    async def hours(self, _: Request) -> Answer:
        return {"orari_lavoro": await self._service.read(catalogue.hours)}

    async def put_hours(self, request: Request) -> Answer:
        body = await body_of(request, list[bodies.HoursEntry])
        return {"orari_lavoro": await self._service.change(lambda session: catalogue.put_hours(session, body))}

    async def holidays(self, _: Request) -> Answer:
        return {"giorni_festivi": await self._service.read(catalogue.holidays)}

    async def put_holidays(self, request: Request) -> Answer:
        body = await body_of(request, list[bodies.HolidayEntry])
        return {"giorni_festivi": await self._service.change(lambda session: catalogue.put_holidays(session, body))}

    async def setting(self, request: Request) -> Answer:
        name = request.path_params["name"]
        return {name: await self._service.read(lambda session: catalogue.setting(session, name))}

    async def all_settings(self, _: Request) -> Answer:
        return {**await self._service.read(catalogue.all_settings)}

    async def put_settings(self, request: Request) -> Answer:
        body = await body_of(request, dict[str, str])
        return await self._service.change(lambda session: catalogue.put_settings(session, body))

    async def send_template(self, request: Request) -> Answer:
        body = await body_of(request, bodies.TemplateMessage)
        telephone, now_s = mobile(body.to), self._service.now()
        number = await self._service.change(
            lambda session: messages.enqueue(
                session, telephone, body.template, body.params, now_s, body.appuntamento_id
            )
        )
        return {"accepted": True, "message_id": number}

    async def export(self, request: Request) -> Response:
        """`clienti.csv`, `servizi.csv`, `appuntamenti.csv` or `appuntamenti.ics`."""
        name, everything = request.path_params["name"], bodies.AppointmentSearch()
        match name:
            case "clienti.csv":
                text = exchange.as_csv("clienti", await self._service.read(clients.listed))
            case "servizi.csv":
                text = exchange.as_csv("servizi", await self._service.read(catalogue.services))
            case "appuntamenti.csv" | "appuntamenti.ics":
                found = await self._service.read(lambda session: appointments.search(session, everything, None))
                rows = found["appuntamenti"]
                zone = self._service.settings.booking_timezone
                is_table = name.endswith("csv")
                text = (
                    exchange.as_csv("appuntamenti", rows)
                    if is_table
                    else exchange.as_icalendar(rows, zone, self._service.now())
                )
            case _:
                return JSONResponse({"error": "not_found", "detail": "there is no such file"}, 404)
        return Response(text, media_type="text/calendar" if name.endswith("ics") else "text/csv")

    async def take_clients(self, request: Request) -> Answer:
        """A table of clients; what it lacks stays empty."""
        try:
            text = (await request.body()).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise invalid("the file is not UTF-8") from None
        rows = exchange.from_csv("clienti", text)
        return {"clienti": await self._service.change(lambda session: clients.take_over(session, rows))}

    async def session(self, request: Request) -> Answer:
        number, now_s = request.path_params["session_id"], self._service.now()
        return await self._service.read(lambda session: conversations.get_session(session, number, now_s))

    async def resumable(self, request: Request) -> Answer:
        number, now_s = request.path_params["caller_number"], self._service.now()
        return await self._service.read(lambda session: conversations.resumable(session, number, now_s))

    async def put_session(self, request: Request) -> Answer:
        body, number = await body_of(request, bodies.SessionState), request.path_params["session_id"]
        return await self._changed(lambda session, now_s: conversations.put_session(session, number, body, now_s))

    async def audit(self, request: Request) -> Answer:
        body, key = await body_of(request, bodies.AuditEntry), self._service.audit_key
        return {
            "id": await self._service.change(
                lambda session: conversations.write_audit(session, body, key, self._service.now())
            )
        }

    async def turn(self, request: Request) -> Answer:
        """A turn that the agent tells of."""
        body, key = await body_of(request, bodies.TurnReport), self._service.audit_key
        return await self._service.change(lambda session: conversations.take_turn(session, body, key))

    async def _changed(self, do: Callable[[Session, float], dict[str, Any]]) -> dict[str, Any]:
        now_s = self._service.now()
        return await self._service.change(lambda session: do(session, now_s))


async def _health(service: BookingService, request: Request) -> Response:
    fields = {**service.health(), "pid": os.getpid()}
    if request.scope.get(TRUSTED, False) is not True:
        fields = {"status": fields["status"]}
    return JSONResponse(fields)
