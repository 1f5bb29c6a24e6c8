"""Audio files that are no plain WAV become samples, by FFmpeg's decoders, which PyAV carries. Pure.

FFmpeg is told the format, after the file's first bytes: asked to guess, it tries every reader that it has, and some
open sockets (an SDP text makes it wait for RTP) or follow what a playlist names. Only formats and codecs of audio files
that people have are let in, and no other address is ever opened.
"""

from __future__ import annotations

import io
from typing import Final, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from whisper_service.audio_faults import BadAudio

Channels: TypeAlias = NDArray[np.float32]
"""Shape [samples, channels]."""

MAX_CHANNELS: Final = 8
_SIGNS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"RIFF", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (0, b"FORM", "aiff"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
)
"""Where a sign stands, the sign, FFmpeg's name of the format."""
_CODECS: Final = frozenset(
    """flac vorbis opus speex mp3 mp3float mp2 mp2float aac alac gsm gsm_ms amrnb amrwb libopencore_amrnb
    libopencore_amrwb libopus libspeex libgsm libgsm_ms g722 adpcm_g722 adpcm_g726 g726 adpcm_ima_wav adpcm_ms
    adpcm_yamaha adpcm_ima_qt""".split()
)


def format_of(data: bytes) -> str:
    """FFmpeg's name of the format that the first bytes tell, or the empty string."""
    for at, sign, name in _SIGNS:
        if data[at : at + len(sign)] == sign:
            return name
    if len(data) >= 330 and len(data) % 33 == 0 and all(first >> 4 == 0xD for first in data[::33]):
        return "gsm"  # Asterisk's .gsm: nothing but frames of 33 bytes
    if len(data) > 2 and data[0] == 0xFF:
        if data[1] & 0xF6 == 0xF0:
            return "aac"  # ADTS
        if data[1] & 0xE0 == 0xE0 and data[1] & 0x06:
            return "mp3"
    return ""


def read_container(data: bytes, max_s: float) -> tuple[Channels, int]:
    """Samples as they are in the file, and their rate in Hz; reading stops at `max_s` seconds. Raises BadAudio."""
    name = format_of(data)
    if not name:
        raise BadAudio("not_audio", "this is no audio file of a kind that is read here")
    parts: list[Channels] = []
    count = rate_hz = 0
    try:
        options = {"protocol_whitelist": "none"}
        with av.open(io.BytesIO(data), "r", format=name, container_options=options, metadata_errors="ignore") as file:
            if not file.streams.audio:
                raise BadAudio("not_audio", "the file has no audio in it")
            stream = file.streams.audio[0]
            codec = stream.codec_context.name
            if codec not in _CODECS and not codec.startswith("pcm_"):
                raise BadAudio("unsupported", f"audio coded as {codec} is not read here")
            floats: av.AudioResampler | None = None
            for frame in file.decode(stream):
                if floats is None:
                    rate_hz = frame.sample_rate
                    if not 1 <= len(frame.layout.channels) <= MAX_CHANNELS or not 4_000 <= rate_hz <= 192_000:
                        raise BadAudio("unsupported", f"{len(frame.layout.channels)} channels at {rate_hz} Hz")
                    floats = av.AudioResampler(format="flt", layout=frame.layout, rate=rate_hz)
                for piece in floats.resample(frame):
                    parts.append(_channels(piece))
                    count += len(parts[-1])
                if count > max_s * rate_hz:
                    raise BadAudio("too_long", f"the audio is longer than {max_s:g} s")
            if floats is not None:
                parts += [_channels(piece) for piece in floats.resample(None)]
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        if isinstance(error, BadAudio):
            raise
        raise BadAudio("not_audio", f"this is no audio that can be decoded ({error})") from None
    if not parts:
        raise BadAudio("empty", "the file holds no samples")
    return np.concatenate(parts), rate_hz


def _channels(frame: av.AudioFrame) -> Channels:
    interleaved = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
    return np.asarray(interleaved, np.float32)
