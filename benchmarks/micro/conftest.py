"""Fixed instances for the micro-benchmarks: made in code, and published ones where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from cczsim.columns import Array
from cczsim.network.road import RoadNetwork

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Measure, although the project's own options switch benchmarks off in its tests."""
    config.option.benchmark_disable = False


class Instance(NamedTuple):
    """``centroid [zone]``, ``demand [zone, zone], pce/h``."""

    road: RoadNetwork
    centroid: Array
    demand: Array


def grid(side: int, n_zones: int) -> Instance:
    """Return a square grid of two-way streets with zones at scattered nodes; the same each time."""
    random = np.random.default_rng(7)
    node = np.arange(side * side).reshape(side, side)
    ends = np.concatenate([
        np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()]),
        np.stack([node[:-1].ravel(), node[1:].ravel()]),
    ], axis=1)  # fmt: skip
    tail, head = np.concatenate([ends, ends[::-1]], axis=1)
    n_links = len(tail)
    road = RoadNetwork(
        node_id=np.arange(side * side), node_lon=np.zeros(side * side),
        node_lat=np.zeros(side * side), link_id=np.arange(n_links), tail=tail, head=head,
        road_class=np.zeros(n_links), length=np.full(n_links, 250.0),
        free_flow_time=random.uniform(20, 60, n_links), capacity=random.uniform(600, 2400, n_links),
    )  # fmt: skip
    centroid = np.sort(random.choice(side * side, n_zones, replace=False)).astype(np.int32)
    return Instance(road, centroid, random.uniform(0, 5, (n_zones, n_zones)))


@pytest.fixture(scope="session", params=["grid-100", "Chicago-Sketch"])
def instance(request: pytest.FixtureRequest) -> Instance:
    """A grid of 10,000 nodes with 200 zones; and a published network of 933 nodes, 387 zones."""
    if request.param == "grid-100":
        return grid(100, 200)
    from cczsim.io import tntp

    named = os.environ.get("CCZSIM_DATA")
    data = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    path = data / "tntp/Chicago-Sketch/ChicagoSketch_net.tntp"
    if not path.is_file():
        pytest.skip("real inputs missing: set CCZSIM_DATA to the folder that holds tntp/")
    network = tntp.read_network(path)
    assert network.zones is not None
    trips = tntp.read_trips(path.with_name("ChicagoSketch_trips.tntp"), network.zones.n_zones)
    return Instance(network.road, network.zones.centroid, trips)
