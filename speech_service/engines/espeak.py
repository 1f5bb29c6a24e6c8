"""espeak-ng, the last resort that always works: one process per text, its WAV read while it is written."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from speech_service.engines.port import Chunk, EngineFailed

WORDS_PER_MINUTE: Final = 150
"""At speed 1."""
SLOWEST, FASTEST = 80, 450
CHUNK_BYTES: Final = 8_192


class EspeakEngine:
    """Any of its voices: the model is its name for one (`fr`, `it+f3`)."""

    name = "espeak"
    streams = True
    first_s = 2.0

    def __init__(self, program: Path) -> None:
        self._program = program
        self._version = "espeak"

    async def start(self) -> None:
        """Asks its version. Raises EngineFailed."""
        process = await self._run("--version")
        said, _ = await process.communicate()
        if process.returncode != 0 or not said:
            raise EngineFailed(f"espeak-ng ended with {process.returncode}")
        self._version = said.decode(errors="replace").partition("Data")[0].strip()

    async def close(self) -> None:
        """Nothing runs between texts."""

    def version(self, model: str) -> str:
        """What it says of itself."""
        return self._version

    async def speak(self, model: str, text: str, speed: float) -> AsyncGenerator[Chunk, None]:
        """See the port."""
        pace = min(FASTEST, max(SLOWEST, round(WORDS_PER_MINUTE * speed)))
        process = await self._run("-v", model, "-s", str(pace), "-b", "1", "--stdin", "--stdout")
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(text.encode())  # through a pipe: it may begin with a dash
            process.stdin.close()
            try:
                head = await process.stdout.readexactly(44)
            except asyncio.IncompleteReadError:
                raise EngineFailed(f"espeak-ng said nothing with the voice {model!r}") from None
            (rate_hz,) = struct.unpack_from("<I", head, 24)
            held = b""
            while data := await process.stdout.read(CHUNK_BYTES):
                held += data
                whole = len(held) // 2 * 2
                if whole:
                    yield Chunk(held[:whole], rate_hz)
                held = held[whole:]
            if await process.wait() != 0:
                raise EngineFailed(f"espeak-ng ended with {process.returncode}")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EngineFailed("espeak-ng ended in the middle") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _run(self, *arguments: str) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                str(self._program),
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=CHUNK_BYTES * 2,
            )
        except OSError as error:
            raise EngineFailed(f"{self._program}: {error.strerror} (run `make setup`)") from error
