"""Timetable search: the slow twin on 200 networks, and journeys checked by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cczsim.assignment.threads import set_threads
from cczsim.assignment.timetable_search import Ways, timetable_times
from cczsim.errors import AssignmentError, ColumnError
from cczsim.network.timetable import Timetable, routes_without_overtaking

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from naive_raptor import arrivals


def timetable(n_stops, routes, walks=(), change=0.0):
    """``routes``: stops and a list of runs, each a list of (arrival, departure)."""
    runs = [np.array(r, dtype=float) for _, r in routes]
    walks = np.array(walks, dtype=float).reshape(-1, 3)
    sizes = [len(s) for s, _ in routes]
    return Timetable(
        stop_id=np.array([f"s{i}" for i in range(n_stops)]),
        stop_lon=np.zeros(n_stops), stop_lat=np.zeros(n_stops),
        change_time=np.full(n_stops, change),
        route_id=np.array([f"r{i}" for i in range(len(routes))]),
        route_first=np.cumsum([0, *sizes]),
        trip_first=np.cumsum([0, *(len(r) for r in runs)]),
        time_first=np.cumsum([0, *(len(r) * n for r, n in zip(runs, sizes, strict=True))]),
        route_stop=np.concatenate([s for s, _ in routes]),
        arrival=np.concatenate([r[:, :, 0].ravel() for r in runs]),
        departure=np.concatenate([r[:, :, 1].ravel() for r in runs]),
        walk_from=walks[:, 0], walk_to=walks[:, 1], walk_time=walks[:, 2],
    )  # fmt: skip


def random_timetable(seed):
    rng = np.random.default_rng(seed)
    n_stops, routes = 8, []
    for _ in range(6):
        # Loops: a stop may come twice.
        stops = rng.integers(0, n_stops, rng.integers(2, 6))
        stops = stops[np.concatenate([[True], np.diff(stops) != 0])]
        if len(stops) < 2:
            continue
        n = int(rng.integers(1, 7))
        steps = rng.integers(0, 400, (n, 2 * len(stops))).cumsum(axis=1)
        times = (rng.integers(0, 3600, n)[:, None] + steps).reshape(n, -1, 2)
        groups = routes_without_overtaking(times[:, :, 0], times[:, :, 1])
        routes += [(stops, times[rows]) for rows in groups]
    walks = [(a, b, float(rng.integers(30, 600))) for a, b in rng.integers(0, n_stops, (7, 2))]
    return timetable(n_stops, routes, walks, float(rng.integers(0, 3) * 60))


@pytest.mark.parametrize("block", range(10))
def test_agrees_with_the_slow_twin(block):
    """On 200 timetables with loops, walks, overtaking and changes, for each departure."""
    for seed in range(20 * block, 20 * block + 20):
        net = random_timetable(seed)
        rng = np.random.default_rng(seed)
        place = np.repeat(np.arange(3), 2)
        ways = Ways(place, rng.integers(0, net.n_stops, 6), rng.integers(0, 300, 6).astype(float))
        departures = np.sort(rng.choice(4000, 6, replace=False)).astype(float)
        rides = int(rng.integers(1, 5))
        times = timetable_times(net, 3, ways, departures, max_rides=rides)
        for origin in range(3):
            for k, at in enumerate(departures):
                start: dict[int, float] = {}
                for p, s, t in zip(*ways, strict=True):
                    if p == origin:
                        start[s] = min(start.get(s, np.inf), at + t)
                reach = arrivals(net, start, rides)
                for goal in range(3):
                    own = ways.place == goal
                    best = (reach[ways.stop[own]] + ways.time[own]).min() - at
                    expected = 0.0 if goal == origin else best
                    assert times[origin, k, goal] == expected, (seed, origin, at, goal)


def test_a_missed_connection_costs_the_next_run():
    first = ([0, 1], [[(0, 0), (600, 600)]])
    second = ([1, 2], [[(650, 650), (900, 900)], [(1250, 1250), (1500, 1500)]])
    ways = Ways(np.arange(3), np.arange(3), np.zeros(3))
    quick = timetable_times(timetable(3, [first, second]), 3, ways, np.array([0.0]))
    assert quick[0, 0, 2] == 900.0
    slow = timetable_times(timetable(3, [first, second], change=60.0), 3, ways, np.array([0.0]))
    assert slow[0, 0, 2] == 1500.0
    direct = timetable_times(timetable(3, [first, second]), 3, ways, np.array([0.0]), max_rides=1)
    assert np.isinf(direct[0, 0, 2])
    late = timetable_times(timetable(3, [first, second]), 3, ways, np.array([1.0]))
    assert np.isinf(late[0, 0, 2])


def test_same_bits_at_any_thread_count():
    net = random_timetable(4)
    ways = Ways(np.arange(net.n_stops), np.arange(net.n_stops), np.zeros(net.n_stops))
    found = []
    for threads in (1, None):
        set_threads(threads)
        found.append(timetable_times(net, net.n_stops, ways, np.arange(0.0, 3600.0, 60.0)))
    assert found[0].tobytes() == found[1].tobytes()


def test_runs_that_overtake_are_told_apart_or_refused():
    times = np.array([[[0, 0], [900, 900]], [[60, 60], [500, 500]]], dtype=float)
    assert [list(g) for g in routes_without_overtaking(times[:, :, 0], times[:, :, 1])] == [
        [0],
        [1],
    ]
    with pytest.raises(ColumnError, match="overtakes"):
        timetable(2, [([0, 1], times)])
    ways = Ways(np.arange(2), np.arange(2), np.zeros(2))
    net = timetable(2, [([0, 1], [[(0, 0), (9, 9)]])])
    with pytest.raises(AssignmentError, match="rise"):
        timetable_times(net, 2, ways, np.array([5.0, 1.0]))
