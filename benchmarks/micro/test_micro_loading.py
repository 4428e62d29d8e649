"""Demand loaded on least-cost paths that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import Instance

from cczsim.assignment.shortest import TreeLoader


def test_loading(benchmark: Any, instance: Instance) -> None:
    loader = TreeLoader(instance.road, instance.centroid)
    trees = loader.grow(instance.road.free_flow_time)
    demand = np.where(np.isfinite(trees.od_cost), instance.demand, 0.0)
    benchmark(loader.load, trees, demand)
