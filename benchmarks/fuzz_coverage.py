"""One parser under atheris, which keeps the inputs that reach new lines: `fuzz_coverage.py NAME [libFuzzer options]`.

Run by `benchmarks.fuzz` in its own venv, with the packages of ours on the path.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from random import Random

import atheris  # type: ignore[import-untyped]

warnings.simplefilter("ignore")
with atheris.instrument_imports(
    include=["rtp_receiver", "ari_controller", "protocol", "bot_manager", "pronto", "whisper_service"]
):
    from tests.fuzz.parsers import PARSERS

PARSER = next(parser for parser in PARSERS if parser.name == sys.argv[1])
AS_BYTES = isinstance(PARSER.make(Random(0)), bytes)


def one_input(data: bytes) -> None:
    """Parses one input; anything but the parser's own error is a crash."""
    value = data if AS_BYTES else data.decode("utf-8", errors="surrogateescape")
    with contextlib.suppress(*PARSER.refuses):
        PARSER.parse(value)


if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], one_input)
    atheris.Fuzz()
