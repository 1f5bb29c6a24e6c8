"""What the README says of settings, commands and targets is what there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import table
from pronto.__main__ import COMMANDS
from tests.security.guards import GUARDS, Guard

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_settings_table_is_the_one_that_the_command_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "pronto", "config", "--markdown"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    written = re.search(r"<!-- settings: [^>]*-->\n(.*)<!-- /settings -->", README, re.DOTALL)
    assert written is not None
    assert written[1] == printed
    assert len(table()) == printed.count("\n") - 2


def test_every_command_and_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets, document
        assert set(re.findall(r"bin/pronto ([a-z]+)", text)) <= set(COMMANDS), document


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_every_test_that_a_threat_names_exists_and_has_a_guard_that_it_holds() -> None:
    named = re.findall(r"`(tests/[\w/.]+::\w+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    assert len(named) > 40
    for test in named:
        file, name = test.split("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test
    # Asterisk itself asks for ARI's password and refuses a stranger's requests: no line of ours could be taken out
    by_asterisk = {"test_nobody_uses_ari_without_the_password", "test_a_stranger_gets_nothing_from_any_request"}
    assert {test for test in named if test.split("::")[1] not in by_asterisk} == {guard.test for guard in GUARDS}


CHECKLISTS = {
    "text.md": [f"TT-{number}" for number in range(1, 14)],
    "booking.md": [
        f"{part}-{number}"
        for part, last in (("BU", 7), ("BI", 10), ("BP", 4), ("BS", 3), ("BX", 3))
        for number in range(1, last + 1)
    ],
}


@pytest.mark.parametrize("document", CHECKLISTS)
def test_every_line_of_a_checklist_has_tests_or_benchmarks_that_exist(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:TT|B[UIPSX])-\d+) \|(.*)$", text, re.MULTILINE)
    assert [number for number, _ in rows] == CHECKLISTS[document]
    for number, row in rows:
        tests = re.findall(r"`(tests/[\w/.]+)::(\w+)`", row)
        benchmarks = re.findall(r"`python -m benchmarks\.(\w+)", row)
        assert tests or benchmarks, number
        for file, name in tests:
            assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name
        for name in benchmarks:
            assert (ROOT / "benchmarks" / f"{name}.py").is_file(), name


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.test.split("::")[1])
def test_every_guard_is_where_the_table_says(guard: Guard) -> None:
    assert guard.text in (ROOT / guard.file).read_text(encoding="utf-8")
