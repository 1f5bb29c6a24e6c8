"""The command line and the one-machine stack: Asterisk, Redis, the five services, and callers to try them with."""
