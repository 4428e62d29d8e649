"""Finished runs of a study: a small file each, whole or not there, named by its inputs.

Beside those that others start from lie their bushes.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cczsim.assignment.bush_solution import BushStart
from cczsim.errors import OutputError
from cczsim.indicators.indicator import Indicator
from cczsim.io.bush_file import write_bushes
from cczsim.scenario.sample import SampleFigures

_FORMAT: Final = 2
_SECONDS: Final = "seconds.csv"


class SampleStore:
    """Samples in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first sample is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def read(self, key: str) -> SampleFigures | None:
        """Return a finished sample, or None where there is none that can be read."""
        try:
            stored = json.loads(self._path(key).read_text(encoding="utf-8"))
            if stored["format"] != _FORMAT or stored["key"] != key:
                return None
            indicators = tuple(
                Indicator(name, math.nan if value is None else float(value), unit, dict(by))
                for name, value, unit, by in stored["figures"]
            )
            return SampleFigures(
                indicators, float(stored["noise"]), bool(stored["converged"]),
                int(stored["iterations"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, key: str, found: SampleFigures, about: Mapping[str, Any]) -> None:
        """Keep a sample.

        Parameters
        ----------
        about : mapping
            Option, number and values of the sample, for whoever opens the file.

        Raises
        ------
        OutputError
            The disk refuses; nothing half-written is left.
        """
        figures = [
            [i.key, i.value if math.isfinite(i.value) else None, i.unit, i.by]
            for i in found.indicators
        ]
        content = {
            "format": _FORMAT, "key": key, **about, "noise": found.noise,
            "converged": found.converged, "iterations": found.iterations,
            "figures": figures,
        }  # fmt: skip
        path = self._path(key)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", newline="\n") as stream:
                json.dump(content, stream, ensure_ascii=False, allow_nan=False)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            said = error.strerror or str(error)
            raise OutputError.of(str(path), said, "a file that can be written") from error

    def start_path(self, key: str) -> Path:
        """Return where the bushes of a run lie."""
        return self.folder / f"{key}.npz"

    def write_start(self, key: str, start: BushStart) -> None:
        """Keep the bushes of a run.

        Raises
        ------
        OutputError
            The disk refuses; nothing half-written is left.
        """
        path = self.start_path(key)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bushes(start, part)
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            said = error.strerror or str(error)
            raise OutputError.of(str(path), said, "a file that can be written") from error

    def write_seconds(self, key: str, seconds: float) -> None:
        """Note what a run took; a disk that refuses costs the note, not the run."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # One write of a short line: lines of several workers do not mix.
            with (self.folder / _SECONDS).open("a", encoding="utf-8") as stream:
                stream.write(f"{key},{seconds:.3f}\n")

    def seconds(self) -> dict[str, float]:
        """Return what runs took when they were last computed, by key, s of all processors."""
        out: dict[str, float] = {}
        with contextlib.suppress(OSError):
            for line in (self.folder / _SECONDS).read_text(encoding="utf-8").splitlines():
                key, _, value = line.partition(",")
                with contextlib.suppress(ValueError):
                    out[key] = float(value)
        return out

    def clear_parts(self) -> None:
        """Take out what a killed writer left half-written."""
        for left in self.folder.glob(".*.part"):
            with contextlib.suppress(OSError):
                left.unlink()
