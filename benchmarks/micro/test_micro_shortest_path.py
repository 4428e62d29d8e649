"""Least costs between all zones: the hierarchy, and Dijkstra trees beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import Instance

from cczsim.assignment.shortest import TreeLoader
from cczsim.kernels.shortest_path import grow_trees
from cczsim.network.forward_star import forward_star


def test_least_costs(benchmark: Any, instance: Instance) -> None:
    loader = TreeLoader(instance.road, instance.centroid)
    benchmark(loader.grow, instance.road.free_flow_time)


def test_dijkstra_trees(benchmark: Any, instance: Instance) -> None:
    road, n_zones = instance.road, len(instance.centroid)
    star = forward_star(road)
    pred, order = (np.empty((n_zones, road.n_nodes), dtype=np.int32) for _ in range(2))
    od_cost = np.empty((n_zones, n_zones))
    cost, origins = road.free_flow_time[star.link], star.rank[instance.centroid]
    benchmark(grow_trees, star, cost, origins, pred, order, od_cost)
