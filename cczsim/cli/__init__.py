"""Words from a terminal; everything behind them is imported only when asked for."""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from cczsim import __version__
from cczsim.cli import (
    demand_words,
    network_words,
    option_words,
    result_words,
    road_words,
    scenario_words,
    transit_words,
)
from cczsim.cli.words import Commands, Parser, call

_EXIT_CODES = """\
exit codes:
  0  done
  1  the run ended without what was asked (not converged, too much demand lost, a target
     missed under --strict)
  2  wrong input or usage; one message a fault
"""

_LEAST_MEMORY = 5 * 2**29
_WORDS = (
    scenario_words, option_words, network_words, road_words, transit_words, demand_words,
    result_words,
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="cczsim",
        description="Transport network simulation: networks from OpenStreetMap, exact assignment, "
        "scenarios compared.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cczsim {__version__}")
    commands = Commands(parser)
    for words in _WORDS:
        words.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    command = ""
    try:
        try:
            args = build_parser().parse_args(argv)
            command = args.command
            if threading.current_thread() is threading.main_thread():
                # A server that asks to end is obeyed as a key press is.
                signal.signal(signal.SIGTERM, signal.default_int_handler)
            return _say_faults(args)
        finally:
            # A pipe that closed early, or a full disk, shows when what was said is flushed.
            sys.stdout.flush()
    except KeyboardInterrupt:
        again = (
            "; what was solved is kept: run again with --resume"
            if command in ("run", "rank")
            else ""
        )
        print(f"interrupted: no half result was left{again}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _silence(sys.stdout, sys.stderr)
        return 141
    except MemoryError:
        print("error: memory ran out; take a smaller network or fewer zones", file=sys.stderr)
        return 2
    except ImportError as error:
        return _say_unloaded(error)
    except OSError as error:
        if error.errno is None:
            return _say_unloaded(error)
        where = error.filename or "standard output"
        print(f"error: {where}: found {error.strerror or error}; expected a file or a stream "
              "that can be read and written", file=sys.stderr)  # fmt: skip
        _silence(sys.stdout)
        return 2


def _say_faults(args: argparse.Namespace) -> int:
    from cczsim.errors import CczsimError, Fault
    from cczsim.pipeline.progress import Progress

    try:
        room = resource.getrlimit(resource.RLIMIT_AS)[0]
        if room not in (resource.RLIM_INFINITY, -1) and room < _LEAST_MEMORY:
            # Below it the linear algebra library hangs or ends the process without a word.
            raise CczsimError(Fault(
                "memory limit of this process (ulimit -v)", f"{room / 2**30:.2f} GiB",
                f"at least {_LEAST_MEMORY / 2**30:.1f} GiB for the libraries alone", "raise it",
            ))  # fmt: skip
        return call(args, Progress(quiet=getattr(args, "quiet", False)))
    except CczsimError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return error.exit_code


def _say_unloaded(error: Exception) -> int:
    """Say that a library cannot be loaded, as where memory is limited too far."""
    print(f"error: found a library that cannot be loaded ({error}); expected enough memory for it "
          "and a whole installation", file=sys.stderr)  # fmt: skip
    return 2


def _silence(*streams: TextIO) -> None:
    """Let the interpreter flush streams that nobody reads without a complaint as it ends."""
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
