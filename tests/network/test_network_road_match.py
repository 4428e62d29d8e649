from __future__ import annotations

import numpy as np
import pytest

from cczsim.columns import Array
from cczsim.io.tables import from_wgs84, to_wgs84
from cczsim.network.road import RoadNetwork
from cczsim.network.road_match import CLEAR, FEWEST, match_roads

SYSTEMS = ("wgs84", "gcj02", "bd09")


@pytest.fixture(scope="module")
def streets() -> RoadNetwork:
    """Streets through a town near Changsha, at uneven distances, and some across."""
    rng = np.random.default_rng(5)
    at = np.cumsum(rng.uniform(0.002, 0.006, 25))
    n = len(at)
    lon = np.concatenate([np.full(n, 112.9), np.full(n, 113.0), 112.9 + at, 112.9 + at])
    lat = np.concatenate([28.1 + at, 28.1 + at, np.full(n, 28.1), np.full(n, 28.2)])
    tail = np.concatenate([np.arange(n), 2 * n + np.arange(n)])
    return RoadNetwork(
        node_id=np.arange(4 * n), node_lon=lon, node_lat=lat, link_id=np.arange(2 * n), tail=tail,
        head=tail + n, road_class=np.full(2 * n, 8), length=np.full(2 * n, 1e4),
        free_flow_time=np.full(2 * n, 900.0), capacity=np.full(2 * n, 1000.0),
    )  # fmt: skip


def on_streets(road: RoadNetwork, count: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(7)
    link, share = rng.integers(0, road.n_links, count), rng.uniform(0.1, 0.9, count)
    a, b = road.tail[link], road.head[link]
    lon = road.node_lon[a] + share * (road.node_lon[b] - road.node_lon[a])
    lat = road.node_lat[a] + share * (road.node_lat[b] - road.node_lat[a])
    off = rng.normal(0.0, 15.0 / 111_000.0, (2, count))
    return lon + off[0], lat + off[1]


def readings(lon: Array, lat: Array, true: str) -> dict[str, tuple[Array, Array]]:
    """Points given in one system, read in each."""
    given = from_wgs84(lon, lat, true)
    return {name: to_wgs84(*given, name) for name in SYSTEMS}


@pytest.mark.parametrize("true", SYSTEMS)
@pytest.mark.parametrize("declared", SYSTEMS)
def test_the_system_is_found_whatever_was_declared(
    streets: RoadNetwork, true: str, declared: str
) -> None:
    verdict = match_roads(streets, readings(*on_streets(streets, 80), true), declared)
    assert verdict["found"] == true
    assert verdict["points"] >= 60


@pytest.mark.parametrize("seed", range(5))
def test_points_anywhere_say_nothing(streets: RoadNetwork, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(112.91, 112.99, 150), rng.uniform(28.11, 28.19, 150)
    verdict = match_roads(streets, readings(lon, lat, "wgs84"), "wgs84")
    assert verdict["found"] is None
    assert max(verdict["strength"].values()) < CLEAR


def test_few_points_or_points_far_off_say_nothing(streets: RoadNetwork) -> None:
    few = on_streets(streets, FEWEST - 1)
    assert match_roads(streets, {"wgs84": few}, "wgs84")["found"] is None
    far = np.full(40, 100.0), np.full(40, 30.0)
    assert match_roads(streets, {"wgs84": far}, "wgs84") == {
        "declared": "wgs84", "points": 0, "strength": {}, "found": None,
    }  # fmt: skip
