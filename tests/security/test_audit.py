"""`make audit` finds a planted secret and a known vulnerability, and says when it could not look."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import check_dependencies, check_secrets

# put together here, so that this file is not what it is about
PLANTED = {
    "config.py": 'aws_key = "' + "AKIA" + 'QWERTYUIOP234567"\n',
    "settings.env": "ARI_PASS" + "WORD=Zx81-kpq0-vNw3-dd7a\n",
    "key.pem": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIB\n",
    "url.yaml": "database: postgres://pronto" + ":tr0ub4dor@db.example/calls\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "README.md").write_text("nothing to see\n")
    return tmp_path


def test_a_folder_without_secrets_passes(repository: Path) -> None:
    assert check_secrets.main([str(repository)]) == 0


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_found(repository: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / name).write_text(PLANTED[name])
    assert check_secrets.main([str(repository)]) == 1
    assert f"{name}:1: looks like a secret" in capsys.readouterr().err


def test_what_was_accepted_may_move_but_not_change(repository: Path) -> None:
    secret = PLANTED["config.py"]
    (repository / "config.py").write_text(secret)
    name, kind, digest, _ = check_secrets.found_in(repository)[0]
    (repository / check_secrets.BASELINE).write_text(f'[["{name}", "{kind}", "{digest}"]]')
    (repository / "config.py").write_text("\n\n" + secret)
    assert check_secrets.main([str(repository)]) == 0
    (repository / "config.py").write_text(secret.replace("QWER", "REWQ"))
    assert check_secrets.main([str(repository)]) == 1


def test_vulnerabilities_are_told_apart_from_packages_that_nobody_knows() -> None:
    fault = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    report = {
        "dependencies": [
            {"name": "good", "version": "1", "vulns": []},
            {"name": "bad", "version": "1", "vulns": [fault]},
            {"name": "own", "skip_reason": "not found"},
        ]
    }
    assert check_dependencies.judged(report) == (["bad 1: PYSEC-1, fixed in 2.0"], 2, 1)


def test_every_locked_package_is_asked_about_at_its_version() -> None:
    pins = check_dependencies.pins()
    assert [pin for pin in pins if pin.startswith("torch==")]
    assert [
        pin for pin in pins if pin.startswith("async-timeout==") and pin.endswith("; python_full_version < '3.11.3'")
    ]
    lock = (check_dependencies.ROOT / "locks" / "all.txt").read_text(encoding="utf-8")
    assert len(pins) == lock.count("==") + 1
    assert not [pin for pin in pins if "hash" in pin or "\\" in pin]


def answering(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    monkeypatch.setattr(check_dependencies, "asked", lambda service: answer)


def test_a_vulnerability_fails_and_no_service_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"dependencies": [{"name": "bad", "version": "1", "vulns": [{"id": "PYSEC-1"}]}]}
    for answer, status, told in (
        (bad, 1, "1 vulnerabilities"),
        (
            {"dependencies": [{"name": "own", "skip_reason": "x"}]},
            0,
            "NOT CHECKED, no advisory service",
        ),
        ("no network", 0, "NOT CHECKED"),
        ({"dependencies": [{"name": "good", "version": "1", "vulns": []}]}, 0, "1 looked up at pypi"),
    ):
        answering(monkeypatch, answer)
        assert check_dependencies.main() == status
        assert told in capsys.readouterr().out
