"""An engine in a process of its own, from the outside: started, asked over a socket, killed when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Final

from observability.lifecycle import cancel_all
from speech_service.engines.port import Chunk, EngineFailed

log = logging.getLogger("speech_service")

START_S: Final = 20.0
ROOT: Final = Path(__file__).resolve().parents[2]
TRIES_S: Final = (0.0, 0.1, 0.5, 2.0)
"""Before each try to start a process that died."""
PATIENCE_S: Final = 0.5
"""For a process that takes no connection: it is started again then."""


class EngineProcess:
    """Pico or Piper. Of a process that dies the next text is told at once, while another one starts."""

    def __init__(self, kind: str, folder: Path, models: Sequence[str], *, streams: bool, first_s: float) -> None:
        self.name = kind
        self.streams = streams
        self.first_s = first_s
        self._folder = folder
        self._models = list(models)
        self._process: asyncio.subprocess.Process | None = None
        self._place = Path()
        self._starting: asyncio.Task[None] | None = None
        self._drains: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Loads the models in a new process. Raises EngineFailed."""
        await self._end()
        self._closed = False
        self._place = Path(tempfile.mkdtemp(prefix="pronto-voice-"))
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._place / "socket"))
            listener.listen(64)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "speech_service.engines.worker",
                str(listener.fileno()),
                self.name,
                str(self._folder),
                *self._models,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[listener.fileno()],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        finally:
            listener.close()
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if line != b"ready\n":
            reason = await self._complaint()
            await self._end()
            raise EngineFailed(f"{self.name}: {reason}")
        self._watching = asyncio.create_task(self._watch(self._process))
        self._drains = [asyncio.create_task(_forget(stream)) for stream in (self._process.stdout, self._process.stderr)]

    async def close(self) -> None:
        """Ends the process and all that it forked, for good: it is not started again until somebody calls `start`."""
        self._closed = True
        if self._starting is not None:
            await cancel_all(self._starting)
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None  # from now on its end is no surprise
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await asyncio.to_thread(shutil.rmtree, self._place, True)

    @property
    def pid(self) -> int:
        """Of the process that loads the models; 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    @property
    def is_up(self) -> bool:
        """Whether its process runs, and is not just being started again."""
        return self.pid != 0 and (self._starting is None or self._starting.done())

    def version(self, model: str) -> str:
        """The library's or the model's file, as it lies there."""
        file = self._folder / ("libttspico.so.0" if self.name == "pico" else f"{model}.onnx")
        with contextlib.suppress(OSError):
            about = file.stat()
            return f"{self.name}-{about.st_size}-{about.st_mtime_ns}"
        return self.name

    async def speak(self, model: str, text: str, speed: float) -> AsyncGenerator[Chunk, None]:
        """See the port."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(str(self._place / "socket"))
        except (OSError, TimeoutError) as error:
            self._start_again()
            raise EngineFailed(f"{self.name}: its process is away ({error!r})") from error
        pid, over = 0, False
        try:
            writer.write(json.dumps({"model": model, "text": text, "speed": speed}).encode() + b"\n")
            line = await reader.readline()
            told = json.loads(line) if line else {"error": "its process ended"}
            if "error" in told:
                raise EngineFailed(f"{self.name}: {told['error']}")
            pid = int(told["pid"])
            while True:
                (length,) = struct.unpack("<I", await reader.readexactly(4))
                if not length:
                    over = True
                    return
                yield Chunk(await reader.readexactly(length), int(told["rate_hz"]))
                writer.write(b".")
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            over = True
            raise EngineFailed(f"{self.name}: its process ended in the middle") from error
        finally:
            writer.close()
            if not over:
                await self._stop_text(pid)

    async def _stop_text(self, pid: int) -> None:
        """A text that is not wanted any more, or hangs. A fork that waits sees the closed socket; one that computes is
        killed; a process that answers one text at a time and has not told its number is started again."""
        if pid and self._process is not None and pid != self._process.pid:
            # its number cannot be another's: it ends only once it has seen the socket closed, just now
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        elif not pid:
            self._start_again()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if process is self._process:
            self._start_again()

    def _start_again(self) -> None:
        if not self._closed and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self._start_quietly())

    async def _start_quietly(self) -> None:
        for pause_s in TRIES_S:  # beyond them the service tries every silent voice again, by and by
            await asyncio.sleep(pause_s)
            try:
                await self.start()
            except EngineFailed as error:
                log.error("engine does not start", extra={"engine": self.name, "reason": str(error)})
                continue
            log.warning("engine was started again", extra={"engine": self.name})
            return

    async def _complaint(self) -> str:
        """The last line of what the process said before it ended."""
        if self._process is None or self._process.stderr is None:
            return "it was not started"
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        lines = (await self._process.stderr.read()).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


async def _forget(stream: asyncio.StreamReader | None) -> None:
    """Reads what nobody needs, so that the writer never waits."""
    while stream is not None and await stream.read(4_096):
        pass
