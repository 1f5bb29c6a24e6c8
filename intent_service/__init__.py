"""The intent service: a sentence in, an intent out; trained at start from the phrases in `flows/<language>/`."""

import os

# onnxruntime reports what it does to its maker unless this is set before it is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
