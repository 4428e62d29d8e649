"""Optimal strategies: the paper's example to the digit, the slow twin, conservation."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cczsim.assignment.threads import set_threads
from cczsim.assignment.transit import assign_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.network.transit import MODE_CODE, TransitNetwork
from cczsim.network.zones import ZoneSystem

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from naive_transit import strategies

PLAIN = TransitParams(walk_weight=1.0, wait_weight=1.0, boarding_penalty=0.0, wait_factor=1.0)


def lines(stops, entries, headways, access, walks=()):
    sizes = [len(line) for line in entries]
    n_lines = len(entries)
    walks = np.array(walks, dtype=float).reshape(-1, 3)
    access = np.array(access, dtype=float).reshape(-1, 3)
    time = np.array([t for line in entries for _, t in line], dtype=float)
    return TransitNetwork(
        stop_id=np.arange(stops), stop_name=np.array([f"s{i}" for i in range(stops)]),
        stop_lon=np.zeros(stops), stop_lat=np.zeros(stops),
        line_id=np.array([f"l{i}" for i in range(n_lines)]),
        route=np.array([f"l{i}" for i in range(n_lines)]),
        mode=np.zeros(n_lines), headway=np.array(headways, dtype=float),
        line_first=np.concatenate([[0], np.cumsum(sizes)]),
        line_stop=np.array([s for line in entries for s, _ in line]),
        run_time=time, run_length=time * 10.0, seats_and_standing=np.full(n_lines, 100.0),
        walk_from=walks[:, 0], walk_to=walks[:, 1], walk_time=walks[:, 2],
        access_zone=access[:, 0], access_stop=access[:, 1], access_time=access[:, 2],
    )  # fmt: skip


def zones(n):
    return ZoneSystem(zone_id=np.arange(n), centroid=np.arange(n))


def test_example_of_spiess_and_florian():
    """A, X, Y, B: 27.75 min; half take line 1; at Y a sixth boards line 3."""
    net = lines(
        4,
        [[(0, 1500), (3, 0)], [(0, 420), (1, 360), (2, 0)], [(1, 240), (2, 240), (3, 0)],
         [(2, 600), (3, 0)]],
        [360, 360, 900, 180],
        [(0, 0, 0), (1, 3, 0)],
    )  # fmt: skip
    result = assign_transit(net, zones(2), np.array([[0.0, 12.0], [0.0, 0.0]]), PLAIN)
    assert result.skims.weighted[0, 1] == pytest.approx(27.75 * 60, abs=1e-9)
    np.testing.assert_allclose(
        result.segment_flow, [6, 0, 6, 6, 0, 0, 1, 0, 5, 0], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(result.boardings, [6, 0, 6, 0, 0, 0, 1, 0, 5, 0], atol=1e-12)


def random_case(seed):
    rng = np.random.default_rng(seed)
    n_stops, n_zones = 9, 4
    entries = [
        [
            (int(s), float(rng.uniform(60, 900)))
            for s in rng.permutation(n_stops)[: rng.integers(2, 6)]
        ]
        for _ in range(7)
    ]
    walks = [(*rng.permutation(n_stops)[:2], rng.uniform(30, 600)) for _ in range(6)]
    access = [(z, s, rng.uniform(30, 900)) for z in range(n_zones)
              for s in rng.permutation(n_stops)[:2]]  # fmt: skip
    net = lines(n_stops, entries, rng.uniform(120, 1800, 7), access, walks)
    return net, n_zones, rng.uniform(1, 9, (n_zones, n_zones))


@pytest.mark.parametrize("seed", range(200))
def test_agrees_with_the_slow_twin_and_conserves(seed):
    net, n, trips = random_case(seed)
    result = assign_transit(net, zones(n), trips, TransitParams())
    skim, boardings = strategies(net, n, trips, TransitParams())
    np.testing.assert_allclose(result.skims.weighted, skim, rtol=1e-12)
    np.testing.assert_allclose(result.boardings, boardings, atol=1e-9)

    def at_stop(rows, flow):
        return np.bincount(rows, weights=flow, minlength=net.n_stops)

    into = (at_stop(net.access_stop, result.access_flow) + at_stop(net.walk_to, result.walk_flow)
            + at_stop(net.line_stop, result.alightings))  # fmt: skip
    out = (at_stop(net.access_stop, result.egress_flow) + at_stop(net.walk_from, result.walk_flow)
           + at_stop(net.line_stop, result.boardings))  # fmt: skip
    np.testing.assert_allclose(into, out, atol=1e-9)
    served = result.total_demand - result.intrazonal_demand - result.unreachable_demand
    assert result.access_flow.sum() == pytest.approx(served)
    assert result.egress_flow.sum() == pytest.approx(served)


def test_same_bits_at_any_thread_count():
    net, n, trips = random_case(3)
    set_threads(1)
    one = assign_transit(net, zones(n), trips)
    set_threads(None)
    many = assign_transit(net, zones(n), trips)
    assert one.segment_flow.tobytes() == many.segment_flow.tobytes()
    assert one.skims.weighted.tobytes() == many.skims.weighted.tobytes()


def test_fares_by_distance_turn_passengers_to_the_slower_line():
    """Line 0 is 100 s quicker and 90 km longer: at 0.2 CNY/km it costs 18 CNY more."""
    quick, slow = [(0, 500), (1, 0)], [(0, 600), (1, 0)]
    net = lines(2, [quick, slow], [60, 60], [(0, 0, 0), (1, 1, 0)])
    net = net.replace(run_length=np.array([100e3, 0.0, 10e3, 0.0]))
    trips = np.array([[0.0, 10.0], [0.0, 0.0]])
    free = assign_transit(net, zones(2), trips, PLAIN)
    np.testing.assert_allclose(free.boardings, [10.0, 0.0, 0.0, 0.0])
    paid = assign_transit(net, zones(2), trips, PLAIN, seconds_per_cny=100.0)
    np.testing.assert_allclose(paid.boardings, [0.0, 0.0, 10.0, 0.0])
    fare = PLAIN.metro_fare * 10e3 * 100.0
    assert paid.skims.weighted[0, 1] == pytest.approx(60.0 + 600.0 + fare)
    assert paid.skims.total[0, 1] == pytest.approx(660.0)


def test_who_dislikes_buses_takes_a_slower_train_and_rides_as_long_as_before():
    """Line 0 is a bus of 500 s, line 1 a metro of 600 s: at 1.5 the bus counts 750 s."""
    quick, slow = [(0, 500), (1, 0)], [(0, 600), (1, 0)]
    net = lines(2, [quick, slow], [60, 60], [(0, 0, 0), (1, 1, 0)])
    net = net.replace(mode=np.array([MODE_CODE["bus"], MODE_CODE["metro"]]))
    trips = np.array([[0.0, 10.0], [0.0, 0.0]])
    indifferent = assign_transit(net, zones(2), trips, PLAIN)
    np.testing.assert_allclose(indifferent.boardings, [10.0, 0.0, 0.0, 0.0])
    picky = assign_transit(net, zones(2), trips, replace(PLAIN, bus_weight=1.5))
    np.testing.assert_allclose(picky.boardings, [0.0, 0.0, 10.0, 0.0])
    # A line that all must take weighs more, and takes as long.
    alone = net.replace(mode=np.full(2, MODE_CODE["bus"]))
    both = assign_transit(alone, zones(2), trips, replace(PLAIN, bus_weight=1.5))
    assert both.skims.in_vehicle[0, 1] == pytest.approx(500.0)
    assert both.skims.weighted[0, 1] == pytest.approx(60.0 + 1.5 * 500.0)


@pytest.mark.parametrize("seed", range(40))
def test_one_more_line_never_raises_a_cost(seed):
    """Without crowding: whoever does not need the new line is not made to take it."""
    net, n, trips = random_case(seed)
    rng = np.random.default_rng(1000 + seed)
    cut = net.line_first[-2]
    one_line_less = net.replace(
        **{name: getattr(net, name)[:-1] for name in TransitNetwork.dims()["line"]},
        **{name: getattr(net, name)[:cut] for name in TransitNetwork.dims()["line_stop"]},
        line_first=net.line_first[:-1],
    )
    before = assign_transit(one_line_less, zones(n), trips).skims
    after = assign_transit(net, zones(n), trips).skims
    # A pair that was better walked has no ride before; with the line it may.
    known = np.isfinite(before.weighted) & np.isfinite(after.weighted)
    assert (after.weighted[known] <= before.weighted[known] * (1.0 + 1e-12)).all()
    faster = net.replace(headway=net.headway * rng.uniform(0.3, 1.0, net.n_lines))
    more = assign_transit(faster, zones(n), trips).skims
    known = np.isfinite(after.weighted) & np.isfinite(more.weighted)
    assert (more.weighted[known] <= after.weighted[known] * (1.0 + 1e-12)).all()
