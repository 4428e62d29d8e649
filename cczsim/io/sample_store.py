"""Finished samples of a ranking: a small file each, whole or not there, named by its inputs."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cczsim.errors import OutputError
from cczsim.indicators.indicator import Indicator
from cczsim.scenario.sample import SampleFigures

_FORMAT: Final = 1


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
            return SampleFigures(indicators, float(stored["noise"]), bool(stored["converged"]))
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
            "converged": found.converged, "figures": figures,
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

    def clear_parts(self) -> None:
        """Take out what a killed writer left half-written."""
        for left in self.folder.glob(".*.part"):
            with contextlib.suppress(OSError):
                left.unlink()
