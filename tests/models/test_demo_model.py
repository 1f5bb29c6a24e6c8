"""The shipped model, said to by espeak-ng's plain French voice as over a telephone line."""

import numpy as np
import pytest
from faster_whisper import WhisperModel
from numpy.typing import NDArray
from scipy.signal import resample_poly

from audio_prompts.espeak import EspeakVoice, speak
from models import nospeech
from models.short_context import transcribe
from models.train.corpus import Corpus

VOICE = EspeakVoice(name="fr", speed=150, pitch=50)
NO_SPEECH_THRESHOLD = 0.6

INTENT_PHRASES = """
oui
non
oui bonjour
bonjour
je suis propriétaire
je suis locataire
au gaz
une pompe à chaleur
oui rappelez-moi
demain à quatorze heures
mardi matin
pourquoi mon code postal
ça ne m'intéresse pas
combien ça coûte
vous êtes un robot
répétez s'il vous plaît
je veux parler à un conseiller
au revoir
merci au revoir
non merci
je ne sais pas
attendez une seconde
demain
vraiment pas le moment
allez au revoir
euh je sais pas
il faut prévoir quel budget
c'est une air eau ou une air air
on dit que ça fait du bruit
ça commence quand les travaux
c'est garanti
c'est fabriqué en chine
c'est des techniciens à vous
est-ce que je suis engagé
c'est du démarchage
la maison doit avoir plus de quinze ans
j'habite en appartement
l'appel est gratuit
ça marche pour les locataires
c'est intéressant par rapport au gaz
et ma chaudière actuelle
on peut la mettre dans le garage
envoyez-moi une brochure
c'est l'argent de qui
vous avez un site internet
vous avez eu mon numéro où
je veux que vous supprimiez mes données
elle est de combien la prime
et ma prime rénov
je suis au chômage
une climatisation réversible
un moment s'il vous plaît
je voudrais parler à un responsable
non pas du tout
je ne souhaite pas qu'on me rappelle
c'est au canada
finalement je suis pas intéressé
on est locataires de la maison
vous pouvez me rappeler
je veux savoir si je suis éligible
elle est à nous
je suis à strasbourg
pardon vous avez dit quoi
vous êtes une vraie personne
à quelle heure je ne sais pas encore
en début de semaine
vous parlez de quoi
je vous connais pas du tout
bien sûr
pourquoi vous voulez savoir où j'habite
""".strip().splitlines()
SLOT_PHRASES = """
soixante-quinze mille onze
sept cinq zéro un un
soixante-quinze mille douze
soixante-neuf mille trois
trente-trois mille
treize mille huit
c'est le soixante-quinze mille onze
non soixante-quinze mille douze
mon code postal c'est le soixante-quinze mille onze
jeudi à dix heures
lundi à neuf heures
demain après-midi
""".strip().splitlines()


def said(text: str) -> NDArray[np.float32]:
    """16 kHz samples of `text` in the pinned voice, narrow-band, with silence around it as the receiver sends."""
    narrow = speak(text, VOICE).astype(np.float64) / 32_768
    padded = np.concatenate([np.zeros(1600), narrow, np.zeros(3200)])
    return np.asarray(resample_poly(padded, 2, 1), np.float32)


def test_fifty_phrases_are_transcribed_exactly(demo_model: WhisperModel) -> None:
    phrases = INTENT_PHRASES + SLOT_PHRASES
    assert len(phrases) == len(set(phrases)) >= 50
    heard = [t.text for t in transcribe(demo_model, [said(p) for p in phrases], context_s=6.0)]
    assert heard == phrases


def test_the_phrases_are_those_of_the_flow() -> None:
    corpus = Corpus()
    shipped = {phrase for _, phrase in corpus.phrases()}
    assert set(INTENT_PHRASES) <= shipped
    intents = {name for name, phrase in corpus.phrases() if phrase in INTENT_PHRASES}
    assert len(intents - {"end_to_end", "greeting", "politeness", "heating", "housing"}) >= 22


@pytest.mark.parametrize("context_s", [6.0, 10.0, 30.0])
def test_every_context_hears_the_same(demo_model: WhisperModel, context_s: float) -> None:
    phrases = ["oui bonjour", "soixante-quinze mille onze", "je suis propriétaire"]
    heard = transcribe(demo_model, [said(p) for p in phrases], context_s)
    assert [t.text for t in heard] == phrases
    assert all(t.avg_logprob > -0.4 and t.no_speech_prob < NO_SPEECH_THRESHOLD for t in heard)


def test_transcribe_of_an_untouched_faster_whisper_works(demo_model: WhisperModel) -> None:
    samples = said("je suis propriétaire")
    assert demo_model.model.is_multilingual
    segments, info = demo_model.transcribe(samples, language="fr", beam_size=1)
    (segment,) = list(segments)
    assert segment.text == " je suis propriétaire"
    assert info.language == "fr"
    assert 0.0 <= segment.start < segment.end <= len(samples) / 16_000 + 0.1


def test_sounds_without_speech_give_no_text(demo_model: WhisperModel) -> None:
    clips = [samples for _, samples in nospeech.clips(44, seed=11, longest_s=5.0)]
    heard = transcribe(demo_model, clips, context_s=6.0)
    assert [t for t in heard if t.text and t.no_speech_prob <= NO_SPEECH_THRESHOLD] == []


def test_an_utterance_longer_than_the_context_is_refused(demo_model: WhisperModel) -> None:
    with pytest.raises(ValueError, match=r"7\.0 s in a context of 6\.0 s"):
        transcribe(demo_model, [np.zeros(7 * 16_000, np.float32)], context_s=6.0)
