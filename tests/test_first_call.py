"""The flow that docs/flows.md makes from an empty file, called as its reader would: `pronto call`, a whole stack."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tests.flows.test_examples import WHOLE

pytestmark = pytest.mark.timeout(600)


def test_the_first_flow_is_called(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "flows", tmp_path / "flows")  # with the intents, which are trained already
    for example in WHOLE:
        path = tmp_path / example.text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, encoding="utf-8")
    settings = {"DEFAULT_FLOW": "fr/flowers", "FLOWS_DIR": str(tmp_path / "flows"), "STRAIN_LIMIT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "pronto", "call", str(tmp_path / "tests" / "calls" / "flowers" / "bouquet.yaml")],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outcome ordered" in done.stdout
