"""Say how far a long step has come: a bar on a terminal, plain lines elsewhere, and a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
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
        self._began = 0.0
        self._log: int | None = None
        self.seconds: dict[str, float] = {}

    @property
    def live(self) -> bool:
        """Whether a bar is drawn; plain lines say how far it is where none is."""
        return self._live

    def say(self, line: str) -> None:
        """Write one line, to the log too."""
        if line:
            self.note(line)
        if not self._quiet:
            self._clear()
            self._stream.write(line + "\n")
            self._stream.flush()

    def note(self, line: str) -> None:
        """Write one line to the log alone; without a log, or on a full disk, it is dropped."""
        if self._log is not None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            text = f"{now} [{os.getpid()}] {line}\n"
            with suppress(OSError):
                os.write(self._log, text.encode("utf-8", "backslashreplace"))

    @contextmanager
    def log_to(self, path: Path) -> Iterator[None]:
        """Append all that is said while the block runs to a file, with the time of each line."""
        self._log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield
        except BaseException as error:
            said = str(error).replace("\n", "; ")
            self.note(f"ended by {type(error).__name__}{': ' if said else ''}{said}")
            raise
        finally:
            os.close(self._log)
            self._log = None

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")

    def update(self, share: float, detail: str = "") -> None:
        """Redraw the bar of the running step; ``share`` is 0 to 1.

        The time left is what the step would need at its pace until now.
        """
        if not self._live:
            return
        share = min(max(share, 0.0), 1.0)
        done = round(24 * share)
        bar = "█" * done + "░" * (24 - done)
        left = ""
        spent = time.perf_counter() - self._began
        if spent > 1.0 and 0.02 < share < 1.0:
            left = f" about {_duration(spent * (1.0 - share) / share)} left"
        self._stream.write(f"\r\x1b[K{self._title} {bar} {detail}{left}")
        self._stream.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time a step; its seconds are added up under its title."""
        self._began = start = time.perf_counter()
        self._title = title
        self.note(f"{title}: begins")
        self.update(0.0)
        try:
            yield
        finally:
            self._clear()
        spent = time.perf_counter() - start
        self.seconds[title] = self.seconds.get(title, 0.0) + spent
        self.say(f"{title}: {spent:.2f} s")


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
