"""Scenario files whose changes are streets as geometry: anyone can edit and run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cczsim.columns import Array
from cczsim.io.scenario_docs import toml_key, toml_value


@dataclass(frozen=True)
class StreetChange:
    """A group of new streets that is one change of a scenario.

    Parameters
    ----------
    id : str
    note : str
    cost : float
        CNY.
    lines : array [street, 2, 2]
        Longitude and latitude of both ends, WGS-84.
    street : mapping
        Keys that all streets of the group share, as a scenario writes them.
    """

    id: str
    note: str
    cost: float
    lines: Array
    street: Mapping[str, Any]


def street_scenario(
    head: Mapping[str, Any], comments: Sequence[str], changes: Sequence[StreetChange]
) -> str:
    """Return the text of a scenario file.

    Parameters
    ----------
    head : mapping
        Keys before the changes.
    comments : sequence of str
        Lines at the top.
    changes : sequence of StreetChange
    """
    lines = [f"# {line}" for line in comments]
    lines += [f"{toml_key(name)} = {toml_value(value)}" for name, value in head.items()]
    for change in changes:
        lines += [
            "", "[[changes]]", 'kind = "links"', f"id = {toml_value(change.id)}",
            f"note = {toml_value(change.note)}", f"cost = {toml_value(f'{change.cost:.0f} CNY')}",
        ]  # fmt: skip
        shared = ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in change.street.items())
        lines.append("add = [")
        for street in change.lines:
            points = "; ".join(f"{lon:.8f} {lat:.8f}" for lon, lat in street)
            lines.append(f'  {{ line = "{points}", {shared} }},')
        lines.append("]")
    return "\n".join(lines) + "\n"
