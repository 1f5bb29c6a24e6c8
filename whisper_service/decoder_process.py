"""Reads foreign audio files in a process of its own, which is ended when it takes too long: `python -m
whisper_service.decoder_process` answers on its standard output what is asked on its standard input.

A file from outside may keep a decoder busy for ever, make it eat memory or crash it; none of that may reach the
service. A request is its length in bytes, the longest audio in seconds (`<Id`), and the file. An answer is the length
of a JSON line (`<I`), the line, and the samples as float32. Plain WAV, what the receiver sends, never comes here.
"""

from __future__ import annotations

import json
import os
import resource
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

import numpy as np

from whisper_service.audio_faults import BadAudio
from whisper_service.containers import Channels, read_container

LONGEST_S: Final = 3.0
"""For one file; decoding 30 s of audio takes a tenth of a second."""
MEMORY_BYTES: Final = 2 * 2**30
_ROOT: Final = Path(__file__).resolve().parent.parent


class DecoderProcess:
    """`read` like `read_container`, from any thread; one file at a time. The process starts with the first file."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, where one runs."""
        return self._process.pid if self._process else None

    def read(self, data: bytes, max_s: float) -> tuple[Channels, int]:
        """Samples, shape [n, channels], and their rate in Hz. Raises BadAudio."""
        with self._lock:
            process = self._process if self._process and self._process.poll() is None else self._start()
            until = time.monotonic() + self._longest_s
            try:
                assert process.stdin is not None
                process.stdin.write(struct.pack("<Id", len(data), max_s) + data)
                process.stdin.flush()
                (length,) = struct.unpack("<I", _take(process, 4, until))
                head = json.loads(_take(process, length, until))
                raw = _take(process, head["bytes"], until)
            except TimeoutError:
                self._end()
                raise BadAudio("too_slow", f"the audio could not be decoded within {self._longest_s:g} s") from None
            except (OSError, EOFError, ValueError):
                self._end()
                raise BadAudio("not_audio", "the audio cannot be decoded: its decoder died of it") from None
        if head["fault"]:
            raise BadAudio(head["fault"], head["message"])
        return np.frombuffer(raw, np.float32).reshape(-1, head["channels"]), head["rate_hz"]

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "whisper_service.decoder_process"]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        # importing FFmpeg's decoders is no fault of the file that comes first
        if _take(self._process, 1, time.monotonic() + 30.0) != b"\n":
            raise OSError("the decoder's process does not come up")
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None


def _take(process: subprocess.Popen[bytes], count: int, until: float) -> bytes:
    """Exactly `count` bytes of its output. Raises TimeoutError, EOFError."""
    assert process.stdout is not None
    number = process.stdout.fileno()
    taken = bytearray()
    while len(taken) < count:
        left_s = until - time.monotonic()
        if left_s <= 0 or not select.select([number], [], [], left_s)[0]:
            raise TimeoutError
        piece = os.read(number, min(count - len(taken), 1 << 20))
        if not piece:
            raise EOFError
        taken += piece
    return bytes(taken)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers until the other side closes."""
    answers.write(b"\n")
    answers.flush()
    while len(head := requests.read(12)) == 12:
        length, max_s = struct.unpack("<Id", head)
        fields: dict[str, object] = {"fault": "", "bytes": 0}
        samples: Channels = np.zeros((0, 1), np.float32)
        try:
            samples, rate_hz = read_container(requests.read(length), max_s)
            fields |= {"bytes": samples.nbytes, "channels": samples.shape[1], "rate_hz": rate_hz}
        except BadAudio as error:
            fields |= {"fault": error.fault, "message": str(error)}
        except MemoryError:
            fields |= {"fault": "unsupported", "message": "the audio needs too much memory"}
        line = json.dumps(fields).encode()
        answers.write(struct.pack("<I", len(line)) + line + samples.tobytes())
        answers.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    serve(sys.stdin.buffer, sys.stdout.buffer)
