"""What a result rests on: shares of guessed attributes, and everything that was set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cczsim.network.network import Network
from cczsim.network.provenance import GUESSED, Source
from cczsim.network.road import ATTRIBUTES, RoadNetwork
from cczsim.scenario.keys import KeySpec, shown
from cczsim.scenario.result import Assumption


def provenance_shares(road: RoadNetwork) -> dict[str, dict[str, float]]:
    """Return the share of street length by source, for each attribute of a link.

    Returns
    -------
    dict
        ``shares["lanes"]["default"]`` is a share of the directed length of all streets.
    """
    street = road.is_street
    total = float(road.length[street].sum())
    out: dict[str, dict[str, float]] = {}
    for name in ("class", *ATTRIBUTES):
        source = getattr(road, f"{name}_source")[street]
        out[name] = {
            item.name.lower(): float(road.length[street][source == item].sum()) / total
            for item in Source
            if total > 0.0
        }
    return out


def network_assumptions(network: Network) -> list[Assumption]:
    """Return what a network was guessed to be: its notes, and shares of guessed attributes."""
    road = network.road
    out = [
        Assumption("network", note, "recipe", "said by the network") for note in network.info.notes
    ]
    for name, shares in provenance_shares(road).items():
        guessed = sum(shares.get(s.name.lower(), 0.0) for s in GUESSED)
        if guessed > 0.0:
            out.append(
                Assumption(
                    f"network.{name}", f"{100 * guessed:.1f} % of street length", "table",
                    "taken from a class table or made by the street generator, not observed",
                )
            )  # fmt: skip
    lines = network.transit
    if lines is not None:
        guessed_lines = int(np.isin(lines.headway_source, GUESSED).sum())
        if guessed_lines:
            out.append(
                Assumption(
                    "network.headway", f"{guessed_lines} of {lines.n_lines} lines", "table",
                    "taken from a table by mode or made up with the line, not observed",
                )
            )  # fmt: skip
    return out


def key_assumptions(
    plain: Mapping[str, Any], origins: Mapping[str, str], keys: Mapping[str, KeySpec]
) -> list[Assumption]:
    """Return the figures that the scenario sets or leaves at their default.

    Parameters
    ----------
    plain : mapping
        The resolved scenario.
    origins : mapping
        Where each key was written.
    keys : mapping
        Declared keys by dotted path.
    """
    out = []
    for path, spec in keys.items():
        value: Any = plain
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping):  # by area
            value = ", ".join(f"{area} {share}" for area, share in value.items())
        if value is None or value == "":
            continue
        default = origins.get(path, "default") == "default"
        source = f"default; {spec.source}" if default else "scenario"
        out.append(
            Assumption(
                path, str(value) if isinstance(value, str) else shown(value), source, spec.meaning
            )
        )
    return out
