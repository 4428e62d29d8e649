"""Ranges of what is not known, as a TOML file of their own: tables ``[uncertainty.NAME]``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cczsim.errors import ScenarioError
from cczsim.io.scenario_file import read_toml, resolve_path
from cczsim.scenario.keys import REQUIRED, key
from cczsim.scenario.reader import Reader
from cczsim.scenario.uncertainty import Uncertain
from cczsim.scenario.versions import up_to_date


@dataclass(frozen=True, kw_only=True)
class _File:
    cczsim: int | None = key("integer", "version of the format of this file")
    title: str | None = key("text", "one line that says what this is")
    uncertainty: dict[str, Uncertain] = key(
        "sections", "what is not known for sure, by name", table=Uncertain, default=REQUIRED
    )


def read_uncertainty(path: Path) -> dict[str, Uncertain]:
    """Read a file of ranges.

    Raises
    ------
    InputError, ScenarioError
        With every fault, each with file, line and key.
    """
    reader = Reader(resolve_path)
    tree, _ = up_to_date(read_toml(path, "a file of ranges"))
    found, _ = reader.section(_File, tree)
    if reader.faults or found is None:
        raise ScenarioError(reader.faults)
    assert isinstance(found, _File)
    return found.uncertainty
