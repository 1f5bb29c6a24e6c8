"""Audio in, transcript out, for many callers on one model: micro-batches, guards against invented sentences, bounds."""

import os

# onnxruntime reports what it does to its maker unless this is set before it is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
