"""What was heard becomes a verdict: text to trust, or no text and the reason. Pure: values in, values out.

Whisper answers silence with sentences of its training data. The guards stand in order of their cost: the sound, the
voice in it, then what the decoder says of itself, then the text. The first that objects decides. A guard never raises.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from whisper_service.phrases import Families, normalise
from whisper_service.said_numbers import are_numbers
from whisper_service.sound import Sound

Reason: TypeAlias = Literal[
    "",
    "too_short",
    "silent",
    "tone",
    "clipped",
    "no_speech",
    "nothing_said",
    "unsure",
    "too_fast",
    "no_words",
    "hint_echo",
    "invented",
]
REASONS: Final = get_args(Reason)[1:]
_STEP_S: Final = 0.032
_EVEN: Final = 0.5
"""From here on it is more likely than not that nobody spoke."""
_EDGES_S: Final = 0.3
"""Of speech that neither the gate nor the level shows."""


@dataclass(frozen=True)
class GuardLimits:
    """Where the guards draw their lines: faster-whisper's defaults where it has them, the rest tried on sounds.

    A model folder's notes may set others, see `ModelNotes`.
    """

    min_duration_s: float = 0.15
    min_level_dbfs: float = -50.0
    max_tonality: float = 0.9
    max_clipped: float = 0.5
    """Of the samples; words survive a third of them at full scale, which a loud caller on an overdriven line has."""
    speech_threshold: float = 0.45
    """Probability from which 32 ms count as speech."""
    min_speech_s: float = 0.09
    min_speech_share: float = 0.06
    """Of the clip, or of `share_of_s` of it if it is longer: a short answer may stand before a long silence."""
    share_of_s: float = 2.0
    no_speech_prob: float = 0.6
    no_speech_logprob: float = -1.0
    min_logprob: float = -1.5
    """Below this the text is a guess, whatever else speaks for it."""
    weak_logprob: float = -0.8
    sure_logprob: float = -0.4
    """From here on a text is believed on the evidence of an excerpt of the clip; below it the whole clip must speak."""
    sure_speech_s: float = 0.15
    """With so much of it a bare "oui" is one, however unsure the model is of so short a text."""
    tonal_speech_s: float = 0.22
    """With so much of it beside its loudest moment a tonal sound is a sung-out vowel, no tone."""
    tonal_least_speech_s: float = 0.12
    tonal_short_share: float = 0.485
    """With so little speech it is one if so much of what is loud is speech: a flat voice's "oui" is that short."""
    tonal_longest_s: float = 0.6
    tonal_share: float = 0.6
    """Of what is loud in a longer tonal sound, so much must be speech."""
    max_chars_per_s: float = 25.0
    repeats: int = 4
    """A run of this many equal 1- to 4-grams is a loop."""


@dataclass(frozen=True)
class VoicedPart:
    """Where the voice gate heard speech."""

    speech_s: float
    span_s: float
    """From the first to the last speech."""
    share: float
    """Speech in the clip, or in `share_of_s` if the clip is longer."""


@dataclass(frozen=True)
class DecodedText:
    """What the decoder said."""

    text: str
    avg_logprob: float
    no_speech_prob: float


@dataclass(frozen=True)
class Verdict:
    """The text to use, or none and the `reason`. `flags`: what was changed in it or is doubtful."""

    text: str
    reason: Reason = ""
    flags: tuple[str, ...] = field(default=())


def find_voice(
    probabilities: NDArray[np.float32], limits: GuardLimits = GuardLimits(), clip_s: float = 0.0
) -> VoicedPart:
    """The voice in a clip, from its speech probabilities, one per 32 ms.

    With `clip_s` they are those of an excerpt of a clip of that length: the voice is then at least what is found.
    """
    (steps,) = np.nonzero(probabilities >= limits.speech_threshold)
    if not steps.size:
        return VoicedPart(0.0, 0.0, 0.0)
    speech_s = steps.size * _STEP_S
    whole_s = min(clip_s or probabilities.size * _STEP_S, limits.share_of_s)
    return VoicedPart(speech_s, float(steps[-1] - steps[0] + 1) * _STEP_S, min(1.0, speech_s / whole_s))


def refuse_sound(sound: Sound, limits: GuardLimits = GuardLimits()) -> Reason:
    """Why this sound need not be listened to, or the empty string."""
    if sound.duration_s < limits.min_duration_s:
        return "too_short"
    if sound.level_dbfs < limits.min_level_dbfs:
        return "silent"
    if sound.tonality > limits.max_tonality:
        return "tone"
    return "clipped" if sound.clipped > limits.max_clipped else ""


def is_vowel(voice: VoicedPart, sound: Sound, limits: GuardLimits = GuardLimits()) -> bool:
    """Whether a sound that is as tonal as a tone is a voice all the same: a drawn-out "no" is, and a sung-out sentence,
    most of which is speech; a lasting hum is not. Of a sound longer than `tonal_longest_s` `voice` is the whole one."""
    if voice.speech_s < limits.tonal_speech_s:
        is_short = sound.loud_s <= limits.tonal_longest_s and voice.speech_s >= limits.tonal_least_speech_s
        return is_short and voice.speech_s >= limits.tonal_short_share * sound.loud_s
    heard_s = min(sound.loud_s, limits.share_of_s)
    return sound.loud_s <= limits.tonal_longest_s or voice.speech_s >= limits.tonal_share * heard_s


def refuse_voice(voice: VoicedPart, limits: GuardLimits = GuardLimits()) -> Reason:
    """Why nobody speaks here, or the empty string."""
    speaks = voice.speech_s >= limits.min_speech_s and voice.share >= limits.min_speech_share
    return "" if speaks else "no_speech"


def is_doubtful(heard: DecodedText, sound: Sound, limits: GuardLimits = GuardLimits()) -> bool:
    """Whether a text needs the whole clip's voice to be believed: the model is unsure, or it is much for its sound."""
    said_in_s = sound.loud_s + _EDGES_S
    is_unsure = heard.avg_logprob < limits.sure_logprob or heard.no_speech_prob > limits.no_speech_prob
    return is_unsure or len(heard.text) > limits.max_chars_per_s * said_in_s


def judge_text(
    heard: DecodedText,
    voice: VoicedPart,
    families: Families,
    hints: Sequence[str] = (),
    limits: GuardLimits = GuardLimits(),
) -> Verdict:
    """The verdict on a decoded text. `hints`: what the decoder was prompted with."""
    text, normalised = heard.text.strip(), normalise(heard.text)
    if not text:
        return Verdict("", "nothing_said")
    if not _is_words(text) or not normalised:
        return Verdict("", "no_words")
    doubts_speech = heard.no_speech_prob > limits.no_speech_prob
    if heard.avg_logprob < limits.min_logprob:
        # a guess: of music it is one too, and the model says so
        return Verdict("", "no_speech" if doubts_speech or heard.no_speech_prob > _EVEN else "unsure")
    if doubts_speech and heard.avg_logprob < limits.no_speech_logprob:
        return Verdict("", "unsure")
    is_weak = doubts_speech or heard.avg_logprob < limits.weak_logprob
    flags = ("low_confidence",) if heard.avg_logprob < limits.weak_logprob else ()
    collapsed = _collapse(text, limits.repeats)
    if collapsed != text:
        text, normalised, flags = collapsed, normalise(collapsed), (*flags, "repetition")
    if _is_too_fast(text, voice, limits):
        return Verdict("", "too_fast", flags)
    said_hints = [normalise(hint) for hint in hints]
    if _is_echo(normalised, said_hints, is_weak):
        is_one = normalised in said_hints and not doubts_speech  # somebody spoke, and the model took what it was given
        return Verdict("", "unsure" if is_one else "hint_echo", flags)
    if families.is_answer(normalised) and not doubts_speech:
        is_little = is_weak and voice.speech_s < limits.sure_speech_s
        return Verdict("", "unsure", flags) if is_little else Verdict(text, "", flags)
    if families.is_answer(normalised) or families.is_invented(normalised, is_weak):
        return Verdict("", "invented", flags)
    return Verdict(text, "", flags)


def _is_words(text: str) -> bool:
    """Latin letters or digits, outside brackets, without notes, emoji or other scripts."""
    if text[0] in "[(*♪" and text[-1] in "])*♪":
        return False
    letters = [char for char in text if char.isalpha()]
    if any(not unicodedata.name(char, "").startswith(("LATIN", "FEMININE", "MASCULINE")) for char in letters):
        return False
    return not any(unicodedata.category(char) in ("So", "Co", "Cs") and char != "°" for char in text)


def _is_too_fast(text: str, voice: VoicedPart, limits: GuardLimits) -> bool:
    """More than a mouth can say in the time in which the gate heard a voice, edges that it missed allowed for."""
    said_in_s = voice.span_s + _EDGES_S
    return len(text) > limits.max_chars_per_s * said_in_s and len(text) >= 15


def _collapse(text: str, repeats: int) -> str:
    """The text with every run of `repeats` or more equal 1- to 4-grams said once. Numbers are left alone, in digits or
    in words: 06 22 22 22 22 is a telephone number."""
    words = text.split()
    keys = [normalise(word) for word in words]
    for size in (1, 2, 3, 4):
        at = 0
        while at + size * repeats <= len(words):
            gram, count = keys[at : at + size], 1
            while keys[at + size * count : at + size * (count + 1)] == gram:
                count += 1
            if count >= repeats and not any(key.isdigit() for key in gram) and not are_numbers(gram):
                del words[at + size : at + size * count]
                del keys[at + size : at + size * count]
            at += 1
    return " ".join(words)


def _is_echo(normalised: str, hints: Sequence[str], is_weak: bool) -> bool:
    """Whether the text only says the hints back.

    One hint alone is what the hints are for: it is an echo only when the sound was weak too. Three hints in the order
    in which they were given, or all of them, nobody says.
    """
    if not hints or not normalised:
        return False
    if is_weak and normalised in hints:
        return True
    runs = (hints[i:j] for i in range(len(hints)) for j in range(i + 1, len(hints) + 1))
    return any(" ".join(run) == normalised for run in runs if len(run) >= 3 or (len(run) == len(hints) == 2))
