"""The command line: `pronto COMMAND`."""
