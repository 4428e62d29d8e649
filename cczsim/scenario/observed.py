"""Trips of a scenario that starts from what was observed: totals, and shifts of the mode choice.

Rule. What was observed is of the network before the scenario's changes, at the equilibrium of its
own cars: their matrix is assigned there, and its costs are those that people chose at. Growth of
residents and jobs moves the totals of rows and columns as it does those of generation, and Furness
carries it to the pairs (K. P. Furness, 1965). Destinations answer to nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bus_times import BusTimes
from cczsim.assignment.mode_costs import (
    distance_factor,
    inside_share,
    other_costs,
    street_distance,
    toll_factor,
)
from cczsim.assignment.rail_or_bus import skim_buses
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_crowding import CrowdedTransit
from cczsim.columns import Array
from cczsim.demand.distribution import Distribution, gravity
from cczsim.demand.generation import generate
from cczsim.demand.mode_choice import MODES, car_fixed, intrazonal
from cczsim.demand.pivot import Pivot, carried, pivot_on
from cczsim.errors import ScenarioError
from cczsim.network.network import Network
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.result import Assumption
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.trucks import truck_traffic

_GAP = 1e-6


class ObservedTrips(NamedTuple):
    """Person trips of the scenario's year, what their modes pivot on, and who found no room."""

    distribution: Distribution
    pivot: Pivot
    no_room: float

    def notes(self) -> tuple[Assumption, ...]:
        """Return what was done to observed trips that the network cannot carry as observed."""
        notes = {
            "observed on modes that the network does not offer there; they go by the pair's others":
                self.pivot.moved,
            "observed on lines that hold fewer, by the places assumed; fewer of them ride":
                self.no_room,
        }  # fmt: skip
        return tuple(
            Assumption("demand.observed", f"{trips:,.1f} trips/h", "method", why)
            for why, trips in notes.items()
            if trips > 0.0
        )


def observed_trips(spec: ScenarioSpec, network: Network, zones: ZoneSystem) -> ObservedTrips | None:
    """Return the trips of a scenario that names observed ones; None where it does not.

    Parameters
    ----------
    spec : ScenarioSpec
    network : Network
        Before all changes.
    zones : ZoneSystem
        Of the scenario's year.

    Raises
    ------
    ScenarioError
        The file was not read; destinations that answer to costs.
    InputError
        The file is wrong.
    """
    if spec.demand.observed is None:
        return None
    assert network.zones is not None
    where = f"{spec.origins.get('demand.observed', '')}: demand.observed".removeprefix(": ")
    if spec.demand.read_observed is None:
        raise ScenarioError.of(where, "a file that nobody read", "a scenario read from its file")
    if spec.demand.params.destination_choice != "fixed":
        raise ScenarioError.of(
            where, 'beside it demand.destination_choice = "equilibrium"', '"fixed"',
            "destinations are those that were observed",
        )  # fmt: skip
    observed: dict[str, Array] = spec.demand.read_observed(zones.zone_id)
    costs, no_room = _costs(spec, network, observed)
    pivot = pivot_on(observed, costs, spec.demand.params.choice_scale)
    total = np.add.reduce([observed[mode] for mode in MODES])
    return ObservedTrips(_grown(spec, network.zones, zones, total), pivot, no_room)


def _costs(
    spec: ScenarioSpec, network: Network, observed: dict[str, Array]
) -> tuple[dict[str, Array], float]:
    """Return what each mode cost when it was observed, ``[zone, zone], s``, and who had no room."""
    demand, zones, road = spec.demand.params, network.zones, network.road
    assert zones is not None
    trucks = truck_traffic(network, zones, demand)
    road = road if trucks is None else trucks.on(road)
    lines = network.transit
    traffic = BusTimes.of(road, lines, spec.transit) if lines is not None else None
    road = traffic.road if traffic is not None else road
    distance, no_room = street_distance(road, zones), 0.0
    skims = None
    if lines is not None:
        skims = skim_transit(lines, zones, spec.transit, seconds_per_cny=demand.seconds_per_cny)
    free = other_costs(zones, distance, skims, demand)
    free["car"] = zone_costs(road, road.free_flow_time, zones.centroid, network.turns)
    taken = carried(observed, {mode: np.isfinite(cost) for mode, cost in free.items()})
    inside = np.eye(zones.n_zones, dtype=bool)
    between = np.where(inside, 0.0, taken["car"]) / demand.car_occupancy
    found = assign_bushes(
        road, zones, between, params=BushParams(min(_GAP, spec.assignment.relative_gap)),
        toll_factor=toll_factor(demand), distance_factor=distance_factor(demand),
        turns=network.turns,
    )  # fmt: skip
    drive = zone_costs(road, found.link_cost, zones.centroid, network.turns)
    buses = None
    if lines is not None:
        if traffic is not None:
            lines = lines.replace(run_time=traffic.run_time(found.link_time))
        skims = skim_transit(lines, zones, spec.transit, seconds_per_cny=demand.seconds_per_cny)
        buses = skim_buses(lines, zones, spec.transit, demand)
        if spec.transit.crowding != "off":
            full = CrowdedTransit(
                lines, zones, spec.transit, seconds_per_cny=demand.seconds_per_cny
            ).assign(taken["transit"], relative_gap=min(_GAP, spec.assignment.transit_gap))
            skims, no_room = full.skims.with_tickets_of(skims), full.given_up_demand
    costs = other_costs(zones, distance, skims, demand, buses)
    own = intrazonal(drive, inside_share(distance))
    costs["car"] = np.where(inside, own, drive) + car_fixed(demand)
    return costs, no_room


def _grown(spec: ScenarioSpec, before: ZoneSystem, after: ZoneSystem, total: Array) -> Distribution:
    """Return the trips of all modes with the growth of their zones."""
    params = spec.demand.params
    rows, columns = (
        np.divide(b, a, out=np.ones_like(a), where=a > 0.0)
        for a, b in zip(
            *(generate(z.population, z.jobs, params, z.trip_share) for z in (before, after)),
            strict=True,
        )
    )
    if (rows == 1.0).all() and (columns == 1.0).all():
        nobody = np.zeros(len(total))
        return Distribution(total, 0, 0.0, True, nobody)
    found = gravity(total.sum(axis=1) * rows, total.sum(axis=0) * columns, total)
    if not found.converged and found.residual > 1e-6:
        raise ScenarioError.of(
            "demand.observed", f"a trip matrix off its grown totals by {found.residual:.1e} of all "
            "trips", "at most 1e-6", "look for zones with trips to few others",
        )  # fmt: skip
    return found
