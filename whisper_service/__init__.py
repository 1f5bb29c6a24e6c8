"""Audio in, transcript out, for many callers on one model: micro-batches, guards against invented sentences, bounds."""

import os

# read when CTranslate2's OpenMP is loaded: its threads must sleep while they wait. They spin otherwise, and where other
# processes want the cores too an utterance on two threads takes thirty times the processor time
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
