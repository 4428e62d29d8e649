"""Rail and bus told apart: strategies over all lines beside strategies over buses alone.

Whoever chooses rail follows the best strategy over all lines, buses to the train and from it
included; whoever chooses the bus rides buses only. Rail is an alternative where trains shorten the
best strategy at all. The two overlap where trains shorten it little: the nest of
:mod:`cczsim.demand.mode_choice`, whose scale is small, keeps that from being worth much.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cczsim.assignment.result import TransitAssignment, TransitSkims, Unreachable
from cczsim.assignment.transit import BUSES, assign_transit, skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.mode_choice import transit_cost
from cczsim.demand.params import DemandParams
from cczsim.network.transit import MODE_CODE, TransitNetwork
from cczsim.network.zones import ZoneSystem

_SAME = 1e-9


def bus_lines(transit: TransitNetwork) -> Array:
    """Return which lines are buses (or ferries), ``[line]``."""
    return np.isin(transit.mode, [MODE_CODE[mode] for mode in BUSES])


def bus_network(transit: TransitNetwork) -> TransitNetwork:
    """Return the network without its trains; stops and walks stay."""
    kept = bus_lines(transit)
    entries = np.repeat(kept, np.diff(transit.line_first))
    return transit.replace(
        **transit.take("line", np.flatnonzero(kept)),
        line_first=np.concatenate([[0], np.cumsum(np.diff(transit.line_first)[kept])]),
        line_stop=transit.line_stop[entries],
        run_time=transit.run_time[entries],
        run_length=transit.run_length[entries],
        shape_first=None, shape_lon=None, shape_lat=None,
    )  # fmt: skip


def skim_buses(
    transit: TransitNetwork, zones: ZoneSystem, params: TransitParams | None, demand: DemandParams
) -> TransitSkims | None:
    """Return the times of strategies over buses alone; None where all lines go together."""
    if demand.transit_choice == "together":
        return None
    if not bus_lines(transit).any():
        nowhere = np.full((zones.n_zones, zones.n_zones), np.inf)
        return TransitSkims(nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)
    seconds = demand.seconds_per_cny
    return skim_transit(bus_network(transit), zones, params, seconds_per_cny=seconds)


def rail_and_bus_costs(
    skims: TransitSkims, buses: TransitSkims, demand: DemandParams
) -> dict[str, Array]:
    """Return the generalised costs of rail and of the bus alone, s; infinite where there is none.

    Parameters
    ----------
    skims, buses : TransitSkims
        Of strategies over all lines, and over buses.
    """
    by_train = (
        transit_cost(skims.weighted, skims.fare(demand.transit_fare), demand) + demand.rail_constant
    )
    trains_help = skims.weighted < buses.weighted * (1.0 - _SAME)
    return {
        "rail": np.where(trains_help, by_train, np.inf),
        "bus": transit_cost(buses.weighted, buses.fare(demand.transit_fare), demand)
        + demand.bus_constant,
    }


def assign_rail_and_bus(
    transit: TransitNetwork,
    zones: ZoneSystem,
    by_rail: Array,
    by_bus: Array,
    params: TransitParams | None,
    seconds_per_cny: float,
) -> TransitAssignment:
    """Assign those who chose rail to all lines and the others to buses; return both together.

    The skims are those over all lines.
    """
    found = assign_transit(transit, zones, by_rail, params, seconds_per_cny=seconds_per_cny)
    kept = bus_lines(transit)
    if not kept.any():
        return found
    buses = assign_transit(
        bus_network(transit), zones, by_bus, params, seconds_per_cny=seconds_per_cny
    )
    entries = np.flatnonzero(np.repeat(kept, np.diff(transit.line_first)))
    both = {}
    for name in ("segment_flow", "boardings", "alightings"):
        whole = getattr(found, name).copy()
        whole[entries] += getattr(buses, name)
        both[name] = whole
    for name in (
        "walk_flow", "access_flow", "egress_flow", "total_demand", "intrazonal_demand",
        "unreachable_demand",
    ):  # fmt: skip
        both[name] = getattr(found, name) + getattr(buses, name)
    lost = [found.unreachable, buses.unreachable]
    together = Unreachable(
        **{n: np.concatenate([getattr(one, n) for one in lost])
           for n in ("origin", "destination", "trips")}
    )  # fmt: skip
    return replace(found, **both, unreachable=together)
