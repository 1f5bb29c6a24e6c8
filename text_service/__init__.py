"""Conversations in writing: a client's queries become what a caller says, what the bot says becomes its answers."""
