"""Corpus -> a small byte-level BPE with Whisper's special tokens, in the order that CTranslate2 >= 4.7 computes with.

    text < "" < <|endoftext|> < <|startoftranscript|> < <|fr|> < translate .. notimestamps < 1501 timestamps, last

The empty string must be a token: it is how CTranslate2 >= 4.7 recognises a multilingual vocabulary.
Any French text can be written with it (bytes are the alphabet), so a phrase added later needs no new vocabulary.

    python -m models.train.vocab OUT.json
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from models.train.corpus import Corpus

SPECIALS = (
    "<|endoftext|>", "<|startoftranscript|>", "<|fr|>", "<|translate|>", "<|transcribe|>",
    "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
MERGES = 900
TIMESTAMPS = 1501
TIMESTAMP_S = 0.02
SINGLE_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-'éèêàâçîôûœÉÀ"


def build(merges: int, draws: int = 40_000) -> str:
    """The tokenizer file (tokenizers JSON) for the corpus as it is now."""
    rng, corpus = random.Random(7), Corpus()
    lines = [f" {corpus.draw(rng).text}" for _ in range(draws)]
    lines += [f" {phrase}" for _, phrase in corpus.phrases() for _ in range(5)]
    # faster-whisper suppresses the first token of " -", " '" and " ♪": unless each is one token, that is the bare
    # space, and no word that starts with an unmerged " x" could be written. So " x" is made the most frequent pair
    lines += [f" {letter}" * 300 for letter in SINGLE_LETTERS + "♪" for _ in range(300)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    )
    document = json.loads(tokenizer.to_str())
    vocabulary = document["model"]["vocab"]
    vocabulary[""] = len(vocabulary)
    first = len(vocabulary)
    for i, token in enumerate((*SPECIALS, *(f"<|{k * TIMESTAMP_S:.2f}|>" for k in range(TIMESTAMPS)))):
        vocabulary[token] = first + i
    document["added_tokens"] = [
        {
            "id": first + i,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for i, token in enumerate(SPECIALS)
    ]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


class Vocabulary:
    """Ids of a tokenizer file made by `build`."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(path))
        ids = self.tokenizer.get_vocab(with_added_tokens=True)
        self.size = len(ids)
        self.tokens = [token for token, _ in sorted(ids.items(), key=lambda item: item[1])]
        self.text_count = ids[""]
        self.eot, self.sot, self.french = ids["<|endoftext|>"], ids["<|startoftranscript|>"], ids["<|fr|>"]
        self.transcribe, self.no_speech = ids["<|transcribe|>"], ids["<|nospeech|>"]
        self.no_timestamps, self.first_timestamp = ids["<|notimestamps|>"], ids["<|0.00|>"]
        self.bare_space = ids["Ġ"]

    def encode(self, text: str) -> list[int]:
        """Ids of " text", as Whisper writes it."""
        return list(self.tokenizer.encode(f" {text}", add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Text without special tokens and outer spaces."""
        return str(self.tokenizer.decode([i for i in ids if i < self.text_count])).strip()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(build(MERGES), "utf-8")
