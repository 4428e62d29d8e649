"""Optimal strategies between all zones of a made-up grid of lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cczsim.assignment.transit import assign_transit, skim_transit
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

SIDE = 20


@pytest.fixture(scope="module")
def lines() -> tuple[TransitNetwork, ZoneSystem]:
    """Each row and column of a grid of 400 stops is a line both ways; 200 zones."""
    random = np.random.default_rng(5)
    stop = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    runs = [run for row in (*stop, *stop.T) for run in (row, row[::-1])]
    n_lines, n_zones = len(runs), SIDE * SIDE // 2
    length = np.full(SIDE * n_lines, 600.0)
    net = TransitNetwork(
        stop_id=np.arange(SIDE * SIDE), stop_name=np.array([str(s) for s in range(SIDE * SIDE)]),
        stop_lon=np.zeros(SIDE * SIDE), stop_lat=np.zeros(SIDE * SIDE),
        line_id=np.array([str(k) for k in range(n_lines)]),
        route=np.array([str(k // 2) for k in range(n_lines)]), mode=np.zeros(n_lines),
        headway=random.uniform(180, 900, n_lines), line_first=SIDE * np.arange(n_lines + 1),
        line_stop=np.concatenate(runs), run_time=random.uniform(60, 150, SIDE * n_lines),
        run_length=length, seats_and_standing=np.full(n_lines, 1000.0),
        walk_from=np.zeros(0), walk_to=np.zeros(0), walk_time=np.zeros(0),
        access_zone=np.repeat(np.arange(n_zones), 2), access_stop=np.arange(2 * n_zones),
        access_time=random.uniform(60, 600, 2 * n_zones),
    )  # fmt: skip
    return net, ZoneSystem(zone_id=np.arange(n_zones), centroid=np.arange(n_zones))


def test_skims(benchmark: Any, lines: tuple[TransitNetwork, ZoneSystem]) -> None:
    benchmark(skim_transit, *lines)


def test_assignment(benchmark: Any, lines: tuple[TransitNetwork, ZoneSystem]) -> None:
    trips = np.ones((lines[1].n_zones,) * 2)
    benchmark(assign_transit, *lines, trips)
