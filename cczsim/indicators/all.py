"""Every indicator of a finished equilibrium, in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.result import ModeEquilibrium
from cczsim.assignment.shortest import zone_costs
from cczsim.columns import Array
from cczsim.demand.params import DemandParams
from cczsim.errors import IndicatorError
from cczsim.indicators.accessibility import access_indicators
from cczsim.indicators.conventions import CONVENTIONS, Convention
from cczsim.indicators.density import road_density, zone_density
from cczsim.indicators.energy import energy_indicators
from cczsim.indicators.flows import road_indicators
from cczsim.indicators.indicator import Indicator
from cczsim.indicators.park_ride import lot_indicators
from cczsim.indicators.transit import transit_indicators
from cczsim.indicators.travel import travel_indicators
from cczsim.network.network import Network


def door_to_door(
    network: Network, equilibrium: ModeEquilibrium, demand: DemandParams
) -> dict[str, Array]:
    """Return times by car and transit at the final flows, ``[zone, zone], s``.

    By car: the quickest way and the time to and from the parked car. Within a zone: nothing by
    car beside that, and no transit.
    """
    zones = network.zones
    assert zones is not None
    drive = zone_costs(network.road, equilibrium.road.link_time, zones.centroid, network.turns)
    times = {"car": drive + demand.car_terminal_time}
    if equilibrium.transit is not None:
        ride = np.array(equilibrium.transit.skims.total)
        np.fill_diagonal(ride, np.inf)
        times["transit"] = ride
    return times


@dataclass(frozen=True, eq=False)
class StreetFigures:
    """What hangs on where streets lie alone, and is the same whatever travels on them.

    Parameters
    ----------
    indicators : tuple of Indicator
    density : array [zone], km/km2
    """

    indicators: tuple[Indicator, ...]
    density: Array


def street_figures(network: Network, convention: Convention | None = None) -> StreetFigures:
    """Return the densities of a network; ``convention`` is that of the figures by zone."""
    return StreetFigures(
        tuple(road_density(network)),
        zone_density(network, convention or CONVENTIONS["cn-urban"]),
    )


def all_indicators(
    network: Network,
    equilibrium: ModeEquilibrium,
    *,
    demand: DemandParams | None = None,
    convention: Convention | None = None,
    streets: StreetFigures | None = None,
) -> tuple[tuple[Indicator, ...], dict[str, Array]]:
    """Return all figures of a result.

    Parameters
    ----------
    network : Network
        With zones.
    equilibrium : ModeEquilibrium
    demand : DemandParams, optional
    convention : Convention, optional
        Of the densities in the figures by zone.
    streets : StreetFigures, optional
        From :func:`street_figures`, if they are known already.

    Returns
    -------
    indicators : tuple of Indicator
    by_zone : dict of str to array [zone]
        For maps: ``density`` (km/km2), ``jobs_45_transit`` (jobs), ``airport_car`` (min), …

    Raises
    ------
    IndicatorError
        The network has no zones.
    """
    if network.zones is None:
        raise IndicatorError.of(network.info.name, "no zones", "a network with zones")
    streets = streets or street_figures(network, convention)
    times = door_to_door(network, equilibrium, demand or DemandParams())
    access, by_zone = access_indicators(network, times)
    lines: list[Indicator] = []
    if network.transit is not None and equilibrium.transit is not None:
        lines = transit_indicators(network.transit, equilibrium.transit)
    found = (
        *streets.indicators,
        *road_indicators(network, equilibrium.road),
        *travel_indicators(network, equilibrium, times),
        *lines,
        *(lot_indicators(equilibrium.lots) if equilibrium.lots is not None else ()),
        *access,
        *energy_indicators(network, equilibrium.road),
    )
    by_zone["density"] = streets.density
    return found, by_zone
