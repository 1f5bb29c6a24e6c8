"""Audio files of many makes become the same samples; what is no audio says what it is instead."""

import io
import struct
import wave
from typing import Any

import av
import numpy as np
import pytest

from config import ROOT
from whisper_service.audio import MIN_SAMPLES, BadAudio, Samples, decode


def tone(seconds: float = 0.5, rate_hz: int = 16_000) -> Samples:
    return (0.5 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def wav(samples: Samples, rate_hz: int = 16_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def riff(encoding: int, bits: int, data: bytes, rate_hz: int = 16_000, size: int | None = None) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, encoding, 1, rate_hz, rate_hz * bits // 8, bits // 8, bits)
    body = form + struct.pack("<4sI", b"data", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def test_16_bit_wav_comes_back_as_it_was() -> None:
    assert np.abs(decode(wav(tone())) - tone()).max() < 1e-4


@pytest.mark.parametrize(
    ("encoding", "bits", "data", "error"),
    [
        (1, 8, ((tone() * 127) + 128).astype(np.uint8).tobytes(), 0.02),
        (1, 24, b"".join(int(x * 8388607).to_bytes(3, "little", signed=True) for x in tone()), 1e-5),
        (1, 32, (tone().astype(np.float64) * 2147483647).astype("<i4").tobytes(), 1e-5),
        (3, 32, tone().astype("<f4").tobytes(), 1e-6),
        (3, 64, tone().astype("<f8").tobytes(), 1e-6),
    ],
)
def test_every_kind_of_pcm_is_read(encoding: int, bits: int, data: bytes, error: float) -> None:
    assert np.abs(decode(riff(encoding, bits, data)) - tone()).max() < error


@pytest.mark.parametrize(("encoding", "codec"), [(6, "pcm_alaw"), (7, "pcm_mulaw")])
def test_telephone_codes_are_read_as_ffmpeg_reads_them(encoding: int, codec: str) -> None:
    every_code = bytes(range(256)) * 2
    frame_codec: Any = av.CodecContext.create(codec, "r")
    frame_codec.sample_rate = 8000
    frame_codec.layout = "mono"
    frame = frame_codec.decode(av.Packet(every_code))[0]
    expected = frame.to_ndarray().reshape(-1) / 32768.0
    assert np.array_equal(decode(riff(encoding, 8, every_code)), expected.astype(np.float32))


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000])
def test_other_sample_rates_become_16_khz(rate_hz: int) -> None:
    samples = decode(wav(tone(rate_hz=rate_hz), rate_hz))
    assert abs(samples.size - 8_000) <= 2
    middle = slice(800, 7_200)
    assert np.abs(samples[middle] - tone()[middle]).max() < 0.02


def test_two_channels_become_one() -> None:
    both = np.repeat(tone()[:, None], 2, axis=1)
    both[:, 1] = 0
    assert np.abs(decode(wav(both.reshape(-1), channels=2)) - tone() / 2).max() < 1e-4


@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("ogg", "libopus"), ("mp3", "libmp3lame")])
def test_other_containers_are_decoded(container: str, codec: str) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as writer:
        stream: Any = writer.add_stream(codec, rate=48_000, layout="mono")
        pcm = (tone(1.0, 48_000) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=48_000, frame_size=960)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            writer.mux(stream.encode(piece))
        writer.mux(stream.encode(None))
    samples = decode(file.getvalue())
    assert abs(samples.size - 16_000) < 2_000
    assert 0.25 < float(np.sqrt(np.mean(samples**2))) < 0.45


def coded(container: str, codec: str, rate_hz: int) -> bytes:
    """The tone of half a second in a container."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as writer:
        stream: Any = writer.add_stream(codec, rate=rate_hz, layout="mono")
        pcm = (tone(rate_hz=rate_hz) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        size = stream.codec_context.frame_size or 160
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate_hz, frame_size=size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            writer.mux(stream.encode(piece))
        writer.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [
        ("wav", "adpcm_ima_wav", 8_000),
        ("wav", "adpcm_ms", 8_000),
        ("wav", "adpcm_ms", 16_000),
        ("wav", "g726", 8_000),
        ("webm", "libopus", 48_000),
        ("mp4", "aac", 44_100),
        ("adts", "aac", 16_000),
        ("aiff", "pcm_s16be", 8_000),
        ("au", "pcm_mulaw", 8_000),
    ],
)
def test_codings_of_recordings_are_read(container: str, codec: str, rate_hz: int) -> None:
    samples = decode(coded(container, codec, rate_hz))
    assert abs(samples.size - 8_000) < 2_000
    assert float(np.sqrt(np.mean(samples[1_000:7_000] ** 2))) == pytest.approx(0.354, abs=0.03)


_PARAMETERS = (6, 6, 5, 5, 4, 4, 3, 3, *(7, 2, 2, 6, *(3,) * 13) * 4)
"""Bits of a GSM 06.10 frame's parameters, in order: 260."""


def wav49(gsm: bytes) -> bytes:
    """Asterisk's .WAV of raw GSM frames: two in 65 bytes, lowest bit first (Microsoft's GSM 06.10, encoding 49)."""
    data = bytearray()
    for pair in range(0, len(gsm) // 66 * 66, 66):
        bits: list[int] = []
        for frame in (gsm[pair : pair + 33], gsm[pair + 33 : pair + 66]):
            number, at = int.from_bytes(frame, "big"), 260  # the first four bits are a sign
            for width in _PARAMETERS:
                at -= width
                value = number >> at & (1 << width) - 1
                bits += [value >> bit & 1 for bit in range(width)]
        data += sum(bit << i for i, bit in enumerate(bits)).to_bytes(65, "little")
    form = struct.pack("<4sIHHIIHHHH", b"fmt ", 20, 49, 1, 8_000, 1_625, 65, 0, 2, 320)
    body = (
        form + struct.pack("<4sII", b"fact", 4, len(data) // 65 * 320) + struct.pack("<4sI", b"data", len(data)) + data
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def test_gsm_is_read_raw_and_in_wav() -> None:
    """On a recording that Asterisk brings along."""
    sounds = sorted((ROOT / ".pronto" / "asterisk" / "data" / "sounds" / "en").glob("*.gsm"))
    gsm = max((file.read_bytes() for file in sounds[:40]), key=len)[: 66 * 100]
    raw, in_wav = decode(gsm), decode(wav49(gsm))
    assert raw.size == pytest.approx(200 * 320, abs=700)
    assert float(np.sqrt(np.mean(raw**2))) > 0.01
    assert np.abs(raw - in_wav[: raw.size]).max() < 1e-3


@pytest.mark.parametrize("gain", [-1.0, -0.9, -1.1])
def test_channels_that_cancel_out_are_not_mixed(gain: float) -> None:
    both = np.stack([tone(), gain * tone()], axis=1) * 0.5
    samples = decode(wav(both.reshape(-1).astype(np.float32), channels=2))
    assert float(np.abs(samples).max()) == pytest.approx(0.25 * max(1.0, -gain), abs=0.01)


def test_channels_that_cancel_out_in_a_container_are_not_mixed() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as writer:
        stream: Any = writer.add_stream("flac", rate=16_000, layout="stereo")
        both = (np.stack([tone(), -tone()], axis=1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        frame.sample_rate = 16_000
        writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    assert float(np.abs(decode(file.getvalue())).max()) == pytest.approx(0.5, abs=0.01)


def test_two_voices_on_two_channels_are_mixed() -> None:
    other = np.asarray(0.5 * np.sin(2 * np.pi * 470 * np.arange(8_000) / 16_000), np.float32)
    both = np.stack([tone(), other], axis=1)
    assert np.abs(decode(wav(both.reshape(-1).astype(np.float32), channels=2)) - (tone() + other) / 2).max() < 1e-3


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_streamed_wav_of_unknown_length_is_read_to_its_end(size: int) -> None:
    pcm = (tone() * 32767).astype("<i2").tobytes()
    assert decode(riff(1, 16, pcm, size=size)).size == tone().size


HALF = (tone() * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b"hello, this is no audio", "not_audio"),
        (bytes(5_000), "not_audio"),
        (b"RIFF", "not_audio"),
        (b"RIFF\x04\x00\x00\x00AVI ", "not_audio"),
        (wav(tone())[:30], "truncated"),
        (wav(tone())[:44], "truncated"),
        (wav(tone())[:-1000], "truncated"),
        (riff(1, 16, HALF + b"\x00"), "truncated"),
        (riff(1, 12, HALF), "unsupported"),
        (riff(0x160, 16, HALF), "unsupported"),
        (riff(85, 16, bytes(8_000)), "not_audio"),
        (
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n",
            "not_audio",
        ),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.mp3\n", "not_audio"),
        (b"ffconcat version 1.0\nfile '/etc/hostname'\n", "not_audio"),
        (b"<?xml version='1.0'?><MPD><Period/></MPD>", "not_audio"),
        (riff(1, 16, HALF, rate_hz=1), "unsupported"),
        (riff(3, 32, np.full(8_000, np.nan, "<f4").tobytes()), "not_finite"),
        (riff(3, 32, np.full(8_000, np.inf, "<f4").tobytes()), "not_finite"),
        (riff(3, 64, np.full(8_000, 1e300, "<f8").tobytes()), "not_finite"),
        (riff(1, 16, b""), "too_short"),
        (riff(1, 16, b"\x00\x01"), "too_short"),
        (riff(1, 16, bytes(2 * (MIN_SAMPLES - 1))), "too_short"),
        (riff(1, 16, bytes(2 * 16_000 * 31)), "too_long"),
    ],
)
def test_bad_audio_says_what_is_wrong(data: bytes, fault: str) -> None:
    with pytest.raises(BadAudio) as caught:
        decode(data)
    assert caught.value.fault == fault


def test_decoding_of_a_long_compressed_file_stops_early() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as writer:
        stream = writer.add_stream("flac", rate=16_000, layout="mono")
        for _ in range(40):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
            frame.sample_rate = 16_000
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))
    with pytest.raises(BadAudio) as caught:
        decode(file.getvalue())
    assert caught.value.fault == "too_long"
