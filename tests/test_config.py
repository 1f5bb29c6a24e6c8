"""Settings come from the environment; a bad one refuses to start and says which, a secret is never shown."""

import pytest

from config import SERVICES, BadSettings, BotSettings, ControllerSettings, ReceiverSettings, load, table


def test_the_seed_names_of_the_specification_still_work() -> None:
    seed = {
        "RTP_IP": "127.0.0.2",
        "RTP_PORT": "9000",
        "WHISPER_URL": "http://w:1/whisper",
        "WHISPER_TIMEOUT": "12",
        "VAD_THRESHOLD": "0.6",
        "SAMPLE_RATE": "16000",
        "CHUNK_SIZE": "512",
        "SILENCE_THRESHOLD": "1.5",
        "MAX_BUFFER_SIZE": "32000",
        "SILENCE_CHUNKS_CONTEXT": "2",
    }
    settings = load(ReceiverSettings, seed)
    assert (settings.rtp_ip, settings.rtp_port, settings.whisper_url) == ("127.0.0.2", 9000, "http://w:1/whisper")
    assert (settings.whisper_timeout_s, settings.vad_threshold, settings.silence_threshold_s) == (12.0, 0.6, 1.5)
    assert (settings.sample_rate_hz, settings.chunk_samples) == (16_000, 512)
    assert (settings.max_buffer_samples, settings.pre_roll_chunks) == (32_000, 2)


def test_every_bad_value_is_named_at_once_with_its_reason() -> None:
    with pytest.raises(BadSettings) as caught:
        load(
            ReceiverSettings,
            {"RTP_PORT": "70000", "VAD_THRESHOLD": "high", "WHISPER_URL": "ftp://x", "LOG_PERSONAL": "?"},
        )
    message = str(caught.value)
    assert "RTP_PORT='70000': must be from 0 to 65535" in message
    assert "VAD_THRESHOLD='high': must be a number" in message
    assert "WHISPER_URL='ftp://x': must begin with" in message
    assert "LOG_PERSONAL='?': must be true or false" in message


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(BadSettings, match="INTENT_TIMEOUT_S"):
        load(BotSettings, {"INTENT_TIMEOUT_S": value})


def test_a_missing_password_refuses_and_a_given_one_is_never_shown() -> None:
    with pytest.raises(BadSettings, match="ARI_PASSWORD"):
        load(ControllerSettings, {})
    settings = load(ControllerSettings, {"ARI_PASSWORD": "very-secret"})
    assert settings.ari_password == "very-secret"
    assert "very-secret" not in repr(settings)


def test_the_table_names_every_setting_once_per_service() -> None:
    rows = table()
    assert len({(service, key) for service, key, _, _ in rows}) == len(rows)
    assert {service for service, *_ in rows} == {"every service", *SERVICES, "pronto retention"}
    assert all(doc for *_, doc in rows)
