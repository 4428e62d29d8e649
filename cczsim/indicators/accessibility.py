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

    So too schools and hospitals, and minutes to the nearest of them, where zones hold any. Means
    are weighted by residents; "all" are the zones inside the cordon, and what lies at a gate,
    which stands for a whole city, counts as out of reach. The better of the modes is taken as the
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
    served = {
        name: np.where(zones.inside, getattr(zones, name), 0.0) for name in ("schools", "hospitals")
    }
    for mode, time in by_mode.items():
        for minutes in MINUTES:
            reached = np.where(time <= minutes * 60.0, jobs, 0.0).sum(axis=1)
            by_zone[f"jobs_{minutes}_{mode}"] = reached
            for by, rows in areas:
                mean = _weighted(reached[rows], zones.population[rows])
                restriction = {**by, "mode": mode, "minutes": str(minutes)}
                out.append(Indicator("jobs_reached", mean, "jobs", restriction))
        for name, places in served.items():
            there = np.flatnonzero(places > 0.0)
            if not len(there):
                continue
            soonest = time[:, there].min(axis=1) / 60
            by_zone[f"{name}_{mode}"] = soonest
            for by, rows in areas:
                people = zones.population[rows]
                for minutes in MINUTES:
                    reached = np.where(time <= minutes * 60.0, places, 0.0).sum(axis=1)
                    mean = _weighted(reached[rows], people)
                    restriction = {**by, "mode": mode, "minutes": str(minutes)}
                    out.append(Indicator(f"{name}_reached", mean, name, restriction))
                out += _soonest(name, soonest[rows], people, {**by, "mode": mode})
        if len(airport):
            soonest = time[:, airport].min(axis=1) / 60
            by_zone[f"airport_{mode}"] = soonest
            for by, rows in areas:
                out += _soonest(
                    "airport", soonest[rows], zones.population[rows], {**by, "mode": mode}
                )
    return out, by_zone


def _weighted(values: Array, weights: Array) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 0.0 else float("nan")


def _soonest(what: str, minutes: Array, people: Array, by: dict[str, str]) -> list[Indicator]:
    arrives = np.isfinite(minutes)
    everyone = float(people.sum())
    share = 100 * float(people[arrives].sum()) / everyone if everyone > 0.0 else float("nan")
    note = "" if share > 99.95 else f"mean over the {share:.1f} % of residents who have a way"
    mean = _weighted(minutes[arrives], people[arrives])
    return [
        Indicator(f"{what}_minutes", mean, "min", by, note),
        Indicator(f"{what}_reach", share, "%", by),
    ]
