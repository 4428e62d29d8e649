"""Changes of population and jobs."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.network.network import Network
from cczsim.network.zones import TIERS
from cczsim.scenario.change_spec import Growth
from cczsim.scenario.expect import check
from cczsim.scenario.select import area_zones


def growth(
    network: Network, change: Growth, where: str
) -> tuple[Network, str, dict[str, float], float]:
    """Grow population and jobs; a district's own rate goes before its tier's, that before all's."""
    zones = network.zones
    if zones is None:
        raise ScenarioError.of(where, "a network without zones", "a network with zones")
    columns: dict[str, Array] = {}
    counts: dict[str, float] = {}
    said: list[str] = []
    touched = np.zeros(zones.n_zones, dtype=bool)
    for name, rates in (("population", change.population), ("jobs", change.jobs)):
        if rates is None:
            continue
        rate = np.zeros(zones.n_zones)
        for area in sorted(rates, key=lambda a: (a != "all", a not in TIERS)):
            rows = area_zones(zones, area, f"{where}.{name}")
            rate[rows] = rates[area]
            touched[rows] = True
        before = getattr(zones, name)
        columns[name] = before * (1.0 + rate)
        more = float(columns[name].sum() - before.sum())
        counts[f"{name} added"] = more
        said.append(f"{name} {more:+,.0f} to {columns[name].sum():,.0f}")
    if change.expect is not None:
        for name in ("population", "jobs"):
            found = float(getattr(zones, name)[touched].sum())
            check(getattr(change.expect, name), found, f"{where}.expect.{name}", f"{found:,.0f}")
    counts["zones matched"] = float(touched.sum())
    return network.replace(zones=zones.replace(**columns)), "; ".join(said), counts, float("nan")
