"""What a scenario is worth to those who travel, against its base, and what they pay.

With N0 and N1 the trips of a pair of zones in base and scenario, consumer surplus is

- by logsum: (N0 + N1) / 2 × (L0 − L1), L the expected least cost over modes (H. C. W. L. Williams,
  1977, *Environment and Planning A* 9; K. A. Small and H. S. Rosen, 1981, *Econometrica* 49), exact
  for the logit where trips are as many;
- by the rule of a half, mode by mode: (T0 + T1) / 2 × (c0 − c1), with the trips and costs of the
  mode. Both agree to second order in the change of cost, where shares follow the logit.

Trips within zones are left out: no flow changes what they cost. So are, in the rule of a half,
pairs that a mode does not serve in one of both; the logsum counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.mode_costs import other_costs, street_distance
from cczsim.assignment.result import ModeEquilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.mode_choice import PARK_RIDE, car_fixed, composite
from cczsim.demand.params import DemandParams
from cczsim.indicators.flows import link_tiers, stop_tiers, tiers_present
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network
from cczsim.network.transit import MODES

_SIGN = "residents of zones by sign of gain"
_BY_KM = ("metro", "light_rail", "maglev")


@dataclass(frozen=True)
class Situation:
    """Trips, costs and times by mode, ``[zone, zone]``: trips/h, s, s; costs may be inf."""

    trips: dict[str, Array]
    costs: dict[str, Array]
    times: dict[str, Array]


def situation(
    network: Network, equilibrium: ModeEquilibrium, times: dict[str, Array], demand: DemandParams
) -> Situation:
    """Return what trips of a result cost, in the terms of its choice of modes.

    Parameters
    ----------
    times : dict of str to array [zone, zone], s
        Door to door by mode.
    """
    zones = network.zones
    assert zones is not None
    skims = equilibrium.transit.skims if equilibrium.transit is not None else None
    distance = street_distance(network.road, zones)
    costs = other_costs(zones, distance, skims, demand, equilibrium.buses)
    costs["car"] = equilibrium.car_time + car_fixed(demand)
    if equilibrium.lots is not None:
        costs[PARK_RIDE] = equilibrium.lots.cost
    for mode, shift in equilibrium.shift.items():
        costs[mode] = costs[mode] + shift
    return Situation(equilibrium.trips, costs, times)


def appraisal_indicators(
    network: Network, before: Situation, after: Situation, demand: DemandParams
) -> list[Indicator]:
    """Return surplus and time saved in the modelled hour, for all and by tier of origin.

    Parameters
    ----------
    network : Network
        Of the scenario; its zones are the base's.
    before, after : Situation
    """
    zones = network.zones
    assert zones is not None
    origins: list[tuple[dict[str, str], Array]] = [({"area": "all"}, zones.inside)]
    origins += [({"tier": name}, zones.tier == code) for code, name in tiers_present(network)]
    before, after = _offered_in_either(before, after)
    apart = ~np.eye(zones.n_zones, dtype=bool)
    scale, worth = demand.choice_scale, demand.value_of_time
    total = 0.5 * np.add.reduce([before.trips[m] + after.trips[m] for m in after.trips])
    logsum = _gain(total, composite(before.costs, scale), composite(after.costs, scale), apart)
    by_mode = {
        mode: _gain(0.5 * (before.trips[mode] + after.trips[mode]), before.costs[mode],
                    after.costs[mode], apart)
        for mode in after.trips
    }  # fmt: skip
    half = np.add.reduce(list(by_mode.values()))
    saved = {
        mode: _gain(0.5 * (before.trips[mode] + after.trips[mode]), before.times[mode],
                    after.times[mode], apart)
        for mode in after.times if mode in before.times
    }  # fmt: skip
    out = []
    for by, rows in origins:
        hours = float(logsum[rows].sum()) / 3600.0
        out.append(Indicator("surplus_hours", hours, "person h/h", {**by, "by": "logsum"}))
        out.append(Indicator("surplus", hours * worth, "CNY/h", {**by, "by": "logsum"}))
        hours = float(half[rows].sum()) / 3600.0
        out.append(Indicator("surplus_hours", hours, "person h/h", {**by, "by": "half"}))
        for mode, matrix in saved.items():
            hours = float(matrix[rows].sum()) / 3600.0
            out.append(Indicator("time_saved", hours, "person h/h", {**by, "mode": mode}))
    gains = logsum.sum(axis=1)
    people = zones.population
    everyone = float(people[zones.inside].sum())
    for name, rows in (("winners", gains > 0.0), ("losers", gains < 0.0)):
        share = 100.0 * float(people[rows & zones.inside].sum()) / max(everyone, 1e-300)
        out.append(
            Indicator(name, share, "%", {"area": "all"}, "residents of zones by sign of gain")
        )
    return out


def _offered_in_either(one: Situation, other: Situation) -> tuple[Situation, Situation]:
    """Return both with the modes of either: nobody goes by one that is not offered."""
    modes = (*one.trips, *(mode for mode in other.trips if mode not in one.trips))
    size = next(iter(one.trips.values())).shape
    none, never = np.zeros(size), np.full(size, np.inf)

    def whole(found: Situation) -> Situation:
        return replace(
            found,
            trips=found.trips | {mode: none for mode in modes if mode not in found.trips},
            costs=found.costs | {mode: never for mode in modes if mode not in found.costs},
        )

    return whole(one), whole(other)


def _gain(trips: Array, before: Array, after: Array, apart: Array) -> Array:
    """Return trips times what their cost falls by, where both are known."""
    known = np.isfinite(before) & np.isfinite(after) & apart
    fall = np.where(known, before, 0.0) - np.where(known, after, 0.0)
    return np.asarray(trips * fall)


def revenue_indicators(
    network: Network, equilibrium: ModeEquilibrium, demand: DemandParams, params: TransitParams
) -> list[Indicator]:
    """Return fares, by boarding and by distance, and tolls of the modelled hour.

    Fares for all, by mode of the line, and by the tier of the stop that is boarded or ridden from;
    tolls by the tier of the link.
    """
    tolls = equilibrium.road.link_flow * network.road.toll
    out = [Indicator("toll_revenue", float(tolls.sum()), "CNY/h", {"area": "all"})]
    tiers = tiers_present(network)
    on_link = link_tiers(network) if tiers and tolls.any() else np.full(len(tolls), -1)
    for code, name in tiers if tolls.any() else ():
        own = float(tolls[on_link == code].sum())
        out.append(Indicator("toll_revenue", own, "CNY/h", {"tier": name}))
    transit, carried = network.transit, equilibrium.transit
    if transit is not None and carried is not None:
        by_km = np.array(
            [
                params.rail_fare if m == "rail" else params.metro_fare if m in _BY_KM else 0.0
                for m in MODES
            ]
        )
        mode = np.repeat(transit.mode, np.diff(transit.line_first))
        by_distance = np.repeat(transit.fare_system == "", np.diff(transit.line_first))
        ridden = carried.segment_flow * transit.run_length * by_km[mode] * by_distance
        fares = carried.boardings * demand.transit_fare + ridden
        if equilibrium.paid is not None:
            note = "tickets are of journeys, not of lines"
            total = equilibrium.paid + float(ridden.sum())
            return [*out, Indicator("fare_revenue", total, "CNY/h", {"area": "all"}, note)]
        left = stop_tiers(network)[transit.line_stop]
        parts: list[tuple[dict[str, str], Array]] = [({"area": "all"}, np.ones_like(mode, bool))]
        parts += [({"transit_mode": MODES[code]}, mode == code) for code in np.unique(mode)]
        parts += [({"tier": name}, left == code) for code, name in tiers]
        out += [
            Indicator("fare_revenue", float(fares[rows].sum()), "CNY/h", by) for by, rows in parts
        ]
    return out


def surplus_by_zone(
    before: Situation, after: Situation, demand: DemandParams, population: Array
) -> Array:
    """Return what those who start in a zone gain in the hour a resident, ``[zone], CNY/h``.

    By logsum; NaN where nobody lives.
    """
    before, after = _offered_in_either(before, after)
    scale = demand.choice_scale
    apart = ~np.eye(len(population), dtype=bool)
    total = 0.5 * np.add.reduce([before.trips[m] + after.trips[m] for m in after.trips])
    gain = _gain(total, composite(before.costs, scale), composite(after.costs, scale), apart)
    money = gain.sum(axis=1) / 3600.0 * demand.value_of_time
    nobody = np.full(len(population), np.nan)
    return np.asarray(np.divide(money, population, out=nobody, where=population > 0.0))


def same_zones(networks: Sequence[Network]) -> bool:
    """Return whether networks have the same zones, so that their matrices compare."""
    ids = [network.zones.zone_id for network in networks if network.zones is not None]
    return len(ids) == len(networks) and all(np.array_equal(one, ids[0]) for one in ids)
