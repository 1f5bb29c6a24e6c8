"""The pages that the service shows: the chat for web sites below `/chat/`, and `/try` for who writes flows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "page"
CHAT: Final = {
    f"/chat/{name}": FOLDER / name
    for name in ("chat.js", "page.html", "page.js", "page.css", "connection.js", "markdown.js", "words.js")
}
TRY: Final = {"/try": FOLDER / "try.html", "/try/try.js": FOLDER / "try.js", "/try/try.css": FOLDER / "try.css"}
"""Open to everybody: they hold nothing, and what they ask needs the key that is typed in."""
