"""What is known of revisions without Alembic is what Alembic knows; it is loaded for a migration only."""

import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory

from booking_service.database import SCHEMA as BOOKING_SCHEMA
from config import ROOT
from records.database import SCHEMA as RECORDS_SCHEMA
from records.database import open_database
from records.schema import Schema


@pytest.mark.parametrize("schema", [RECORDS_SCHEMA, BOOKING_SCHEMA], ids=["records", "booking"])
def test_the_revisions_are_those_of_alembic(schema: Schema) -> None:
    scripts = ScriptDirectory(str(schema.migrations))
    assert schema.known == [one.revision for one in scripts.walk_revisions()][::-1]
    assert schema.head == scripts.get_current_head()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(database: str) -> None:
    open_database(database).dispose()
    program = "import sys; from records.database import open_database; open_database(sys.argv[1]); "
    program += "sys.exit(any(name.split('.')[0] == 'alembic' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program, database], cwd=ROOT, timeout=60).returncode == 0
