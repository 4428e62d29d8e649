"""Who goes by what, and how long it takes."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.result import ModeEquilibrium
from cczsim.columns import Array
from cczsim.indicators.flows import tiers_present
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network


def travel_indicators(
    network: Network, equilibrium: ModeEquilibrium, times: dict[str, Array]
) -> list[Indicator]:
    """Return trips, shares and mean times by mode, for all and by the tier of origin.

    Alternatives within a mode (rail, bus; walk, cycle) follow where they are told apart; their
    shares are of all trips too.

    "All" are the zones inside the cordon; gates of cities outside it make up tiers of their own.

    Parameters
    ----------
    network : Network
    equilibrium : ModeEquilibrium
    times : dict of str to array [zone, zone], s
        Door to door by mode; inf where there is no way. Trips within a zone and trips without a
        way are left out of mean times.
    """
    zones = network.zones
    assert zones is not None
    origins = [({"area": "all"}, zones.inside)]
    origins += [({"tier": name}, zones.tier == code) for code, name in tiers_present(network)]
    apart = ~np.eye(zones.n_zones, dtype=bool)
    out = [
        Indicator("population", float(zones.population[rows].sum()), "residents", by)
        for by, rows in origins
    ]
    for by, rows in origins:
        total = sum(float(matrix[rows].sum()) for matrix in equilibrium.trips.values())
        for mode, matrix in {**equilibrium.trips, **equilibrium.parts}.items():
            trips = float(matrix[rows].sum())
            share = 100 * trips / total if total > 0.0 else float("nan")
            out.append(Indicator("trips", trips, "1/h", {**by, "mode": mode}))
            out.append(Indicator("mode_share", share, "%", {**by, "mode": mode}))
            if mode in times:
                mean = _mean(matrix[rows], times[mode][rows], apart[rows]) / 60
                out.append(Indicator("mean_trip_minutes", mean, "min", {**by, "mode": mode}))
    return out


def _mean(trips: Array, time: Array, apart: Array) -> float:
    counted = np.isfinite(time) & apart
    total = float(trips[counted].sum())
    return float((trips[counted] * time[counted]).sum()) / total if total > 0.0 else float("nan")
