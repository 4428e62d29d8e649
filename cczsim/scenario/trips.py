"""Where people travel in the modelled hour: generation and distribution of a scenario.

Rule. The pull between two zones comes from the network *before* the scenario's changes, at
free-flow costs: the expected least generalised cost over car, transit and active modes. So all
scenarios on one network share their pattern of destinations, growth moves its totals, and what a
change of roads or rails does is told by mode, route and time alone; the comparison says so. With
``demand.destination_choice = "equilibrium"`` the pull comes from the costs that the trips cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.cost import LinkCost
from cczsim.assignment.equilibrium import Destinations
from cczsim.assignment.mode_costs import (
    distance_factor,
    inside_share,
    other_costs,
    street_distance,
    toll_factor,
)
from cczsim.assignment.rail_or_bus import skim_buses
from cczsim.assignment.result import ModeEquilibrium, TransitSkims
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.distribution import Distribution, by_origins, deterrence, gravity
from cczsim.demand.generation import generate
from cczsim.demand.mode_choice import PARK_RIDE, car_fixed, composite, intrazonal
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError, ScenarioError
from cczsim.network.network import Network
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.spec import ScenarioSpec

_BALANCED: float = 1e-6


@dataclass(frozen=True, eq=False)
class EmptyRoads:
    """What trips cost on empty roads.

    Parameters
    ----------
    cost : array [zone, zone], s
        That destinations are chosen by: the expected least cost over modes.
    skims : TransitSkims, optional
        Of strategies over all lines.
    """

    cost: Array
    skims: TransitSkims | None


def pull_costs(network: Network, demand: DemandParams, transit: TransitParams) -> Array:
    """Return the free-flow cost that destinations are chosen by, ``[zone, zone], s``."""
    return empty_roads(network, demand, transit).cost


def empty_roads(network: Network, demand: DemandParams, transit: TransitParams) -> EmptyRoads:
    """Return what trips cost on empty roads.

    Raises
    ------
    DemandError
        The network has no zones.
    """
    zones, road = network.zones, network.road
    if zones is None:
        raise DemandError.of(network.info.name, "no zones", "a network with zones")
    model = LinkCost(road, toll_factor(demand), distance_factor(demand))
    drive = zone_costs(road, model.cost(np.zeros(road.n_links)), zones.centroid, network.turns)
    skims = buses = None
    if network.transit is not None:
        buses = skim_buses(network.transit, zones, transit, demand)
        skims = skim_transit(
            network.transit, zones, transit, seconds_per_cny=demand.seconds_per_cny
        )
    cost = least_costs(zones, street_distance(road, zones), drive, (skims, buses), demand)
    return EmptyRoads(cost, skims)


def destination_rule(
    zones: ZoneSystem, demand: DemandParams, factors: Array | None
) -> Destinations | None:
    """Return what makes trips anew from costs; None where destinations are fixed."""
    if demand.destination_choice != "equilibrium":
        return None
    return lambda cost: make_trips(zones, cost, demand, factors=factors).trips


def costs_now(network: Network, equilibrium: ModeEquilibrium, demand: DemandParams) -> Array:
    """Return the costs that destinations are chosen by at an equilibrium, ``[zone, zone], s``."""
    zones, lines = network.zones, equilibrium.transit
    assert zones is not None
    skims = lines.skims if lines is not None else None
    distance = street_distance(network.road, zones)
    lots = equilibrium.lots
    beside = {} if lots is None else {PARK_RIDE: lots.cost}
    return least_costs(
        zones, distance, equilibrium.car_time, (skims, equilibrium.buses), demand, beside
    )


def least_costs(
    zones: ZoneSystem,
    distance: Array,
    drive: Array,
    skims: tuple[TransitSkims | None, TransitSkims | None],
    demand: DemandParams,
    beside: Mapping[str, Array] | None = None,
) -> Array:
    """Return expected least costs over modes, ``[zone, zone], s``.

    Parameters
    ----------
    distance : array [zone, zone], m
    drive : array [zone, zone], s
    skims : tuple of TransitSkims
        Of all lines, and of buses alone where they are told apart.
    beside : mapping of str to array [zone, zone], s, optional
        Costs of further modes.
    """
    costs = other_costs(zones, distance, skims[0], demand, skims[1])
    costs["car"] = intrazonal(drive, inside_share(distance)) + car_fixed(demand)
    return composite({**costs, **(beside or {})}, demand.choice_scale)


def length_factors(spec: ScenarioSpec, network: Network) -> Array | None:
    """Return the factors of pull by distance along streets, where the scenario has any.

    Raises
    ------
    ScenarioError
        The file that it names was not read.
    """
    bands, zones = spec.demand.length_bands, network.zones
    if spec.demand.length_factors is None or zones is None:
        return None
    if bands is None:
        raise ScenarioError.of(
            "demand.length_factors", "a file that nobody read", "a scenario read from its file"
        )
    return np.asarray(bands.factors(street_distance(network.road, zones)))


def pull(
    zones: ZoneSystem, cost: Array, demand: DemandParams, factors: Array | None = None
) -> Array:
    """Return what draws trips from zone to zone beside its jobs and residents, ``[zone, zone]``."""
    found = deterrence(cost, demand.distance_decay, demand.decay_power)
    if factors is not None:
        found = found * factors
    # Trips that stay at a gate cross no cordon, and are none of the model's.
    np.fill_diagonal(found, np.where(zones.inside, np.diagonal(found), 0.0))
    return found


def make_trips(
    zones: ZoneSystem,
    cost: Array,
    demand: DemandParams,
    tolerance: float = 1e-9,
    factors: Array | None = None,
) -> Distribution:
    """Return the person trips of the modelled hour.

    Parameters
    ----------
    zones : ZoneSystem
        With the residents and jobs of the scenario's year.
    cost : array [zone, zone], s
        From :func:`pull_costs`.
    tolerance : float
        Residual at which balancing stops.
    factors : array [zone, zone], optional
        What pull is multiplied with beside.

    Raises
    ------
    DemandError
        Nobody lives anywhere, or the matrix cannot be balanced.
    """
    production, attraction = generate(zones.population, zones.jobs, demand, zones.trip_share)
    drawn = pull(zones, cost, demand, factors)
    if demand.constraint == "origins":
        return _with_returns(by_origins(production, attraction, drawn), demand)
    found = gravity(production, attraction, drawn, tolerance=tolerance)
    if not found.converged and found.residual > _BALANCED:
        raise DemandError.of(
            "demand", f"a trip matrix off its totals by {found.residual:.1e} of all trips",
            f"at most {_BALANCED:.0e}", "look for zones that can hardly be reached",
        )  # fmt: skip
    return _with_returns(found, demand)


def _with_returns(found: Distribution, demand: DemandParams) -> Distribution:
    """Return trips of which a share goes the other way."""
    back = demand.return_share
    if not back:
        return found
    return replace(found, trips=(1.0 - back) * found.trips + back * found.trips.T)
