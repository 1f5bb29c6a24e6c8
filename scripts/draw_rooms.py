"""Draws docs/rooms.svg: the rooms of the code and who may import whom, as tests/test_imports.py holds it."""

from __future__ import annotations

from pathlib import Path

from tests.test_imports import MAY_IMPORT

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "rooms.svg"
EVERYWHERE = {"config", "forms", "knowledge_file", "observability"}
"""Every service imports them; arrows would hide the others."""
ROWS: tuple[tuple[str, tuple[tuple[str, str, float], ...]], ...] = (
    (
        "from outside: may import everything",
        (
            ("pronto", "command line", 0.2),
            ("devstack", "one-machine stack", 0.5),
            ("callers", "simulated callers", 0.8),
        ),
    ),
    (
        "services: never import each other, meet on the bus and over HTTP",
        (
            ("ari_controller", "calls in Asterisk", 0.0556),
            ("rtp_receiver", "audio to utterances", 0.1667),
            ("whisper_service", "audio to text", 0.2778),
            ("booking_service", "a shop's calendar", 0.3889),
            ("bot_manager", "drives conversations", 0.5),
            ("text_service", "chats on the bus", 0.6111),
            ("browser_audio", "calls from pages", 0.7222),
            ("intent_service", "sentences to intents", 0.8333),
            ("speech_service", "text to audio", 0.9444),
        ),
    ),
    (
        "",
        (
            ("records", "what is kept of calls", 0.46),
            ("dialogue", "conversations, pure", 0.63),
            ("audio_prompts", "recorded prompts", 0.8),
        ),
    ),
    (
        "",
        (
            ("protocol", "messages, bus, leases", 0.15),
            ("voice_activity", "speech or not", 0.36),
            ("yaml_text", "YAML with its lines", 0.64),
            ("sayable", "text as it is said, pure", 0.9),
        ),
    ),
    (
        "imported by every service",
        (
            ("observability", "logs, HTTP, drain", 0.2),
            ("config", "settings", 0.5),
            ("forms", "what names look like", 0.8),
        ),
    ),
    (
        "",
        (("compiled", "C, with Python beside it", 0.36),),
    ),
)
"""Title, then name, what it holds and where it stands (share of the width)."""
WIDTH, BOX_W, BOX_H, ROW_H, TOP = 1_590, 164, 52, 128, 34
INK, LINE, PAPER, BOX = "#1b2733", "#5b7083", "#ffffff", "#eef3f7"


def places() -> dict[str, tuple[float, float]]:
    """The middle of each box."""
    found = {}
    for row, (_, rooms) in enumerate(ROWS):
        for room, _, share in rooms:
            found[room] = (WIDTH * share, TOP + row * ROW_H + 18 + BOX_H / 2)
    return found


def picture() -> str:
    """The whole SVG."""
    at = places()
    height = TOP + len(ROWS) * ROW_H - 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" role="img" '
        'aria-label="The rooms of the code and who may import whom">',
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{LINE}"/></marker></defs>',
    ]
    for room, others in MAY_IMPORT.items():
        for other in sorted(others - EVERYWHERE):
            (x1, y1), (x2, y2) = at[room], at[other]
            if y1 == y2:  # side by side
                sign = 1 if x2 > x1 else -1
                path = f"M{x1 + sign * BOX_W / 2:.0f},{y1:.0f} L{x2 - sign * BOX_W / 2:.0f},{y2:.0f}"
            else:
                path = (
                    f"M{x1:.0f},{y1 + BOX_H / 2:.0f} C{x1:.0f},{y1 + BOX_H / 2 + 34:.0f} "
                    f"{x2:.0f},{y2 - BOX_H / 2 - 34:.0f} {x2:.0f},{y2 - BOX_H / 2:.0f}"
                )
            parts.append(f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.6" marker-end="url(#tip)"/>')
    for row, (title, rooms) in enumerate(ROWS):
        y = TOP + row * ROW_H
        parts.append(f'<text x="12" y="{y + 8:.0f}" font-size="13" fill="{LINE}" paint-order="stroke" stroke="{PAPER}" '
                     f'stroke-width="4">{title}</text>')  # fmt: skip
        for room, what, _ in rooms:
            x, middle = at[room]
            left, top = x - BOX_W / 2, middle - BOX_H / 2
            parts += [
                f'<rect x="{left:.0f}" y="{top:.0f}" width="{BOX_W}" height="{BOX_H}" rx="8" fill="{BOX}" '
                f'stroke="{INK}" stroke-width="1.4"/>',
                f'<text x="{x:.0f}" y="{middle - 4:.0f}" font-size="15" font-weight="bold" text-anchor="middle" '
                f'fill="{INK}">{room}/</text>'.replace("config/", "config.py").replace("forms/", "forms.py"),
                f'<text x="{x:.0f}" y="{middle + 15:.0f}" font-size="12" text-anchor="middle">{what}</text>',
            ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
