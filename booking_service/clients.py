"""The shop's clients: found by name or telephone, made with a consent and its proof, exported and erased on wish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking_service.bodies import ClientSearch, ConsentProof, NewClient
from booking_service.models import ClientRow, ConsentRow
from booking_service.refusals import BookingRefused, invalid
from booking_service.written import clean, mobile, name_words


def search(session: Session, body: ClientSearch) -> dict[str, Any]:
    """The answer of `/api/clienti/search`: everybody who has all the words of the name, and the telephone."""
    query = select(ClientRow).where(ClientRow.erased_at.is_(None)).order_by(ClientRow.id)
    wanted = name_words(body.nome)
    if body.telefono:
        query = query.where(ClientRow.telefono == mobile(body.telefono))
    elif not wanted:
        raise invalid("nome or telefono is needed")
    found = [row for row in session.scalars(query) if wanted <= name_words(f"{row.nome} {row.cognome}")]
    return {"count": len(found), "clienti": [shown_client(row) for row in found[:100]]}


def create(session: Session, body: NewClient, now_s: float) -> dict[str, Any]:
    """A new client, with the proof of consent. A no is kept as a proof of its own, without who it was, and refused.

    Raises BookingRefused: 409 when the telephone is somebody's, 422 for what is no client.
    """
    if not body.voice_consent:
        raise BookingRefused(422, "voice_consent", "without consent nothing is stored")
    first, last, telephone = clean(body.nome), clean(body.cognome), mobile(body.telefono)
    if len(first) < 2 or not last:
        raise invalid("a name has two characters or more")
    found = session.scalar(select(ClientRow).where(ClientRow.telefono == telephone))
    if found is not None:
        same = name_words(f"{first} {last}") == name_words(f"{found.nome} {found.cognome}")
        if same and body.consenso.call_id and _was_made_by(session, found.id, body.consenso.call_id):
            return shown_client(found)  # the same request again, whose answer was lost
        raise BookingRefused(409, "telefono_esiste", "a client has that telephone", {"cliente_id": found.id})
    row = ClientRow(
        nome=first,
        cognome=last,
        telefono=telephone,
        data_nascita=body.data_nascita,
        is_vip=False,
        voice_consent=True,
        voice_consent_at=now_s,
        voice_consent_wording=body.consenso.versione,
    )
    session.add(row)
    session.flush()
    prove(session, body.consenso, True, now_s, row.id)
    return shown_client(row)


def take_over(session: Session, rows: Sequence[Mapping[str, str]]) -> int:
    """Clients of another program, of whom no consent to the agent is known; how many were new. Who has a telephone that
    is there already is left as they are. All or none. Raises BookingRefused, with the line."""
    made = 0
    for line, row in enumerate(rows, start=2):
        try:
            telephone, born = mobile(row.get("telefono", "")), row.get("data_nascita", "")
            if session.scalar(select(ClientRow.id).where(ClientRow.telefono == telephone)) is None:
                session.add(
                    ClientRow(
                        nome=clean(row["nome"]),
                        cognome=clean(row.get("cognome", "")),
                        telefono=telephone,
                        data_nascita=date.fromisoformat(born) if born else None,
                        is_vip=row.get("is_vip", "").lower() in ("true", "1", "sì", "si"),
                    )
                )
                session.flush()
                made += 1
        except (BookingRefused, ValueError) as error:
            raise invalid(f"line {line}: {error}") from None
    return made


def listed(session: Session) -> list[dict[str, Any]]:
    """Everybody."""
    rows = session.scalars(select(ClientRow).where(ClientRow.erased_at.is_(None)).order_by(ClientRow.id))
    return [shown_client(row) for row in rows]


def prove(session: Session, proof: ConsentProof, given: bool, now_s: float, client: int | None = None) -> None:
    """Keeps what was asked and answered; a no belongs to nobody."""
    session.add(
        ConsentRow(
            cliente_id=client,
            call_id=proof.call_id,
            asked=proof.domanda,
            answer=proof.risposta if given else "",
            given=given,
            wording=proof.versione,
            asked_at=now_s,
        )
    )


def _was_made_by(session: Session, client: int, call_id: str) -> bool:
    query = select(ConsentRow.id).where(ConsentRow.cliente_id == client, ConsentRow.call_id == call_id)
    return session.scalar(query) is not None


def shown_client(row: ClientRow) -> dict[str, Any]:
    """A client as answers have it."""
    return {
        "id": row.id,
        "nome": row.nome,
        "cognome": row.cognome,
        "telefono": row.telefono,
        "data_nascita": row.data_nascita.isoformat() if row.data_nascita else None,
        "is_vip": row.is_vip,
    }
