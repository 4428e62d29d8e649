"""Say how far a long step has come: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Report steps and their seconds.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    stream : TextIO, optional
        Where to write; standard error by default.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._live = not quiet and self._stream.isatty()
        self._title = ""
        self.seconds: dict[str, float] = {}

    @property
    def live(self) -> bool:
        """Whether a bar is drawn; plain lines say how far it is where none is."""
        return self._live

    def say(self, line: str) -> None:
        """Write one line."""
        if not self._quiet:
            self._clear()
            self._stream.write(line + "\n")
            self._stream.flush()

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")

    def update(self, share: float, detail: str = "") -> None:
        """Redraw the bar of the running step; ``share`` is 0 to 1."""
        if self._live:
            done = round(24 * min(max(share, 0.0), 1.0))
            bar = "█" * done + "░" * (24 - done)
            self._stream.write(f"\r\x1b[K{self._title} {bar} {detail}")
            self._stream.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time a step; its seconds are added up under its title."""
        start = time.perf_counter()
        self._title = title
        self.update(0.0)
        try:
            yield
        finally:
            self._clear()
        spent = time.perf_counter() - start
        self.seconds[title] = self.seconds.get(title, 0.0) + spent
        self.say(f"{title}: {spent:.2f} s")
