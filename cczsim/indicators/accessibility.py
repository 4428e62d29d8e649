"""What can be reached, and how soon."""

from __future__ import annotations

from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.indicators.flows import tiers_present
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network

MINUTES: Final = (30, 45, 60)


def access_indicators(
    network: Network, times: dict[str, Array]
) -> tuple[list[Indicator], dict[str, Array]]:
    """Return jobs reached within 30, 45 and 60 minutes, and minutes to the airport.

    Means are weighted by residents; "all" are the zones inside the cordon, and jobs at a gate,
    which stands for a whole city, count as out of reach. The better of the modes is taken as the
    mode ``best``.

    Parameters
    ----------
    network : Network
    times : dict of str to array [zone, zone], s
        Door to door by mode; inf where there is no way.

    Returns
    -------
    indicators : list of Indicator
    by_zone : dict of str to array [zone]
        ``jobs_45_transit`` and the like (jobs), ``airport_car`` and the like (min, inf if never).
    """
    zones = network.zones
    assert zones is not None
    by_mode = {**times, "best": np.minimum.reduce(list(times.values()))}
    areas = [({"area": "all"}, zones.inside)]
    areas += [({"tier": name}, zones.tier == code) for code, name in tiers_present(network)]
    out: list[Indicator] = []
    by_zone: dict[str, Array] = {}
    jobs = np.where(zones.inside, zones.jobs, 0.0)
    airport = np.flatnonzero(zones.hub == "airport")
    for mode, time in by_mode.items():
        for minutes in MINUTES:
            reached = np.where(time <= minutes * 60.0, jobs, 0.0).sum(axis=1)
            by_zone[f"jobs_{minutes}_{mode}"] = reached
            for by, rows in areas:
                mean = _weighted(reached[rows], zones.population[rows])
                restriction = {**by, "mode": mode, "minutes": str(minutes)}
                out.append(Indicator("jobs_reached", mean, "jobs", restriction))
        if len(airport):
            soonest = time[:, airport].min(axis=1) / 60
            by_zone[f"airport_{mode}"] = soonest
            for by, rows in areas:
                out += _airport(soonest[rows], zones.population[rows], {**by, "mode": mode})
    return out, by_zone


def _weighted(values: Array, weights: Array) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 0.0 else float("nan")


def _airport(minutes: Array, people: Array, by: dict[str, str]) -> list[Indicator]:
    arrives = np.isfinite(minutes)
    everyone = float(people.sum())
    share = 100 * float(people[arrives].sum()) / everyone if everyone > 0.0 else float("nan")
    note = "" if share > 99.95 else f"mean over the {share:.1f} % of residents who have a way"
    mean = _weighted(minutes[arrives], people[arrives])
    return [
        Indicator("airport_minutes", mean, "min", by, note),
        Indicator("airport_reach", share, "%", by),
    ]
