"""Trucks of a scenario: on the road before the cars, which they delay.

Rule. Trucks take the least-cost ways of empty roads, by their own value of time, tolls and cost of
a kilometre; they are flow in the background of the equilibrium, in passenger-car equivalents.
Cars give way to them and they to nobody: what congestion would make trucks change is not modelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.road_demand import split_demand
from cczsim.assignment.road_run import RoadRun
from cczsim.columns import Array
from cczsim.demand.distribution import Distribution
from cczsim.demand.params import DemandParams
from cczsim.demand.trucks import truck_trips
from cczsim.network.network import Network
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.result import LedgerRow


@dataclass(frozen=True)
class TruckTraffic:
    """Trucks and where they drive.

    Parameters
    ----------
    distribution : Distribution
        Vehicles/h.
    link_flow : array [link], vehicles/h
    pce : float
    lost : float
        Vehicles/h without a way.
    """

    distribution: Distribution
    link_flow: Array
    pce: float
    lost: float

    def on(self, road: RoadNetwork) -> RoadNetwork:
        """Return the roads with the trucks in their background."""
        return road.replace(background=road.background + self.pce * self.link_flow)


def truck_traffic(network: Network, zones: ZoneSystem, params: DemandParams) -> TruckTraffic | None:
    """Return the trucks of a network; None where ``params`` ask for none.

    Parameters
    ----------
    network : Network
    zones : ZoneSystem
        With the jobs of the year.
    """
    if not params.truck_rate > 0.0:
        return None
    seconds_per_cny = 3600.0 / params.truck_value_of_time
    run = RoadRun(
        network.road, zones, seconds_per_cny, params.truck_cost * seconds_per_cny,
        turns=network.turns,
    )  # fmt: skip
    found = truck_trips(zones, run.trees.od_cost, params)
    if found is None:
        return None
    parts = split_demand(found.trips, run.trees.od_cost)
    flow = run.graph.on_links(run.loader.load(run.trees, parts.assigned))
    lost = parts.lost + float(found.stranded.sum())
    return TruckTraffic(found, np.asarray(flow), params.truck_pce, lost)


def truck_ledger(trucks: TruckTraffic | None) -> tuple[LedgerRow, ...]:
    """Return the account of trucks, vehicles/h."""
    if trucks is None:
        return ()
    whole = float(trucks.distribution.trips.sum()) + float(trucks.distribution.stranded.sum())
    return (
        LedgerRow("trucks", "assigned", whole - trucks.lost, "vehicles, before the cars"),
        LedgerRow("trucks", "unreachable", trucks.lost, ""),
    )


def with_trucks(network: Network, trucks: TruckTraffic | None) -> Network:
    """Return the network with trucks on its roads."""
    return network if trucks is None else network.replace(road=trucks.on(network.road))
