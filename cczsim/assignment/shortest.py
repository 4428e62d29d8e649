"""Least costs between zones, and demand loaded on least-cost trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.kernels.loading import load_trees
from cczsim.kernels.shortest_path import grow_trees
from cczsim.kernels.types import N_BLOCKS, ForwardStar
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork


@dataclass(frozen=True)
class Trees:
    """The least-cost trees of all zones.

    Parameters
    ----------
    pred, order : int32 array [zone, node of the star]
    od_cost : array [zone, zone], s
        inf where no path leads.
    """

    pred: Array
    order: Array
    od_cost: Array


class TreeLoader:
    """Grow the trees of a network's zones at given costs, and load demand on them.

    Holds the work arrays, so that iterations allocate nothing.

    Parameters
    ----------
    road : RoadNetwork
    centroids : int32 array [zone]
        Rows of nodes.
    """

    def __init__(self, road: RoadNetwork, centroids: Array) -> None:
        self.star: ForwardStar = forward_star(road)
        self._origins = self.star.rank[np.asarray(centroids)]
        n_zones, n_nodes, n_links = len(centroids), road.n_nodes, road.n_links
        self._pred = np.empty((n_zones, n_nodes), dtype=np.int32)
        self._order = np.empty((n_zones, n_nodes), dtype=np.int32)
        self._block_flow = np.empty((N_BLOCKS, n_links))

    def grow(self, cost: Array) -> Trees:
        """Return the trees at ``cost [link], s``; they are valid until the next call."""
        od_cost = np.empty((len(self._origins), len(self._origins)))
        grow_trees(self.star, cost[self.star.link], self._origins, self._pred, self._order, od_cost)
        return Trees(self._pred, self._order, od_cost)

    def load(self, trees: Trees, demand: Array) -> Array:
        """Return the link flow of a demand on trees, ``[link], pce/h``.

        Parameters
        ----------
        trees : Trees
        demand : array [zone, zone], pce/h
            0 where no path leads; the diagonal is not loaded.
        """
        load_trees(self.star, self._origins, trees.pred, trees.order, demand, self._block_flow)
        flow = np.empty(len(self.star.link))
        flow[self.star.link] = self._block_flow.sum(axis=0)
        return flow


def zone_costs(road: RoadNetwork, cost: Array, centroids: Array) -> Array:
    """Return the least cost between zones, ``[zone, zone]``; inf where no path leads."""
    return TreeLoader(road, centroids).grow(np.asarray(cost, dtype=np.float64)).od_cost


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
