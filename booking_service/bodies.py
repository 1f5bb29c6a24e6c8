"""What requests say, as values: msgspec decodes and bounds them, what does not fit is refused with 422."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Minutes = Annotated[int, Meta(ge=1, le=1_440)]
Note = Annotated[str, Meta(max_length=500)]
Key = Annotated[str, Meta(max_length=120)]
TIMES = frozenset("ora fino_a ora_preferita apertura chiusura pausa_inizio pausa_fine".split())
"""The names of times of day."""
Line = Annotated[str, Meta(max_length=500)]


class ChosenService(Struct):
    """One service of a request: its id is what counts."""

    servizio_id: Number
    nome: str = ""
    durata: int | None = None
    durata_minuti: int | None = None


class RefusedTime(Struct):
    """A time that was offered and refused."""

    data: date
    ora: time


class ClientSearch(Struct):
    """`POST /api/clienti/search`."""

    nome: Annotated[str, Meta(max_length=120)] = ""
    telefono: Annotated[str, Meta(max_length=40)] = ""


class ConsentProof(Struct):
    """What was asked and answered about personal data."""

    domanda: Annotated[str, Meta(max_length=2_000)] = ""
    risposta: Annotated[str, Meta(max_length=500)] = ""
    call_id: Key = ""
    versione: Key = ""


class ShopQuestion(Struct):
    """`POST /api/info`: what a caller asks of the shop, in their words."""

    domanda: Annotated[str, Meta(max_length=1_000)]


class StaffSearch(Struct):
    """`POST /api/operatori/search`: who does all of these."""

    servizi: Annotated[list[Number | ChosenService], Meta(max_length=20)] = []


class NewClient(Struct):
    """`POST /api/clienti/create`."""

    nome: Annotated[str, Meta(min_length=2, max_length=120)]
    cognome: Name
    telefono: Annotated[str, Meta(max_length=40)]
    voice_consent: bool
    data_nascita: date | None = None
    consenso: ConsentProof = field(default_factory=ConsentProof)


class SlotQuestion(Struct):
    """`POST /api/appuntamenti/disponibilita` and `.../hold`. With `fino_a` the first free times from `ora` until then
    are asked for. `escludi`: refused before. `appuntamento_id`: the one that is to be moved. `session_id`: whose hold
    does not count."""

    data: date
    ora: time
    durata_minuti: Minutes | None = None
    servizi: Annotated[list[Number | ChosenService], Meta(max_length=20)] = []
    operatore_id: Number | None = None
    fino_a: time | None = None
    escludi: Annotated[list[RefusedTime], Meta(max_length=200)] = []
    session_id: Key = ""
    appuntamento_id: Number | None = None


class NewAppointment(Struct):
    """`POST /api/appuntamenti/create`."""

    cliente_id: Number
    servizi: Annotated[list[Number | ChosenService], Meta(min_length=1, max_length=20)]
    data: date
    ora: time
    operatore_id: Number | None = None
    note: Note = ""
    session_id: Key = ""
    escludi: Annotated[list[RefusedTime], Meta(max_length=200)] = []


class AppointmentChange(Struct):
    """`PUT /api/appuntamenti/{id}`: what is not given stays."""

    data: date | UnsetType = UNSET
    ora: time | UnsetType = UNSET
    operatore_id: Number | UnsetType | None = UNSET
    servizi: Annotated[list[Number | ChosenService], Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    session_id: Key = ""
    escludi: Annotated[list[RefusedTime], Meta(max_length=200)] = []


class AppointmentSearch(Struct, rename={"since": "from", "until": "to"}):
    """`POST /api/appuntamenti/search`."""

    cliente_id: Number | None = None
    since: date | None = None
    until: date | None = None
    status: Literal["BOOKED", "CANCELLED"] | None = None
    session_id: Key = ""


class NewWaiting(Struct):
    """`POST /api/waitlist/add`. Of several `servizi` the longest is the entry's `servizio_id`."""

    cliente_id: Number
    data_preferita: date
    servizio_id: Number | None = None
    servizi: Annotated[list[Number | ChosenService], Meta(max_length=20)] = []
    ora_preferita: time | None = None
    operatore_preferito_id: Number | None = None


class WaitingChange(Struct):
    """`PUT /api/waitlist/{id}`."""

    status: Literal["WAITING", "BOOKED", "EXPIRED"] | None = None
    priorita: Literal["NORMAL", "HIGH", "VIP"] | None = None


class TemplateMessage(Struct):
    """`POST /api/whatsapp/send-template`."""

    to: Annotated[str, Meta(max_length=40)]
    template: Annotated[str, Meta(pattern="^[a-z0-9_]{1,80}$")]
    params: dict[Key, Line]
    appuntamento_id: Number | None = None


class ServiceEntry(Struct):
    """A service, for `POST /api/servizi` and `PUT /api/servizi/{id}`."""

    nome: Name
    durata_minuti: Minutes
    prezzo: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    sinonimi: Annotated[list[Name], Meta(max_length=50)] = []
    attivo: bool = True


class StaffEntry(Struct):
    """A member of staff, for `POST /api/operatori` and `PUT /api/operatori/{id}`."""

    nome: Name
    servizi: Annotated[list[Number], Meta(max_length=500)] | None = None
    attivo: bool = True


class HoursEntry(Struct):
    """A weekday, for `PUT /api/settings/orari_lavoro`."""

    giorno: Annotated[int, Meta(ge=0, le=6)]
    aperto: bool
    apertura: time
    chiusura: time
    pausa_inizio: time | None = None
    pausa_fine: time | None = None


class HolidayEntry(Struct):
    """A closed day, for `PUT /api/settings/giorni_festivi`."""

    data: date
    nome: Name
    ogni_anno: bool = False


class SessionState(Struct):
    """`PUT /api/sessions/{id}`: the known columns, each as it is now; what is not given stays."""

    cliente_id: Number | UnsetType | None = UNSET
    caller_number: Key | UnsetType = UNSET
    current_intent: Key | UnsetType | None = UNSET
    current_step: Key | UnsetType | None = UNSET
    slots: dict[str, Any] | UnsetType = UNSET
    pending_disambiguation: list[Any] | UnsetType | None = UNSET
    pending_alternatives: list[Any] | UnsetType | None = UNSET
    history: list[Any] | UnsetType = UNSET
    failed_understanding_count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    total_turns: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    handoff_requested: bool | UnsetType = UNSET
    completed: bool | UnsetType = UNSET
    memory: Annotated[str, Meta(max_length=200_000)] | UnsetType | None = UNSET


class AuditEntry(Struct):
    """`POST /api/audit`: one turn."""

    session_id: Annotated[str, Meta(min_length=1, max_length=120)]
    user_input: Annotated[str, Meta(max_length=10_000)] = ""
    detected_intent: Key | None = None
    intent_confidence: float | None = None
    special_command: Key | None = None
    slots_extracted: dict[str, Any] = {}
    system_response: Annotated[str, Meta(max_length=10_000)] = ""
    action_taken: Key | None = None
    action_result: Line | None = None
    error_message: Line | None = None
    latency_ms: Annotated[int, Meta(ge=0)] | None = None
    ip_address: Annotated[str, Meta(max_length=64)] | None = None


class DoneAction(Struct):
    """An action of the flow, and what came of it: ok, not_found, refused, timeout, error."""

    name: Key
    outcome: Key


class ReportedTurn(Struct):
    """What happened in a turn. `at`: when it was taken, seconds since the epoch."""

    number: int
    at: float
    text: Annotated[str, Meta(max_length=10_000)] = ""
    intent: Key = ""
    score: float = 0.0
    committed: Key = ""
    slots: dict[str, str] = {}
    said: Annotated[str, Meta(max_length=10_000)] = ""
    actions: Annotated[list[DoneAction], Meta(max_length=100)] = []
    latency_ms: Annotated[int, Meta(ge=0)] | None = None


class ReportedCall(Struct):
    """What it was held over. `client_address`: of a client who writes."""

    client_address: Annotated[str, Meta(max_length=64)] = ""


class ReportedSession(Struct):
    """Where the conversation stands after the turn. `values`: what the flow says of it, by the columns' names."""

    id: Annotated[str, Meta(min_length=1, max_length=120)]
    state: Key
    not_understood: int = 0
    ending: Key = ""
    outcome: Key = ""
    values: SessionState = field(default_factory=SessionState)
    memory: Annotated[str, Meta(max_length=200_000)] | None = None


class TurnReport(Struct):
    """`POST /api/turns`: a turn of a conversation with the agent. What else it tells is passed over."""

    id: Annotated[str, Meta(min_length=1, max_length=120)]
    turn: ReportedTurn
    session: ReportedSession
    call: ReportedCall = field(default_factory=ReportedCall)
