"""Looks for secrets in every file that git has; fails on one that `.secrets.baseline` does not name.

    python scripts/check_secrets.py [FOLDER]        0: none, 1: found (file, line and kind are printed)
    python scripts/check_secrets.py --accept        writes the baseline anew, after a look at what was found

The baseline holds hashes of what looks like a secret and is none. Lines are not compared, so that a file may be edited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ".secrets.baseline"
UNREAD = {".bin", ".wav", ".npz", ".svg", ".onnx"}
HASHES = "audio_prompts/*/rendered/index.json"
"""Names files by their hashes, and changes with each prompt."""
LONGEST_BYTES = 200_000  # beyond it are vocabularies, which take a minute and hold no secret
DETECTORS = (
    "ArtifactoryDetector AWSKeyDetector AzureStorageKeyDetector BasicAuthDetector CloudantDetector "
    "DiscordBotTokenDetector GitHubTokenDetector GitLabTokenDetector JwtTokenDetector KeywordDetector "
    "MailchimpDetector NpmDetector "
    "OpenAIDetector PrivateKeyDetector PypiTokenDetector SendGridDetector SlackDetector SoftlayerDetector "
    "SquareOAuthDetector StripeDetector TelegramBotTokenDetector TwilioKeyDetector"
).split()
SETTINGS = {
    "plugins_used": [
        *({"name": name} for name in DETECTORS),
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
    ],
    "filters_used": [
        {"path": f"detect_secrets.filters.heuristic.is_{name}"}
        for name in (
            "indirect_reference likely_id_string not_alphanumeric_string potential_uuid prefixed_with_dollar_sign "
            "sequential_string templated_secret"
        ).split()
    ],
}


def files_of(folder: Path) -> list[str]:
    """Every file of a folder that git has or would take, as git names it."""
    listed = ["git", "-C", str(folder), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    read = [
        name
        for name in names
        if name != BASELINE
        and Path(name).suffix not in UNREAD
        and not Path(name).match(HASHES)
        and (folder / name).is_file()
    ]
    return [name for name in read if (folder / name).stat().st_size <= LONGEST_BYTES]


def found_in(folder: Path) -> list[tuple[str, str, str, int]]:
    """What looks like a secret: (file, kind, hash, line)."""
    with transient_settings(SETTINGS):
        return sorted(
            (name, one.type, one.secret_hash, one.line_number)
            for name in files_of(folder)
            for one in scan_file(str(folder / name))
        )


def main(arguments: list[str]) -> int:
    """The exit status."""
    folder = Path(arguments[0]) if arguments and arguments[0] != "--accept" else ROOT
    found = found_in(folder)
    baseline = folder / BASELINE
    if arguments == ["--accept"]:
        accepted = [list(one) for one in sorted({one[:3] for one in found})]
        baseline.write_text(json.dumps(accepted, indent=1) + "\n", encoding="utf-8")
        print(f"{len(accepted)} accepted in {baseline}")
        return 0
    known = {tuple(one) for one in json.loads(baseline.read_text(encoding="utf-8"))} if baseline.exists() else set()
    fresh = [one for one in found if one[:3] not in known]
    for name, kind, _, line in fresh:
        print(f"{name}:{line}: looks like a secret: {kind}", file=sys.stderr)
    if fresh:
        print("take it out, or accept it when it is none: python scripts/check_secrets.py --accept", file=sys.stderr)
    return 1 if fresh else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
