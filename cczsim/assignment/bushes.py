"""The bushes of all origins: grown to what they use, shifted, summed to link flows."""

from __future__ import annotations

import numba
import numpy as np

from cczsim.assignment.car_demand import CarDemand
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.hierarchy import build_hierarchy
from cczsim.assignment.shortest import TreeLoader
from cczsim.columns import Array
from cczsim.kernels.bush import Labels, Rows, settle_all
from cczsim.kernels.bush_equalise import Choice, label_all, shift_all
from cczsim.kernels.bush_grow import Approach, GrowWork, regrow_all
from cczsim.kernels.hierarchy import N_LANES, NONE, Hierarchy
from cczsim.kernels.types import N_BLOCKS, ForwardStar
from cczsim.kernels.vdf import LinkState, Vdf
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

ROUNDS = 20
"""Rounds of shifts over all bushes between two widenings, at most."""


def kernel_choice(demand: CarDemand | None) -> Choice:
    """Return the view of a car demand that kernels take."""
    if demand is None:
        none = np.zeros((0, 0))
        return Choice(none, none, 1.0, 0.0)
    total, log_other = np.zeros(demand.elastic.shape), np.zeros(demand.elastic.shape)
    total[demand.elastic] = demand.persons / demand.occupancy
    log_other[demand.elastic] = demand.log_other
    return Choice(total, log_other, demand.scale, demand.car_fixed)


def star_vdf(road: RoadNetwork, star: ForwardStar, model: LinkCost) -> Vdf:
    """Return the costs of a road network's links in the order of its star."""
    none = np.zeros(0, dtype=np.int32)
    factor = road.free_flow_time * road.alpha / road.capacity**road.beta
    return Vdf(
        kind=np.zeros(road.n_links, dtype=np.int8),
        factor=factor[star.link],
        alpha=road.alpha[star.link],
        beta=road.beta[star.link],
        free=road.free_flow_time[star.link],
        capacity=road.capacity[star.link],
        background=np.zeros(road.n_links),
        fixed=(road.free_flow_time + model.fixed)[star.link],
        physical=none,
        twin_first=none,
        twin=none,
    )


def approach(road: RoadNetwork, star: ForwardStar, net: Hierarchy, zones: ZoneSystem) -> Approach:
    """Return the links into each node of a star, and the node's place in a hierarchy."""
    arc = np.argsort(star.head, kind="stable").astype(np.int32)
    first = np.zeros(road.n_nodes + 1, dtype=np.int32)
    np.cumsum(np.bincount(star.head, minlength=road.n_nodes), out=first[1:])
    place = np.full(road.n_nodes, NONE, dtype=np.int32)
    place[star.rank[np.flatnonzero(road.node_through)]] = net.node_place[net.rank]
    return Approach(first, arc, star.tail[arc], place, star.rank[np.asarray(zones.centroid)])


def grow_work(n_workers: int, n_places: int, n_nodes: int, n_links: int) -> GrowWork:
    """Return scratch space for so many workers; what is not used takes no memory."""

    def ints(*shape: int) -> Array:
        return np.empty((n_workers, *shape), dtype=np.int32)

    return GrowWork(
        label=np.empty((n_workers, n_places, N_LANES)), above=ints(n_places, N_LANES),
        dist=np.empty((n_workers, N_LANES, n_nodes)), old=ints(n_nodes), way=ints(n_nodes),
        seat=ints(n_nodes), anchor=ints(n_nodes), node=ints(n_nodes + 1),
        low=np.empty((n_workers, n_nodes + 1)), high=np.empty((n_workers, n_nodes + 1)),
        moved=ints(n_nodes + 1), enter=ints(n_nodes + 1), end=ints(n_nodes + 1),
        stack=ints(2 * n_nodes + 2), first=ints(n_nodes + 2), arc=ints(n_links + n_nodes),
        tail=ints(n_links + n_nodes), flow=np.empty((n_workers, n_links + n_nodes)),
    )  # fmt: skip


class Bushes:
    """The bushes of all origins of a network, with what they carry.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    model : LinkCost
    demand : array [zone, zone], pce/h
        0 on the diagonal and where no path leads.
    car_demand : CarDemand, optional
        Where people may leave the car; then ``demand`` is where to start from.
    """

    def __init__(
        self,
        road: RoadNetwork,
        zones: ZoneSystem,
        model: LinkCost,
        demand: Array,
        car_demand: CarDemand | None = None,
    ) -> None:
        self._star = star = forward_star(road)
        self.demand = np.array(demand)
        self._choice = kernel_choice(car_demand)
        self._vdf = star_vdf(road, star, model)
        self._loader = TreeLoader(road, zones.centroid, everywhere=True)
        net = self._loader.net
        self._into = approach(road, star, net, zones)
        n_zones, n_nodes, n_links = zones.n_zones, road.n_nodes, road.n_links
        self._goes = self.demand > 0.0
        if car_demand is not None:
            self._goes = self._goes | (self._choice.total > 0.0)
        self._rows = Rows(
            size=np.zeros(n_zones, dtype=np.int32),
            first=np.zeros((n_zones, 2), dtype=np.int32),
            arc=np.zeros((n_zones, 1), dtype=np.int32),
            tail=np.zeros((n_zones, 1), dtype=np.int32),
            flow=np.zeros((n_zones, 1)),
            at=np.full((n_zones, n_zones), NONE, dtype=np.int32),
        )
        self._block_flow = np.empty((N_BLOCKS, n_links))
        self._n_workers = max(1, min(numba.get_num_threads(), len(net.batch_zone)))
        self._work = grow_work(self._n_workers, len(net.place_node), n_nodes, n_links)
        self._state = LinkState(np.zeros(n_links), np.zeros(n_links), np.zeros(n_links))
        self._model = model
        self._labels: Labels | None = None
        self._regrow(model.cost(np.zeros(n_links)))

    def _regrow(self, cost: Array, slack: float = 0.0) -> None:
        """Let all bushes drop what they do not use, and gain least-cost ways at ``cost [link]``."""
        link_cost = self._loader.customise(cost)
        room = np.zeros((self._n_workers, 2), dtype=np.int32)
        while True:
            regrow_all(
                self._star, self._into, self._loader.net, self._loader.metric, link_cost,
                link_cost[self._star.link[self._into.arc]], self._state.cost, self._goes,
                self.demand.sum(axis=1), slack, self._rows, 0, 0, self._n_workers, self._work, room,
            )  # fmt: skip
            if not room.any():
                return
            self._make_room(*room.max(axis=0))

    def _make_room(self, positions: int, arcs: int) -> None:
        rows = self._rows
        positions = max(int(1.1 * positions), rows.first.shape[1])
        arcs = max(int(1.2 * arcs), rows.arc.shape[1])

        def wider(array: Array, width: int) -> Array:
            new = np.zeros((len(array), width), dtype=array.dtype)
            new[:, : array.shape[1]] = array
            return new

        self._rows = rows._replace(
            first=wider(rows.first, positions), arc=wider(rows.arc, arcs),
            tail=wider(rows.tail, arcs), flow=wider(rows.flow, arcs),
        )  # fmt: skip
        n_bushes, n_zones = self.demand.shape
        shape = (n_bushes, positions)
        self._labels = Labels(
            low=np.empty((self._n_workers, positions)),
            high=np.empty((self._n_workers, positions)),
            short=np.empty(shape, dtype=np.int32),
            long=np.empty(shape, dtype=np.int32),
            merge=np.empty(shape, dtype=np.int32),
            n_merges=np.zeros(n_bushes, dtype=np.int32),
            excess=np.zeros(n_bushes),
            to_zone=np.zeros((n_bushes, n_zones) if len(self._choice.total) else (0, 0)),
        )

    def link_flow(self) -> Array:
        """Return what all bushes carry together, ``[link], pce/h``, and take it as their state."""
        settle_all(self._rows, self.demand, self._block_flow)
        total = self._block_flow.sum(axis=0)
        flow = np.empty(len(total))
        flow[self._star.link] = total
        self._state.flow[:] = total
        self._state.cost[:] = self._model.cost(flow)[self._star.link]
        self._state.slope[:] = self._model.derivative(flow)[self._star.link]
        return flow

    def improve(self, od_cost: Array, gap: float, wanted: float) -> None:
        """Widen and shift all bushes.

        Parameters
        ----------
        od_cost : array [zone, zone], s
            Least costs on the whole network.
        gap, wanted : float
            Relative gap now, and at the end: a bush is left when its own gap is well below both.
        """
        share = max(SH * gap, 0.1 * wanted)
        cost = np.empty(len(self._star.link))
        cost[self._star.link] = self._state.cost
        self._regrow(cost, SLACK * gap)
        spent = np.where(self.demand > 0.0, self.demand * np.where(self.demand > 0.0, od_cost, 0.0), 0.0).sum(axis=1)
        all_spent = float(spent.sum())
        elastic = len(self._choice.total) > 0
        for done in range(ROUNDS):
            if done % EVERY == 0:
                left = self._rows.size > 0
            label_all(
                self._rows, self._state.cost, spent, LITTLE * share, left, elastic,
                self._n_workers, self._labels,
            )  # fmt: skip
            excess = shift_all(
                self._rows, self._vdf, self._state, self._choice, self.demand, spent, share,
                self._labels, left,
            )  # fmt: skip
            if done % EVERY == 0 and excess <= ENOUGH * gap * all_spent and not elastic:
                break


ENOUGH = 0.1
LITTLE = 0.01
EVERY = 4
SH = 0.01
SLACK = 1e-3
