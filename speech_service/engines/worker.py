"""The process that an engine lives in: `python -m speech_service.engines.worker FD KIND FOLDER MODEL ...`.

It loads every model, then takes one connection after the other on the socket that is its file descriptor FD.
Each is answered by a fork of its own where the engine stands that: what is loaded is shared, a fork costs a few
milliseconds, and a crash or a hang costs the one text. Others are answered one at a time.

On a connection: a line of JSON {model, text, speed} comes; a line {pid, rate_hz} or {error} goes back, then chunks,
each with its length in 4 bytes before it, the last one empty. Beyond the first every chunk is waited for by one byte
from the other side, who so decides which of many texts is worked on. Standard input closes when the parent ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

FIRST_MS, LATER_MS = 480, 480
"""How much a chunk holds. The first is what a level is told from; Pico makes it in 8 ms more than the first sound."""
Speak = Callable[[str, float], Iterator[bytes]]


def main(arguments: list[str]) -> int:
    """Serves until standard input closes."""
    descriptor, kind, folder, *models = arguments
    rates, voices = load(kind, Path(folder), models)
    listener = socket.socket(fileno=int(descriptor))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are not waited for
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            return 0
        connection, _ = listener.accept()
        with connection:
            if kind == "pico" and os.fork() != 0:
                continue
            with contextlib.suppress(OSError):  # who asked has hung up
                answer(connection, rates, voices)
            if kind == "pico":
                os._exit(0)


def load(kind: str, folder: Path, models: list[str]) -> tuple[dict[str, int], dict[str, Speak]]:
    """Sample rates and voices by model. Raises what the engine raises."""
    if kind == "pico":
        from speech_service.engines.pico import RATE_HZ, Pico

        return dict.fromkeys(models, RATE_HZ), {model: Pico(folder, model).speak for model in models}
    from speech_service.engines.piper import PiperModel

    loaded = {model: PiperModel(folder, model) for model in models}
    return {model: voice.rate_hz for model, voice in loaded.items()}, {m: v.speak for m, v in loaded.items()}


def answer(connection: socket.socket, rates: dict[str, int], voices: dict[str, Speak]) -> None:
    """One text. Raises OSError when the other side is gone."""
    stream = connection.makefile("rb")
    asked = json.loads(stream.readline() or "{}")
    model = asked.get("model", "")
    if model not in voices:
        connection.sendall(json.dumps({"error": f"no model {model!r}"}).encode() + b"\n")
        return
    connection.sendall(json.dumps({"pid": os.getpid(), "rate_hz": rates[model]}).encode() + b"\n")
    held = bytearray()
    enough = rates[model] * 2 * FIRST_MS // 1_000
    is_first = True
    for data in voices[model](asked["text"], asked["speed"]):
        held += data
        if len(held) >= enough:
            _send(connection, stream, bytes(held), is_first)
            held.clear()
            is_first, enough = False, rates[model] * 2 * LATER_MS // 1_000
    if held:
        _send(connection, stream, bytes(held), is_first)
        is_first = False
    _send(connection, stream, b"", is_first)


def _send(connection: socket.socket, stream: BinaryIO, data: bytes, is_first: bool) -> None:
    if not is_first and not stream.read(1):
        raise ConnectionResetError
    connection.sendall(struct.pack("<I", len(data)) + data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
