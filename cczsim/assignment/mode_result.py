"""Where rounds of roads and lines ended: trips by mode that add up, and what lines carry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.elastic import ElasticAssignment
from cczsim.assignment.mode_costs import inside_share, other_alternatives
from cczsim.assignment.park_ride import Parked, Parking, between_zones, of_zones
from cczsim.assignment.rail_or_bus import assign_rail_and_bus
from cczsim.assignment.result import (
    ModeEquilibrium,
    OuterRecord,
    TransitAssignment,
    TransitSkims,
)
from cczsim.assignment.transit import assign_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.mode_choice import PARK_RIDE, car_fixed, choose, intrazonal, within
from cczsim.demand.params import DemandParams
from cczsim.demand.park_ride import LotLoads
from cczsim.demand.pivot import Pivot, shifted
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True, eq=False)
class Ended:
    """Where the rounds ended.

    Parameters
    ----------
    zones : ZoneSystem
    ends : ZoneSystem
        Zones and car parks.
    lines : TransitNetwork, optional
    distance : array [zone, zone], m
    demand : DemandParams
    transit : TransitParams, optional
    pivot : Pivot, optional
    parking : Parking, optional
    parked : Parked, optional
    held : LotLoads, optional
        What car parks held in the last round.
    trips : array [zone, zone], trips/h
    roads : ElasticAssignment
    costs : mapping of str to array [zone, zone], s
        Of all modes at the loads of the last round; of those beside the car where there were no
        rounds.
    others : mapping of str to array [zone, zone], s
        Of the modes beside the car.
    skims, buses, priced : TransitSkims, optional
        Of all lines, of buses alone, and with the tickets of each pair.
    crowded : TransitAssignment, optional
        Passengers on lines with crowding.
    riders : array [zone, zone], trips/h, optional
        Of those.
    rounds : tuple of OuterRecord
    """

    zones: ZoneSystem
    ends: ZoneSystem
    lines: TransitNetwork | None
    distance: Array
    demand: DemandParams
    transit: TransitParams | None
    pivot: Pivot | None
    parking: Parking | None
    parked: Parked | None
    held: LotLoads | None
    trips: Array
    roads: ElasticAssignment
    costs: dict[str, Array]
    others: dict[str, Array]
    skims: TransitSkims | None
    buses: TransitSkims | None
    priced: TransitSkims | None
    crowded: TransitAssignment | None
    riders: Array | None
    rounds: tuple[OuterRecord, ...]


def equilibrium_of(ended: Ended, asked: bool, run_time: Array | None) -> ModeEquilibrium:
    """Return the equilibrium that the rounds ended in.

    Parameters
    ----------
    ended : Ended
    asked : bool
        Whether destinations were chosen, so that the trips are a result.
    run_time : array [segment], s, optional
        Of lines whose buses stand in traffic.
    """
    zones, demand, trips = ended.zones, ended.demand, ended.trips
    modes, riding = _modes(ended)
    held = ended.held
    if held is not None:
        held = replace(held, cost=ended.costs[PARK_RIDE])
    residual = ended.roads.demand_residual
    if ended.rounds:
        shares = {
            mode: np.divide(own, trips, out=np.zeros_like(own), where=trips > 0.0)
            for mode, own in modes.items()
        }
        residual = moved(trips, shares, choose(ended.costs, demand.choice_scale))
    alternatives = other_alternatives(zones, ended.distance, ended.skims, demand, ended.buses)
    parts = {
        name: modes[mode] * share
        for mode in ("transit", "active")
        for name, share in within(mode, alternatives, demand).items()
    }
    assigned, paid = _on_lines(ended, held, modes["transit"], riding, parts)
    inside = np.eye(zones.n_zones, dtype=bool)
    return ModeEquilibrium(
        road=ended.roads.road,
        transit=assigned,
        trips=modes,
        car_time=ended.roads.car_cost,
        car_pce=np.where(inside, 0.0, modes["car"]) / demand.car_occupancy,
        demand_residual=residual,
        rounds=ended.rounds,
        parts=parts,
        buses=between_zones(ended.buses, zones.n_zones),
        lots=held,
        paid=paid,
        shift=ended.pivot.shift if ended.pivot is not None else {},
        asked=trips if asked else None,
        run_time=run_time,
    )


def _modes(ended: Ended) -> tuple[dict[str, Array], Array]:
    """Return the trips by mode, and those that ride by the logit."""
    trips, others, scale = ended.trips, ended.others, ended.demand.choice_scale
    car = ended.roads.car_trips.copy()
    parkers = np.zeros_like(trips) if ended.parked is None else ended.parked.legs.share * trips
    # Trips within a zone load no street; their split is the logit at the way within it.
    inside = np.eye(ended.zones.n_zones, dtype=bool)
    drive = intrazonal(ended.roads.car_cost, inside_share(ended.distance)) + car_fixed(ended.demand)
    drive = shifted({"car": drive}, ended.pivot)["car"]
    car[inside] = (choose({"car": drive, **others}, scale)["car"] * trips)[inside]
    rest = np.maximum(trips - parkers - car, 0.0)
    of_others = choose(others, scale)
    riding, walking = rest * of_others["transit"], rest * of_others["active"]
    # Where nothing is known of a zone's size its trips within are the car's; they load nothing.
    unknown = inside & ~(np.isfinite(drive) | np.isfinite(others["active"]))
    car[unknown] = trips[unknown]
    modes = {"car": car, "transit": riding, "active": walking}
    if ended.held is not None:
        modes[PARK_RIDE] = parkers
    if ended.riders is not None:
        modes = _as_loaded(trips, car, ended.riders, np.isfinite(others["active"]))
        modes["active"][inside] = walking[inside]
    return modes, riding


def _on_lines(
    ended: Ended, held: LotLoads | None, rides: Array, riding: Array, parts: dict[str, Array]
) -> tuple[TransitAssignment | None, float | None]:
    """Return passengers on lines, and what they pay where prices are of tickets, CNY/h."""
    lines, demand, parking = ended.lines, ended.demand, ended.parking
    assigned, by_bus = ended.crowded, np.zeros(0)
    if assigned is None and lines is not None and ended.buses is None:
        rides = _with_lots(riding, parking, held)
        assigned = assign_transit(
            lines, ended.ends, rides, ended.transit, seconds_per_cny=demand.seconds_per_cny
        )
    elif assigned is None and lines is not None:
        rides, by_bus = _with_lots(parts["rail"], parking, held), _with_lots(parts["bus"], parking)
        assigned = assign_rail_and_bus(
            lines, ended.ends, rides, by_bus, ended.transit, demand.seconds_per_cny
        )
    paid = None
    if assigned is not None and lines is not None and lines.size("ticket"):
        assigned = replace(assigned, skims=assigned.skims.with_tickets_of(ended.priced))
        paid = float((rides * assigned.skims.fare(demand.transit_fare)).sum())
        if ended.buses is not None:
            paid += float((by_bus * ended.buses.fare(demand.transit_fare)).sum())
    if parking is not None and assigned is not None:
        assigned = of_zones(assigned, ended.zones.n_zones, parking.n_access)
    return assigned, paid


def _with_lots(trips: Array, parking: Parking | None, loads: LotLoads | None = None) -> Array:
    """Return trips by lines with the rides of park-and-ride, where there is any."""
    return trips if parking is None else parking.on_lines(trips, loads)


def _as_loaded(trips: Array, car: Array, riders: Array, walks: Array) -> dict[str, Array]:
    """Return trips by mode that add up: by car as roads carry them, the rest by other modes.

    What lines carry may differ from these trips by as much as the demand residual tells.
    """
    rest = np.maximum(trips - car, 0.0)
    riding = np.where(walks, np.minimum(riders, rest), np.where(riders > 0.0, rest, 0.0))
    return {"car": car, "transit": riding, "active": np.where(walks, rest - riding, 0.0)}


def moved(trips: Array, before: dict[str, Array], after: dict[str, Array]) -> float:
    """Return the share of all trips between zones that two divisions over modes differ by."""
    apart = ~np.eye(len(trips), dtype=bool)
    # Where no mode leads nothing is chosen.
    apart &= np.add.reduce(list(after.values())) > 0.0
    total = sum(float((trips * np.abs(after[m] - before[m]))[apart].sum()) for m in after)
    return 0.5 * total / max(float(trips.sum()), 1e-300)
