"""Trains the demo speech model: phrases -> synthetic telephone speech -> Whisper network -> CTranslate2 directory."""
