"""The whole of Pronto on one machine, for development, tests and demonstrations: Asterisk, Redis and every service."""
