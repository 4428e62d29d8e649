"""The bushes of all origins: planted as trees, widened and shifted, summed to link flows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cczsim.assignment.car_demand import CarDemand
from cczsim.assignment.cost import LinkCost
from cczsim.columns import Array
from cczsim.kernels.bush import plant, settle_all
from cczsim.kernels.bush_equalise import equalise
from cczsim.kernels.bush_widen import improve
from cczsim.kernels.shortest_path import grow_tree
from cczsim.kernels.types import N_BLOCKS, ForwardStar
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

ROUNDS = 20
"""Rounds of shifts over all bushes between two widenings, at most."""


class Vdf(NamedTuple):
    """Link costs as kernels take them: ``constant + factor x flow ** beta``, by link of the star.

    ``least`` is the flow below which the derivative is not taken where beta is below 1.
    """

    constant: Array
    factor: Array
    beta: Array
    least: Array


class LinkState(NamedTuple):
    """Flow (pce/h), cost (s) and slope of cost (s h/pce) of each link of the star."""

    flow: Array
    cost: Array
    slope: Array


class Choice(NamedTuple):
    """What cars compete with: see :class:`~cczsim.assignment.car_demand.CarDemand`.

    ``total`` (pce/h) is 0 where there is no choice; both matrices are empty where demand is fixed.
    """

    total: Array
    log_other: Array
    scale: float
    fixed: float


def kernel_choice(demand: CarDemand | None) -> Choice:
    """Return the view of a car demand that kernels take."""
    if demand is None:
        none = np.zeros((0, 0))
        return Choice(none, none, 1.0, 0.0)
    total, log_other = np.zeros(demand.elastic.shape), np.zeros(demand.elastic.shape)
    total[demand.elastic] = demand.persons / demand.occupancy
    log_other[demand.elastic] = demand.log_other
    return Choice(total, log_other, demand.scale, demand.car_fixed)


class BushWork(NamedTuple):
    """Scratch space of one bush at a time."""

    low: Array
    high: Array
    short: Array
    long: Array
    place: Array
    stamp: Array
    first: Array
    waiting: Array
    rank: Array
    queue: Array
    out: Array
    new_link: Array
    new_flow: Array
    pred: Array
    order: Array
    least: Array
    heap: Array
    keys: Array


def bush_work(n_nodes: int, n_links: int) -> BushWork:
    """Return scratch space for bushes of a network."""
    nodes = [np.zeros(n_nodes, dtype=np.int32) for _ in range(8)]
    return BushWork(
        low=np.zeros(n_nodes),
        high=np.zeros(n_nodes),
        short=nodes[0],
        long=nodes[1],
        place=nodes[2],
        stamp=np.zeros(n_links + 1, dtype=np.int32),
        first=np.zeros(n_nodes + 1, dtype=np.int32),
        waiting=nodes[3],
        rank=nodes[4],
        queue=nodes[5],
        out=np.zeros(n_links, dtype=np.int32),
        new_link=np.zeros(n_links, dtype=np.int32),
        new_flow=np.zeros(n_links),
        pred=nodes[6],
        order=nodes[7],
        least=np.zeros(n_nodes),
        heap=np.zeros((2, n_nodes), dtype=np.int32),
        keys=np.zeros(n_nodes),
    )


def star_vdf(road: RoadNetwork, star: ForwardStar, model: LinkCost) -> Vdf:
    """Return the costs of a road network's links in the order of its star."""
    factor = road.free_flow_time * road.alpha / road.capacity**road.beta
    flat = road.beta == 0.0
    constant = road.free_flow_time + model.fixed + np.where(flat, factor, 0.0)
    return Vdf(
        constant=constant[star.link],
        factor=np.where(flat, 0.0, factor)[star.link],
        beta=np.where(flat, 1.0, road.beta)[star.link],
        least=1e-6 * road.capacity[star.link],
    )


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
        self._origins = star.rank[np.asarray(zones.centroid)]
        self.demand = np.array(demand)
        self._choice = kernel_choice(car_demand)
        self._vdf = star_vdf(road, star, model)
        n_zones, n_nodes, n_links = zones.n_zones, road.n_nodes, road.n_links
        room = min(n_links, int(1.5 * n_nodes) + 64)
        self._link = np.zeros((n_zones, room), dtype=np.int32)
        self._flow = np.zeros((n_zones, room))
        self._size = np.zeros(n_zones, dtype=np.int32)
        self._block_flow = np.empty((N_BLOCKS, n_links))
        self._work = bush_work(n_nodes, n_links)
        self._state = LinkState(np.zeros(n_links), np.zeros(n_links), np.zeros(n_links))
        self._model = model
        self._plant(model.cost(np.zeros(n_links)))

    def _plant(self, cost: Array) -> None:
        star = self._star
        n_nodes = len(star.first_out) - 1
        pred, order = np.empty(n_nodes, np.int32), np.empty(n_nodes, np.int32)
        low, work, keys = np.empty(n_nodes), np.empty((2, n_nodes), np.int32), np.empty(n_nodes)
        by_star = cost[star.link]
        for zone, origin in enumerate(self._origins):
            if self.demand[zone].any():
                reached = grow_tree(star, by_star, origin, pred, order, low, work, keys)
                self._size[zone] = plant(origin, pred, order, reached, self._link[zone])

    def link_flow(self) -> Array:
        """Return what all bushes carry together, ``[link], pce/h``, and take it as their state."""
        settle_all(
            self._star, self._origins, self.demand, self._size, self._link, self._flow,
            self._block_flow,
        )  # fmt: skip
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
        share = max(0.01 * gap, 0.1 * wanted)
        room = self._link.shape[1]
        if self._size.max(initial=0) >= room and room < len(self._star.link):
            more = min(len(self._star.link), int(1.3 * room)) - room
            self._link = np.pad(self._link, ((0, 0), (0, more)))
            self._flow = np.pad(self._flow, ((0, 0), (0, more)))
        improve(
            self._star, self._state, self._origins, self.demand, self._size, self._link,
            self._flow, od_cost, self._work, share,
        )  # fmt: skip
        equalise(
            self._star, self._vdf, self._state, self._choice, self._origins, self.demand,
            self._size, self._link, self._flow, self._work, ROUNDS, share,
        )  # fmt: skip
