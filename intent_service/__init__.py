"""The intent service: a sentence in, an intent out; trained at start from the phrases in `flows/<language>/`."""
