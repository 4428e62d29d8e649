"""Words of the command line: how a command is declared, and the numbers that it takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress

OWN = ("command", "action", "call", "quiet")
"""Words that no command's function takes."""


class Parser(argparse.ArgumentParser):
    """A parser that says what to do next after a wrong word."""

    def error(self, message: str) -> NoReturn:
        """End with 2."""
        self.exit(2, f"error: {self.prog}: {message}; try '{self.prog} --help'\n")


class Commands:
    """The commands of a parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    dest : str
        Where the command's name is put.
    """

    def __init__(self, parser: argparse.ArgumentParser, dest: str = "command") -> None:
        self._dest = dest
        self._children = parser.add_subparsers(dest=dest, required=True, metavar=dest.upper())

    def add(self, name: str, text: str, call: Callable[..., int]) -> argparse.ArgumentParser:
        """Declare a command; ``call`` is given a progress, and its other words by name."""
        parser: argparse.ArgumentParser = self._children.add_parser(
            name, help=text, description=text
        )
        parser.set_defaults(call=call)
        return parser

    def group(self, name: str, text: str) -> Commands:
        """Declare a command that has actions of its own."""
        return Commands(self._children.add_parser(name, help=text, description=text), "action")


def call(args: argparse.Namespace, progress: Progress) -> int:
    """Do what was asked for; return the exit code."""
    options: dict[str, Any] = {k: v for k, v in vars(args).items() if k not in OWN}
    code: int = args.call(progress=progress, **options)
    return code


def positive(text: str) -> int:
    """Return a whole number from 1 up."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number from 1 up")
    return value


def port(text: str) -> int:
    """Return a port."""
    if not text.isdecimal() or not 0 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a port from 0 to 65535")
    return int(text)


def number(text: str) -> float:
    """Return a number from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a number from 0 up")
    return value
