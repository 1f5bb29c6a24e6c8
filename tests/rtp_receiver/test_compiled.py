"""The compiled part is built where a compiler is, and missed by nobody where none is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compiled.build import build, compilers
from compiled.library import FOLDER, loaded
from rtp_receiver.silero import SileroVad

ROOT = FOLDER.parent
needs_a_compiler = pytest.mark.skipif(not compilers(), reason="no C compiler")


def copy_of_the_sources(to: Path) -> Path:
    shutil.copytree(FOLDER, to / "compiled", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return to / "compiled"


def set_up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What set-up runs, in a copy of the folder."""
    return subprocess.run(
        [sys.executable, "-m", "compiled.build"],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": str(folder.parent), **environment},
        capture_output=True,
        text=True,
        check=True,
    )


@needs_a_compiler
def test_set_up_builds_the_library_once_and_removes_that_of_other_sources(tmp_path: Path) -> None:
    folder = copy_of_the_sources(tmp_path)
    (folder / "pronto-0123456789abcdef.so").touch()
    set_up(folder)
    [built] = folder.glob("*.so")
    assert loaded(built) is not None
    made_at = built.stat().st_mtime_ns
    assert set_up(folder).stderr == ""
    assert built.stat().st_mtime_ns == made_at
    (folder / "silero.c").write_text((folder / "silero.c").read_text() + "/* another release */\n")
    set_up(folder)
    [other] = folder.glob("*.so")
    assert other.name != built.name


@pytest.mark.parametrize("compiler", ["", "false", "no-such-compiler", "sh -c 'exit 1'"])
def test_set_up_goes_well_without_a_compiler_that_works(compiler: str, tmp_path: Path) -> None:
    folder = copy_of_the_sources(tmp_path)
    done = set_up(folder, CC=compiler, PATH=str(tmp_path))
    assert "Python does its work" in done.stderr
    assert not list(folder.glob("*.so*"))
    assert not list(folder.glob(".pronto*"))


@needs_a_compiler
def test_a_compiler_that_makes_functions_for_one_processor_only_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = compilers()[-1][0]
    picky = tmp_path / "picky"
    picky.write_text(f'#!/bin/sh\ncase "$*" in *ONE_KIND*) exec {real} "$@";; *) echo no clones >&2; exit 1;; esac\n')
    picky.chmod(0o755)
    monkeypatch.setattr("compiled.build.compilers", lambda: [[str(picky)]])
    assert build(tmp_path / "x.so") == ""
    assert loaded(tmp_path / "x.so") is not None


def test_a_library_that_cannot_be_loaded_is_told_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "x.so").write_bytes(b"of another machine")
    assert loaded(tmp_path / "x.so") is None
    assert "not loaded" in caplog.text
    caplog.clear()
    assert loaded(tmp_path / "none.so") is None
    assert not caplog.text


def test_the_detector_works_where_nothing_was_compiled(tmp_path: Path) -> None:
    copy_of_the_sources(tmp_path)
    step = """
import numpy as np
from compiled.library import library
from rtp_receiver.silero import SileroVad
vad = SileroVad()
print(library(), vad.step([vad.open()], np.load("chunk.npy"))[0])
"""
    chunk = np.random.default_rng(3).normal(0, 3_000, (1, 512)).astype(np.int16)
    np.save(tmp_path / "chunk.npy", chunk)
    places = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", step], cwd=tmp_path, env=places, capture_output=True, text=True, check=True
    )
    python = SileroVad(compiled=False)
    assert done.stdout.split() == ["None", str(python.step([python.open()], chunk)[0])]
