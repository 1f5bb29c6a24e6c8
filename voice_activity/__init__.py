"""Where people speak: the Silero network and its file, for every service that has to know."""
