"""Four hundred requests that are wrong in every way we could think of, each with the status that it deserves."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

JSON = {"Content-Type": "application/json"}
BOUNDARY = "----pronto"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
RATE_HZ = 16_000


@dataclass(frozen=True)
class Malformed:
    """One wrong request."""

    name: str
    path: str
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


def requests(good: bytes, seed: int = 0, huge_bytes: int = 100 * 1024 * 1024) -> Iterator[Malformed]:
    """Exactly 400 of them. `good` is a WAV file with 44 bytes of header that would be answered."""
    made = [*_audio(good), *_json(good), *_forms(good), *_http(good, huge_bytes)]
    choice = random.Random(seed)
    yield from made
    for number in range(400 - len(made)):
        yield _random(good, number, choice)


def riff(encoding: int, bits: int, data: bytes, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    """A WAVE file of any kind."""
    width = bits // 8 * channels
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, encoding, channels, rate_hz, rate_hz * width, width, bits)
    content = form + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WAVE" + content


def whisper(audio: bytes, **fields: object) -> bytes:
    """The body of a /whisper request."""
    return json.dumps({"audio": base64.b64encode(audio).decode(), "filename": "a.wav", **fields}).encode()


def form(**parts: bytes | str) -> bytes:
    """A multipart body; bytes become a file, text a field."""
    lines = []
    for name, value in parts.items():
        file = '; filename="a.wav"\r\nContent-Type: audio/wav' if isinstance(value, bytes) else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines.append(head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n")
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def _audio(good: bytes) -> Iterator[Malformed]:
    """Bad audio, through each endpoint."""
    nan = np.full(8_000, np.nan, "<f4").tobytes()
    infinite = np.full(8_000, -np.inf, "<f4").tobytes()
    bad: list[tuple[str, int, bytes]] = [
        ("empty", 400, b""),
        ("text", 400, b"this is no audio at all"),
        ("html", 400, b"<html><body>404</body></html>"),
        ("json", 400, b'{"audio": "again"}'),
        ("zeros", 400, bytes(10_000)),
        ("header only", 400, good[:44]),
        ("half a header", 400, good[:20]),
        ("truncated", 400, good[:-5_001]),
        ("odd bytes", 400, riff(1, 16, b"\0" * 20_001)),
        ("RIFF of another kind", 400, b"RIFF\x24\0\0\0AVI LIST" + bytes(100)),
        ("samples before format", 400, b"RIFF\x24\0\0\0WAVEdata" + struct.pack("<I", 10) + bytes(10)),
        ("no samples chunk", 400, riff(1, 16, b"")[:36]),
        ("wrong encoding", 415, riff(0x160, 16, bytes(8_000))),
        ("12 bits", 415, riff(1, 12, bytes(8_000))),
        ("0 Hz", 415, riff(1, 16, bytes(8_000), 0)),
        ("2 GHz", 415, riff(1, 16, bytes(8_000), 2_000_000_000)),
        ("no channels", 415, riff(1, 16, bytes(8_000), channels=0)),
        ("99 channels", 415, riff(1, 16, bytes(99 * 2 * 100), channels=99)),
        ("NaN", 422, riff(3, 32, nan)),
        ("infinite", 422, riff(3, 32, infinite)),
        ("one NaN", 422, riff(3, 32, bytes(16_000) + nan[:4] + bytes(16_000))),
        ("1 sample", 422, riff(1, 16, b"\1\0")),
        ("100 samples", 422, riff(1, 16, bytes(200))),
        ("no samples", 422, riff(1, 16, b"")),
        ("31 s", 413, riff(1, 16, bytes(31 * 2 * RATE_HZ))),
        ("40 minutes in 8-bit telephone code", 413, riff(7, 8, bytes(40 * 60 * 2_000), 4_000)),
        ("40 minutes, compressed", 413, _flac(40 * 60)),
    ]
    for name, status, audio in bad:
        yield Malformed(f"/whisper, {name}", "/whisper", status, whisper(audio), JSON)
        yield Malformed(f"/transcribe, {name}", "/transcribe", status, form(audio=audio), FORM)
        openai = form(file=audio, model="whisper-1")
        yield Malformed(f"/v1, {name}", "/v1/audio/transcriptions", status, openai, FORM)


def _json(good: bytes) -> Iterator[Malformed]:
    bodies: list[tuple[str, int, bytes]] = [
        ("no body", 422, b""),
        ("no JSON", 400, b"audio=abc"),
        ("half of it", 400, whisper(good)[:500]),
        ("NUL bytes", 400, b"\0" * 100),
        ("not UTF-8", 400, b'{"audio": "\xff\xfe"}'),
        ("a deep nest", 400, b"[" * 100_000),
        ("not base64", 400, b'{"audio": "*** no base64 ***"}'),
        ("base64 cut off", 400, b'{"audio": "UklGRi"}'),
        ("base64 of another alphabet", 400, b'{"audio": "__--"}'),
        ("no ASCII", 400, '{"audio": "ééé="}'.encode()),
        ("a list", 422, b"[]"),
        ("null", 422, b"null"),
        ("a number", 422, b"42"),
        ("a string", 422, b'"audio"'),
        ("nothing in it", 422, b"{}"),
        ("audio is a number", 422, b'{"audio": 7}'),
        ("audio is null", 422, b'{"audio": null}'),
        ("audio is a list", 422, b'{"audio": [1, 2]}'),
        ("audio is an object", 422, b'{"audio": {}}'),
        ("language is a number", 422, whisper(good, language=3)),
        ("language is null", 422, whisper(good, language=None)),
        ("language unknown", 422, whisper(good, language="xx")),
        ("language too long", 422, whisper(good, language="f" * 1_000)),
        ("language is a token", 422, whisper(good, language="fr|><|")),
        ("hints is text", 422, whisper(good, hints="gaz")),
        ("hints of numbers", 422, whisper(good, hints=[1])),
        ("too many hints", 422, whisper(good, hints=["gaz"] * 1_000)),
        ("a hint too long", 422, whisper(good, hints=["gaz" * 1_000])),
        ("deadline negative", 422, whisper(good, deadline_ms=-1)),
        ("deadline 0", 422, whisper(good, deadline_ms=0)),
        ("deadline is text", 422, whisper(good, deadline_ms="soon")),
        ("deadline is a fraction", 422, whisper(good, deadline_ms=1.5)),
        ("deadline is NaN", 422, whisper(good, deadline_ms=float("nan"))),
        ("deadline endless", 422, whisper(good, deadline_ms=10**30)),
        ("filename is a number", 422, whisper(good, filename=1)),
        ("connection_id is a list", 422, whisper(good, connection_id=[])),
    ]
    for name, status, content in bodies:
        yield Malformed(f"/whisper, {name}", "/whisper", status, content, JSON)
    for header in ("-1", "soon", "1.5", "", "9" * 40, "0"):
        yield Malformed(
            f"deadline header {header!r}", "/whisper", 422, whisper(good), {**JSON, "X-Deadline-Ms": header}
        )


def _forms(good: bytes) -> Iterator[Malformed]:
    transcribe: list[tuple[str, int, bytes]] = [
        ("no parts", 422, form()),
        ("no audio", 422, form(language="fr")),
        ("audio as text", 422, form(audio="abc")),
        ("another name", 422, form(file=good)),
        ("language too long", 422, form(audio=good, language="f" * 99)),
        ("language unknown", 422, form(audio=good, language="klingon!")),
        ("deadline is text", 422, form(audio=good, deadline_ms="soon")),
        ("deadline 0", 422, form(audio=good, deadline_ms="0")),
        ("hint too long", 422, form(audio=good, hints="g" * 300)),
        ("no boundary at the end", 422, form(audio=good)[:-200]),
        ("another boundary", 400, form(audio=good).replace(BOUNDARY.encode(), b"----else")),
        ("no multipart", 400, good),
    ]
    for name, status, content in transcribe:
        yield Malformed(f"/transcribe, {name}", "/transcribe", status, content, FORM)
    openai: list[tuple[str, int, bytes]] = [
        ("no file", 422, form(model="m")),
        ("no model", 422, form(file=good)),
        ("model empty", 422, form(file=good, model="")),
        ("file as text", 422, form(file="abc", model="m")),
        ("srt", 400, form(file=good, model="m", response_format="srt")),
        ("vtt", 400, form(file=good, model="m", response_format="vtt")),
        ("temperature hot", 422, form(file=good, model="m", temperature="9")),
        ("temperature is text", 422, form(file=good, model="m", temperature="hot")),
        ("temperature is NaN", 422, form(file=good, model="m", temperature="nan")),
        ("stream", 400, form(file=good, model="m", stream="true")),
        ("prompt too long", 422, form(file=good, model="m", prompt="a" * 5_000)),
        ("language unknown", 422, form(file=good, model="m", language="xx")),
    ]
    for name, status, content in openai:
        yield Malformed(f"/v1, {name}", "/v1/audio/transcriptions", status, content, FORM)


def _http(good: bytes, huge_bytes: int) -> Iterator[Malformed]:
    for path in ("/whisper", "/transcribe", "/v1/audio/transcriptions"):
        for method in ("GET", "PUT", "DELETE"):
            yield Malformed(f"{method} {path}", path, 405, b"", JSON, method)
        for kind in ("text/plain", "application/octet-stream", "audio/wav", "application/x-www-form-urlencoded", ""):
            yield Malformed(f"{path} as {kind or 'nothing'}", path, 415, good, {"Content-Type": kind} if kind else {})
        kind = "application/json" if path == "/whisper" else "multipart/form-data; boundary=x"
        yield Malformed(f"{path}, {huge_bytes} bytes", path, 413, bytes(huge_bytes), {"Content-Type": kind})
    yield Malformed("multipart without a boundary", "/transcribe", 400, good, {"Content-Type": "multipart/form-data"})
    yield Malformed("nowhere", "/v2/whisper", 404, b"{}", JSON)
    yield Malformed("up the tree", "/whisper/../../etc/passwd", 404, b"{}", JSON)


def _random(good: bytes, number: int, choice: random.Random) -> Malformed:
    """A good request, cut or soiled at random in a way that is sure to break it."""
    kind = number % 4
    if kind == 0:
        return Malformed("JSON cut", "/whisper", 400, whisper(good)[: choice.randrange(1, len(good))], JSON)
    if kind == 1:
        cut = good[: choice.randrange(4, len(good) - 2)]
        return Malformed("WAV cut", "/whisper", 400, whisper(cut), JSON)
    if kind == 2:
        noise = b"\x01" + choice.randbytes(choice.randrange(10, 3_000))
        return Malformed("random bytes", "/transcribe", 400, form(audio=noise), FORM)
    text = bytearray(base64.b64encode(good))
    text[choice.randrange(len(text) - 4)] = choice.choice(b"!#$%&()*,.:;<>?@[]^_`{|}~-")
    return Malformed("base64 soiled", "/whisper", 400, b'{"audio": "' + bytes(text) + b'"}', JSON)


def _flac(seconds: int) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="flac") as writer:
        stream = writer.add_stream("flac", rate=8_000, layout="mono")
        for _ in range(seconds // 20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 160_000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 8_000
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    return file.getvalue()


def good_wav(seconds: float = 1.0) -> bytes:
    """A well-formed WAV file with 44 bytes of header."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(np.random.default_rng(0).integers(-3_000, 3_000, int(seconds * RATE_HZ), "<i2").tobytes())
    return file.getvalue()
