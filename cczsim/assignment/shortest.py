"""Least costs between zones, and demand loaded on least-cost paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from cczsim.assignment.hierarchy import build_hierarchy
from cczsim.assignment.search_graph import SearchGraph
from cczsim.columns import Array
from cczsim.kernels.customisation import customise
from cczsim.kernels.hierarchy import N_LANES, N_SUMS, Metric, unpack
from cczsim.kernels.hierarchy_sweep import load, skim
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns

_LEAST_COST = 2.0**-46
"""Demand is loaded at link costs of at least this share of the largest cost between zones.

Links that cost nothing may close circles, and a path round a circle costs no more than one past
it. The share is 64 times the rounding of that cost, so that rounding hides no circle.
"""
_LINKS_OF_A_PATH = 1000.0
"""No path costs more than so many of the costliest link, where nobody knows what trips cost."""

_TRIANGLES = 65536
"""So many of a hierarchy's triangles are worth another thread: 0.4 ms of customisation."""


@dataclass(frozen=True)
class Trees:
    """The least-cost trees of all zones, as far as anyone asks for them.

    Parameters
    ----------
    link_cost : array [link], s
        The costs they are least at.
    od_cost : array [zone, zone], s
        inf where no path leads.
    """

    link_cost: Array
    od_cost: Array


class TreeLoader:
    """Grow the trees of a network's zones at given costs, and load demand on them.

    Holds the hierarchy and the work arrays, so that iterations allocate next to nothing.

    Parameters
    ----------
    road : RoadNetwork
    centroids : int array [zone]
        Rows of nodes.
    everywhere : bool
        Whether all nodes are to have labels, not only those that zones need.
    """

    def __init__(self, road: RoadNetwork, centroids: Array, everywhere: bool = False) -> None:
        net = build_hierarchy(road, centroids, everywhere)
        self.net = net
        self._n_links = road.n_links
        self._in_core = np.zeros(road.n_links, dtype=bool)
        self._in_core[net.core_link] = True
        self._load_cost: Array | None = None
        self._largest = 0.0
        self._metric_cost: Array | None = None
        n_arcs, n_places = len(net.head), len(net.place_node)
        n_below = int(np.diff(net.first_up)[net.node_place >= 0].sum())
        n_in = n_below + len(net.sink_link) + n_places
        self.metric = Metric(
            cost=np.empty((n_arcs, 2)),
            via=np.empty((n_arcs, 2)),
            least=np.empty((n_arcs, 2)),
            in_first=np.empty(n_places + 1, dtype=np.int32),
            in_place=np.empty(n_in, dtype=np.int32),
            in_arc=np.empty(n_in, dtype=np.int32),
            in_cost=np.empty(n_in),
            out_first=np.empty(n_places + 1, dtype=np.int32),
            out_place=np.empty(n_below, dtype=np.int32),
            out_tail=np.empty(n_below, dtype=np.int32),
            out_arc=np.empty(n_below, dtype=np.int32),
            out_cost=np.empty(n_below),
        )
        n_blocks = max(1, min(N_SUMS, len(net.batch_zone)))
        n_slots = n_in + n_below + len(net.seed_link) + len(net.direct_link)
        self._block_total = np.empty((n_blocks, n_slots))
        max_threads = numba.config.NUMBA_NUM_THREADS
        self._row = np.empty((max_threads, 4, int(np.diff(net.first_up).max(initial=0))))
        self._arc_flow = np.empty((n_arcs, 2))
        self._od_cost = np.empty((len(net.zone_place), len(net.zone_place)))
        # Room for as many threads as there may ever be; what is not used takes no memory.
        shape = (max_threads, n_places, N_LANES)
        self._label = np.empty(shape)
        self._above = np.empty(shape, dtype=np.int32)
        self._below = np.empty(shape, dtype=np.int32)
        self._flow = np.zeros(shape)

    def _n_workers(self) -> int:
        threads: int = numba.get_num_threads()
        return max(1, min(threads, len(self.net.batch_zone)))

    def grow(self, cost: Array) -> Trees:
        """Return the trees at ``cost [link], s``; they are valid until the next call."""
        link_cost = np.array(cost, dtype=np.float64)
        self._load_cost = None
        self._customise(link_cost)
        self._largest = skim(
            self.net,
            self.metric,
            link_cost,
            self._n_workers(),
            self._label,
            self._above,
            self._od_cost,
        )
        return Trees(link_cost, self._od_cost)

    def customise(self, cost: Array, largest: Callable[[], float] | None = None) -> Array:
        """Customise the metric to ``cost [link], s``, raised so that no circle is free.

        Parameters
        ----------
        cost : array [link], s
        largest : callable, optional
            Returns the most that any trip costs, s; rounding may hide what links of dearer ways
            cost. A link that costs far more would else raise all others to one cost.

        Returns
        -------
        array [link], s
            The costs as raised.
        """
        most = _LINKS_OF_A_PATH * float(cost[np.isfinite(cost)].max(initial=0.0))
        low = self._in_core & (cost < _LEAST_COST * (most or 1.0))
        if largest is not None and low.any():
            most = min(most, largest())
        least = _LEAST_COST * (most or 1.0)
        link_cost = np.where(low & (cost < least), least, cost)
        self._customise(link_cost)
        return link_cost

    def _customise(self, link_cost: Array) -> None:
        if self._metric_cost is None or not np.array_equal(link_cost, self._metric_cost):
            n_workers = min(numba.get_num_threads(), 1 + len(self.net.triangle) // _TRIANGLES)
            customise(self.net, link_cost, self.metric, n_workers, self._row)
            self._metric_cost = link_cost

    def load(self, trees: Trees, demand: Array) -> Array:
        """Return the link flow of a demand on trees, ``[link], pce/h``.

        Parameters
        ----------
        trees : Trees
            Of the last call of :meth:`grow`.
        demand : array [zone, zone], pce/h
            Where no path leads, and within a node, it is not loaded.
        """
        if self._load_cost is None:
            self._load_cost = trees.link_cost
            least = _LEAST_COST * (self._largest or 1.0)
            low = self._in_core & (trees.link_cost < least)
            if low.any():
                self._load_cost = np.where(low, least, trees.link_cost)
                self._customise(self._load_cost)
        load(
            self.net,
            self.metric,
            self._load_cost,
            self._n_workers(),
            self._label,
            self._above,
            self._below,
            self._flow,
            np.ascontiguousarray(demand, dtype=np.float64),
            self._block_total,
        )
        link_flow = np.empty(self._n_links)
        unpack(self.net, self.metric, self._block_total[0], self._arc_flow, link_flow)
        return link_flow


def zone_costs(
    road: RoadNetwork, cost: Array, centroids: Array, turns: Turns | None = None
) -> Array:
    """Return the least cost between zones, ``[zone, zone]``; inf where no path leads.

    ``cost`` [link] is joined by the penalties of ``turns``.
    """
    graph = SearchGraph.of(road, centroids, turns)
    rows = graph.on_rows(cost)
    return TreeLoader(graph.road, centroids).grow(rows).od_cost


def all_or_nothing(
    road: RoadNetwork, cost: Array, centroids: Array, demand: Array
) -> tuple[Array, Array]:
    """Load a demand on least-cost paths.

    Returns
    -------
    link_flow : array [link], pce/h
    od_cost : array [zone, zone], s
        Demand where it is inf is not loaded.
    """
    loader = TreeLoader(road, centroids)
    trees = loader.grow(np.asarray(cost, dtype=np.float64))
    reached = np.isfinite(trees.od_cost)
    return loader.load(trees, np.where(reached, demand, 0.0)), trees.od_cost


def compile_kernels() -> None:
    """Compile the path kernels, or take them from the cache, on a network of two nodes."""
    zero, one = np.zeros(1), np.ones(1)
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=one, tail=zero,
        head=one, road_class=zero, length=one, free_flow_time=one, capacity=one,
    )  # fmt: skip
    all_or_nothing(road, np.ones(1), np.array([0, 1]), np.ones((2, 2)))
