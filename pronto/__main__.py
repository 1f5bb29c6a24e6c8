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
    "webhooks": ("pronto.webhooks_cli", "list what other systems were told of calls, try again what they did not take"),
    "flow": ("pronto.flow_cli", "check, draw, test and chat with a flow"),
    "intents": ("pronto.intents_cli", "evaluate the intents, explain one decision"),
    "prompts": ("pronto.prompts_cli", "build, check and import prompts"),
    "voices": ("pronto.voices_cli", "list, try and compare the voices of speech at run time"),
    "doctor": ("pronto.doctor_cli", "say what is missing or wrong on this machine"),
    "config": ("pronto.config_cli", "print every setting with its default and meaning"),
    "records": ("pronto.records_cli", "the schema of the call records: status, upgrade, downgrade"),
    "retention": ("pronto.retention_cli", "delete recordings, numbers and transcripts of old calls"),
    "booking": ("pronto.booking_cli", "business data: a demo shop, retention, what is kept of a client"),
    "prepare": ("pronto.prepare_cli", "build what setup builds: prompts and the exported sentence encoder"),
}


def run(arguments: list[str]) -> int:
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


def main(arguments: list[str] | None = None) -> int:
    """`run` for the command `pronto`, by default with this process's arguments; a broken-off one is no traceback."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
