"""Tables of a recipe held against the keys that they may have; faults with file and line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cczsim.errors import FaultCollector, InputError

TEXT, NUMBER, WHOLE, FLAG, TEXTS, NUMBERS = (
    "text", "a number", "a whole number", "true or false", "a list of texts", "a list of numbers",
)  # fmt: skip


class TableReader:
    """A recipe being read.

    Parameters
    ----------
    path : Path
    lines : mapping of key to int
        Line of each key, by :func:`cczsim.io.toml_lines.key_lines`.
    """

    def __init__(self, path: Path, lines: Mapping[tuple[str | int, ...], int]) -> None:
        self.path = path
        self.lines = lines
        self.faults = FaultCollector(InputError)

    def where(self, *key: str | int) -> str:
        """Return the place of a key: file, line and name."""
        name = "".join(f"[{k + 1}]" if isinstance(k, int) else f".{k}" for k in key).lstrip(".")
        return f"{self.path}:{self.lines.get(key, 1)}: {name}"

    def table(self, data: Any, schema: Mapping[str, str], *at: str | int) -> dict[str, Any]:
        """Return the known keys of a table whose values fit; the others become faults."""
        if not isinstance(data, dict):
            self.faults.add(self.where(*at), repr(data), "a table")
            return {}
        out = {}
        for key, value in data.items():
            if key not in schema:
                near = get_close_matches(key, schema, 1, 0.5)
                self.faults.add(
                    self.where(*at, key), f"the unknown key {key!r}",
                    f"one of {', '.join(schema)}", f"did you mean {near[0]!r}?" if near else "",
                )  # fmt: skip
            elif not _fits(value, schema[key]):
                self.faults.add(self.where(*at, key), repr(value), schema[key])
            else:
                out[key] = value
        return out

    def file(self, text: str, *at: str | int) -> Path:
        """Return the path that a text names, variables filled in; a missing file is a fault."""

        def known(match: re.Match[str]) -> str:
            value = os.environ.get(match[1])
            if value is None:
                self.faults.add(
                    self.where(*at), f"${{{match[1]}}}, which is not set",
                    f"the environment variable {match[1]}",
                    f"set {match[1]} to the folder of the data",
                )  # fmt: skip
                return match[0]
            return value

        path = self.path.parent / re.sub(r"\$\{(\w+)\}", known, text)
        if "${" not in str(path) and not path.exists():
            self.faults.add(self.where(*at), f"{path}, which does not exist", "a file")
        return path


def _fits(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "text":
            return isinstance(value, str) and bool(value)
        case "a number":
            return number and value >= 0
        case "a whole number":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "true or false":
            return isinstance(value, bool)
        case "a table":
            return isinstance(value, dict)
        case "a list of texts":
            return isinstance(value, list) and all(isinstance(v, str) for v in value)
        case _:
            return isinstance(value, list) and all(isinstance(v, int | float) for v in value)
