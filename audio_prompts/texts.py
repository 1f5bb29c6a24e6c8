"""What is written for items: a prompt's text, speech as it is; a sound cannot be written."""

from __future__ import annotations

import logging
from pathlib import Path

from audio_prompts.catalogue import BadCatalogue, read_catalogue
from protocol.items import Item, PromptItem, SpeechItem

log = logging.getLogger("pronto.prompts")


class PromptTexts:
    """The texts of the prompts below a folder, `<language>/prompts.yaml`; read again when they change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[float, dict[str, str]]] = {}

    def __call__(self, language: str, items: tuple[Item, ...]) -> str:
        """One line of text. A prompt that no catalogue has is left out, and logged."""
        texts = self._of(language)
        said = []
        for item in items:
            if isinstance(item, SpeechItem):
                said.append(item.text)
            elif isinstance(item, PromptItem) and item.name in texts:
                said.append(texts[item.name])
            else:
                log.error("nothing to write for an item", extra={"kind": type(item).__name__})
        return " ".join(text.strip() for text in said if text.strip())

    def _of(self, language: str) -> dict[str, str]:
        path = self._folder / language / "prompts.yaml"
        try:
            changed = path.stat().st_mtime
            if self._known.get(language, (None, {}))[0] != changed:
                self._known[language] = (changed, dict(read_catalogue(path).texts))
        except (OSError, BadCatalogue) as error:
            log.error("prompts cannot be read", extra={"reason": str(error)})
        return self._known.get(language, (0.0, {}))[1]
