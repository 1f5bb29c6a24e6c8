"""Prompts: their texts per language, and the audio made of them. See `docs/flows.md`."""

import os

# onnxruntime reports what it does to its maker unless this is set before it is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
