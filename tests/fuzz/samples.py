"""One good message of every kind, and good snapshots."""

from protocol.items import prompts
from protocol.messages import (
    AudioLost,
    CallConcluded,
    CallEnded,
    CallHeld,
    CallStarted,
    CallTakenBack,
    DtmfReceived,
    HangUp,
    Listen,
    MediaStarted,
    Message,
    PlaybackFinished,
    PlaybackStarted,
    RecognitionFailed,
    RequestRefused,
    Say,
    SpeechStarted,
    StopPlayback,
    TransferCall,
    TurnTaken,
    UtteranceGuessed,
    UtteranceTranscribed,
)

CALL = "pbx-1.0"
AT = 1_790_000_000.0
MESSAGES: tuple[Message, ...] = (
    CallStarted(CALL, AT, "+33600000001", "+33100000001", "fr/heating"),
    MediaStarted(CALL, AT, "127.0.0.1", 20_000),
    DtmfReceived(CALL, AT, "7"),
    CallHeld(CALL, AT),
    CallTakenBack(CALL, AT),
    PlaybackStarted(CALL, AT, f"p-{CALL}-1"),
    PlaybackFinished(CALL, AT, f"p-{CALL}-1", "finished", 900),
    CallEnded(CALL, AT, "caller_hung_up", "/recordings/x.wav"),
    RequestRefused(CALL, AT, "TransferCall", "no extension"),
    SpeechStarted(CALL, AT, 1, 1),
    UtteranceGuessed(CALL, AT, 1, 1, "oui", 0.9, AT, AT, AT),
    UtteranceTranscribed(CALL, AT, 1, 1, "oui bonjour", 0.9, AT, AT, AT, AT, 900),
    RecognitionFailed(CALL, AT, 1, 1, "busy"),
    AudioLost(CALL, AT, 3_000),
    TurnTaken(CALL, AT, 1, "a", "b", "oui", "yes", 0.9, "endpoint", ("zip_code=75011",)),
    CallConcluded(CALL, AT, "qualified", ("zip_code=75011",)),
    Say(CALL, AT, 1, f"p-{CALL}-1", "fr", prompts("welcome", "busy")),
    StopPlayback(CALL, AT),
    Listen(CALL, AT, 1, "fr", hints=("gaz",)),
    TransferCall(CALL, AT, "900"),
    HangUp(CALL, AT),
)
