"""Car choice and congestion agree: against a root found by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from cczsim.assignment.elastic import ElasticParams, elastic_assignment
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem


def test_one_link_agrees_with_a_root():
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.array([1]),
        tail=np.array([0]), head=np.array([1]), road_class=np.zeros(1), length=np.array([1000.0]),
        free_flow_time=np.array([600.0]), capacity=np.array([500.0]), alpha=np.array([0.15]),
        beta=np.array([4.0]),
    )  # fmt: skip
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    trips = np.array([[0.0, 2000.0], [0.0, 0.0]])
    scale, other, occupancy = 600.0, 900.0, 1.3
    solved = elastic_assignment(
        road, zones, trips, np.full((2, 2), np.exp(-other / scale)), scale=scale,
        occupancy=occupancy, params=ElasticParams(relative_gap=1e-12, demand_residual=1e-12),
    )  # fmt: skip

    def miss(persons):
        drive = 600.0 * (1.0 + 0.15 * (persons / occupancy / 500.0) ** 4)
        return persons - 2000.0 / (1.0 + np.exp((drive - other) / scale))

    persons = brentq(miss, 0.0, 2000.0, xtol=1e-12)
    assert solved.car_trips[0, 1] == pytest.approx(persons, rel=1e-8)
    assert solved.road.link_flow[0] == pytest.approx(persons / occupancy, rel=1e-8)
