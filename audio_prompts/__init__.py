"""Prompts: their texts per language, and the audio made of them. See `docs/flows.md`."""
