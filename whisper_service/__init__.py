"""Audio in, transcript out, for many callers on one model: micro-batches, guards against invented sentences, bounds."""
