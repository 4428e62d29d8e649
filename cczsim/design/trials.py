"""Streets tested on traffic: a network with them, and its user equilibrium for a demand of cars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.result import RoadAssignment
from cczsim.assignment.shortest import zone_costs
from cczsim.columns import Array
from cczsim.design.costs import StreetType
from cczsim.design.propose import Proposal
from cczsim.errors import ScenarioError
from cczsim.network.geometry import unproject
from cczsim.network.network import Network
from cczsim.network.street_line import StreetLine
from cczsim.scenario.new_streets import add_to, lane_capacity

GAP = 1e-6
_LIMIT = 500


class Trials:
    """Tests streets on a network with a fixed demand of cars.

    Parameters
    ----------
    network : Network
        With zones.
    demand : array [zone, zone], pce/h
    street : StreetType
    crs : str
        Projection of the streets' ends.
    toll_factor, distance_factor : float
        See :func:`~cczsim.assignment.algorithms.solve`.

    Raises
    ------
    ScenarioError
        The network has no zones.
    """

    def __init__(
        self, network: Network, demand: Array, street: StreetType, crs: str,
        toll_factor: float = 0.0, distance_factor: float = 0.0, gap: float = GAP,
    ) -> None:  # fmt: skip
        if network.zones is None:
            raise ScenarioError.of("--choose benefit", "a network without zones", "zones")
        self.network, self.street, self.crs = network, street, crs
        self.zones = network.zones
        self.demand = np.array(demand, dtype=float)
        np.fill_diagonal(self.demand, 0.0)
        self.factors = {"toll_factor": toll_factor, "distance_factor": distance_factor}
        self.params = BushParams(gap, _LIMIT)
        self.runs = 0

    def with_streets(self, streets: Sequence[Proposal]) -> Network:
        """Return the network with streets."""
        return add_proposals(self.network, streets, self.street, self.crs)

    def equilibrium(self, network: Network, start: BushStart | None = None) -> RoadAssignment:
        """Return the user equilibrium of the demand, sought from that of a network like it."""
        self.runs += 1
        return assign_bushes(
            network.road, self.zones, self.demand, params=self.params,
            toll_factor=self.factors["toll_factor"],
            distance_factor=self.factors["distance_factor"], turns=network.turns,
            start=start,
            keep_bushes=True,
        )  # fmt: skip

    def estimate(self, streets: Sequence[Proposal], flow: RoadAssignment, start: Network) -> float:
        """Return what all trips would save at the present costs of ``start``, pce h/h."""
        changed = add_proposals(start, streets, self.street, self.crs)
        before = zone_costs(start.road, flow.link_cost, self.zones.centroid, start.turns)
        after = zone_costs(
            changed.road, _costs_after(start, changed, flow.link_cost, self.factors),
            self.zones.centroid, changed.turns,
        )  # fmt: skip
        saved = np.where(np.isfinite(before) & np.isfinite(after), before - after, 0.0)
        return float((np.maximum(saved, 0.0) * self.demand).sum()) / 3600


def add_proposals(
    network: Network, streets: Sequence[Proposal], street: StreetType, crs: str
) -> Network:
    """Return a network with proposed streets."""
    if not streets:
        return network
    capacity = street.lanes * lane_capacity(network.road, street.road_class)
    groups: dict[str, list[StreetLine]] = {"ground": [], "bridge": []}
    ends = np.array([(s.a, s.b) for s in streets])
    lon, lat = unproject(ends[:, :, 0], ends[:, :, 1], crs)
    for k, one in enumerate(streets):
        groups[one.structure].append(
            StreetLine(
                lon=lon[k], lat=lat[k], road_class=street.road_class, lanes=street.lanes,
                speed=street.speed, capacity=capacity, structure=one.structure,
            )
        )  # fmt: skip
    network = add_to(network, groups["ground"], "join", stated=False)[0]
    return add_to(network, groups["bridge"], "over", stated=False)[0]


def vehicle_hours(network: Network, found: RoadAssignment) -> float:
    """Return the time that all vehicles spend on streets, pce h/h, as the indicator has it."""
    street = network.road.is_street
    return float((found.link_flow * found.link_time)[street].sum()) / 3600


def _costs_after(start: Network, changed: Network, cost: Array, factors: dict[str, float]) -> Array:
    """Return costs of links after streets were added: old ones keep theirs, by their length."""
    old, new = start.road, changed.road
    free = (
        new.free_flow_time
        + factors["toll_factor"] * new.toll
        + factors["distance_factor"] * new.length
    )
    out = np.array(free)
    n = old.n_links
    share = np.divide(new.length[:n], old.length, out=np.ones(n), where=old.length > 0.0)
    out[:n] = cost * share
    # Later pieces of a link that was split: as congested as its first piece, told by its way and
    # name; where that is not known they stay at free flow, which only makes an estimate hopeful.
    for row in np.flatnonzero(share < 1.0 - 1e-9):
        slow = cost[row] / max(old.free_flow_time[row], 1e-9)
        node, seen = int(new.head[row]), 0
        while node != old.head[row] and seen < 64:
            ahead = np.flatnonzero(
                (new.tail[n:] == node)
                & (new.road_class[n:] == old.road_class[row])
                & (new.capacity[n:] == old.capacity[row])
                & (new.name[n:] == old.name[row])
            )
            if len(ahead) != 1:
                break
            piece = n + int(ahead[0])
            out[piece] = slow * new.free_flow_time[piece]
            node, seen = int(new.head[piece]), seen + 1
    return out
