"""The command line: `pronto COMMAND`. Each command is a module with `add_parser(subparsers)` and `run(args) -> int`."""

from __future__ import annotations

import argparse
import importlib
import sys

# Read as: command -> module. A module is imported only when its command is called, so that every command starts fast.
COMMANDS = {
    "call": ("pronto.call_cli", "place a call with a script, print it live, check what must come of it"),
    "up": ("pronto.up_cli", "run the whole stack for a softphone until Ctrl-C"),
    "drain": ("pronto.drain_cli", "take a service out of work, wait until it is empty"),
    "calls": ("pronto.calls_cli", "list the calls, show one as a timeline"),
    "flow": ("pronto.flow_cli", "check, draw, test and chat with a flow"),
    "intents": ("pronto.intents_cli", "evaluate the intents, explain one decision"),
    "prompts": ("pronto.prompts_cli", "build, check and import prompts"),
    "doctor": ("pronto.doctor_cli", "say what is missing or wrong on this machine"),
    "config": ("pronto.config_cli", "print every setting with its default and meaning"),
    "retention": ("pronto.retention_cli", "delete recordings, numbers and transcripts of old calls"),
    "prepare": ("pronto.prepare_cli", "build what setup builds: prompts and the exported sentence encoder"),
}


def main(arguments: list[str]) -> int:
    """Runs one command; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="pronto", description="Pronto, the telephone voicebot.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    named = arguments[0] if arguments else ""
    for command, (module, summary) in COMMANDS.items():
        if command == named:
            importlib.import_module(module).add_parser(subparsers)
        else:
            subparsers.add_parser(command, help=summary)
    args = parser.parse_args(arguments)
    return int(importlib.import_module(COMMANDS[args.command][0]).run(args))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
