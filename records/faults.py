"""What an error of the database means: try again, look at the schema, or this record is at fault."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError

from records.database import BadSchema

_WRONG_TABLES: Final = ("no such table", "no such column", "has no column named")


def may_pass(error: Exception) -> bool:
    """Whether it is not this record's fault: the same one may be taken later, another one would not be taken now."""
    if isinstance(error, DBAPIError) and not is_the_schemas_fault(error):
        return not isinstance(error, DataError | IntegrityError | ProgrammingError)
    return isinstance(error, BadSchema | OSError | DBAPIError)


def is_the_schemas_fault(error: Exception) -> bool:
    """Tables or columns that are not there, or that we may not touch."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return state.startswith(("42", "3F")) or any(words in str(error.orig) for words in _WRONG_TABLES)
    return isinstance(error, BadSchema)


def told(error: Exception) -> str:
    """What may be logged: PostgreSQL's own word for an error, without the row that it adds as a detail."""
    primary = getattr(getattr(getattr(error, "orig", None), "diag", None), "message_primary", None)
    if isinstance(error, BadSchema):
        return str(error)
    if primary:
        return f"{type(error).__name__}: {primary}"
    return repr(error) if isinstance(error, SQLAlchemyError | OSError) else type(error).__name__
