"""Where people travel in the modelled hour: generation and distribution of a scenario.

Rule. The pull between two zones comes from the network *before* the scenario's changes, at
free-flow costs: the expected least generalised cost over car, transit and active modes. So all
scenarios on one network share their pattern of destinations, growth moves its totals, and what a
change of roads or rails does is told by mode, route and time alone. New destinations that a change
would bring within reach are not modelled, and the comparison says so.
"""

from __future__ import annotations

import numpy as np

from cczsim.assignment.cost import LinkCost
from cczsim.assignment.equilibrium import (
    distance_factor,
    inside_share,
    other_costs,
    street_distance,
    toll_factor,
)
from cczsim.assignment.rail_or_bus import skim_buses
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.distribution import Distribution, deterrence, gravity
from cczsim.demand.generation import generate
from cczsim.demand.mode_choice import car_fixed, composite, intrazonal
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError
from cczsim.network.network import Network
from cczsim.network.zones import ZoneSystem

_BALANCED: float = 1e-6


def pull_costs(network: Network, demand: DemandParams, transit: TransitParams) -> Array:
    """Return the free-flow cost that destinations are chosen by, ``[zone, zone], s``.

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
    distance = street_distance(road, zones)
    costs = other_costs(zones, distance, skims, demand, buses)
    costs["car"] = intrazonal(drive, inside_share(distance)) + car_fixed(demand)
    return composite(costs, demand.choice_scale)


def make_trips(
    zones: ZoneSystem, cost: Array, demand: DemandParams, tolerance: float = 1e-9
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

    Raises
    ------
    DemandError
        Nobody lives anywhere, or the matrix cannot be balanced.
    """
    production, attraction = generate(zones.population, zones.jobs, demand, zones.trip_share)
    pull = deterrence(cost, demand.distance_decay, demand.decay_power)
    # Trips that stay at a gate cross no cordon, and are none of the model's.
    np.fill_diagonal(pull, np.where(zones.inside, np.diagonal(pull), 0.0))
    found = gravity(production, attraction, pull, tolerance=tolerance)
    if not found.converged and found.residual > _BALANCED:
        raise DemandError.of(
            "demand", f"a trip matrix off its totals by {found.residual:.1e} of all trips",
            f"at most {_BALANCED:.0e}", "look for zones that can hardly be reached",
        )  # fmt: skip
    return found
