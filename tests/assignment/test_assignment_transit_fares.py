"""Fares of journeys: tickets by zones, pairs and changes, and the ways that they are asked of."""

from __future__ import annotations

import numpy as np
import pytest
from test_assignment_transit import lines, random_case, zones

from cczsim.assignment.threads import set_threads
from cczsim.assignment.transit import assign_transit, line_graph, skim_transit, weights
from cczsim.assignment.transit_fares import MOST_RIDES, Fare, Ride, Tariff
from cczsim.assignment.transit_params import TransitParams
from cczsim.kernels.strategy_rides import rides_of_block
from cczsim.network.line_build import merge_transit
from cczsim.network.transit import TransitNetwork

SURE = TransitParams(wait_factor=1e-9)
"""Nobody waits, so that each strategy is a single way."""


def priced(net: TransitNetwork, zone, price, transfers=None, most=None, rules=(), system="t"):
    """Return a network whose lines take tickets; rules are (ticket, route, from, to, contains)."""
    n = len(price)
    columns = list(zip(*rules, strict=True)) or [[], [], [], [], []]
    return net.replace(
        fare_zone=np.array(zone), fare_system=np.full(net.n_lines, system),
        fare_route=net.route, ticket_system=np.full(n, system), ticket_price=np.array(price),
        ticket_transfers=np.array([-1] * n if transfers is None else transfers),
        ticket_zones=np.array([0] * n if most is None else most),
        rule_ticket=np.array(columns[0], dtype=int),
        **{f"rule_{name}": np.array(own, dtype=str) for name, own in
           zip(("route", "from", "to", "contains"), columns[1:], strict=True)},
    )  # fmt: skip


def ride(begin, end, touched="", route="r", system="t"):
    return Ride(system, route, begin, end, frozenset(touched or {begin, end}))


def chain():
    """Return a line over four stops in zones A, A, B, C, with a zone of the model at each."""
    net = lines(4, [[(0, 60), (1, 60), (2, 60), (3, 0)]], [600], [(k, k, 0) for k in range(4)])
    return net, ["A", "A", "B", "C"]


def test_prices_by_number_of_zones() -> None:
    net, zone = chain()
    skims = skim_transit(priced(net, zone, [2.0, 3.0, 5.0], most=[1, 2, 3]), zones(4))
    assert skims.tickets is not None
    np.testing.assert_allclose(skims.tickets[0, 1:], [2.0, 3.0, 5.0])
    np.testing.assert_allclose(skims.tickets[1, 2:], [3.0, 5.0])
    assert np.isinf(skims.tickets[3, 0])  # the line runs one way
    assert not skims.rides_without[np.isfinite(skims.weighted)].any()
    np.testing.assert_allclose(skims.fare(9.0)[0], [0.0, 2.0, 3.0, 5.0])


def test_prices_by_pair_and_rides_that_no_ticket_is_for() -> None:
    net, zone = chain()
    rules = [(0, "", "A", "B", ""), (1, "", "B", "C", ""), (1, "l0", "A", "C", "")]
    skims = skim_transit(priced(net, zone, [4.0, 1.5], rules=rules), zones(4))
    np.testing.assert_allclose(skims.tickets[0, 1:], [0.0, 4.0, 1.5])
    np.testing.assert_allclose(skims.rides_without[0, 1:], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(skims.fare(2.0)[0, 1:], [2.0, 4.0, 1.5])


def test_two_singles_or_one_that_allows_a_change() -> None:
    single, change = ("S", [3.0, 4.5], [0, 1])[1:]
    net = lines(3, [[(0, 60), (1, 0)], [(1, 60), (2, 0)]], [600, 600],
                [(k, k, 0) for k in range(3)])  # fmt: skip
    of = priced(net, ["A", "A", "A"], single, change)
    skims = skim_transit(of, zones(3))
    np.testing.assert_allclose(skims.tickets[0, 1:], [3.0, 4.5])
    dear = of.replace(ticket_price=np.array([3.0, 7.0]))
    np.testing.assert_allclose(skim_transit(dear, zones(3)).tickets[0, 1:], [3.0, 6.0])


def test_the_least_price_is_that_of_the_best_partition() -> None:
    net, zone = chain()
    of = priced(
        net, zone, [2.0, 5.0, 9.0, 1.0], [0, 1, -1, -1],
        rules=[(0, "", "", "", ""), (1, "", "", "", ""), (2, "", "A", "C", ""),
               (3, "x", "", "", "")],
    )  # fmt: skip
    tariff = Tariff(of)
    a = ride("A", "B")
    assert tariff.fare([a]) == Fare(2.0, 0)
    assert tariff.fare([a, a]) == Fare(4.0, 0)
    assert tariff.fare([a] * 6) == Fare(12.0, 0)
    # From A to C one ticket is enough however often one changes.
    assert tariff.fare([*[a] * 5, ride("B", "C")]) == Fare(9.0, 0)
    assert tariff.fare([ride("A", "B", route="x")]) == Fare(1.0, 0)
    assert tariff.fare([ride("A", "B", system="other"), a]) == Fare(2.0, 1)
    assert tariff.fare([]) == Fare(0.0, 0)


def test_contained_zones_are_all_that_rides_touch() -> None:
    net, zone = chain()
    rules = [(0, "", "", "", z) for z in "AB"] + [(1, "", "", "", z) for z in "ABC"]
    tariff = Tariff(priced(net, zone, [2.0, 3.0], rules=rules))
    assert tariff.fare([ride("A", "B")]) == Fare(2.0, 0)
    assert tariff.fare([ride("A", "B"), ride("B", "C")]) == Fare(3.0, 0)
    assert tariff.fare([ride("A", "C", "AC")]) == Fare(0.0, 1)


def test_lines_of_two_systems_take_their_own_tickets() -> None:
    net, zone = chain()
    both = merge_transit(
        priced(net, zone, [2.0], system="one"),
        priced(net, zone, [3.0], rules=[(0, "", "A", "B", "")], system="two"),
    )
    tariff = Tariff(both)
    assert both.rule_ticket.tolist() == [1]
    assert tariff.fare([ride("A", "B", system="two")]) == Fare(3.0, 0)
    assert tariff.fare([ride("A", "B", system="one")]) == Fare(2.0, 0)
    assert tariff.fare([ride("A", "C", system="two")]) == Fare(0.0, 1)


def ways(net, n, params):
    rides = np.empty((n, n, MOST_RIDES, 2), dtype=np.int32)
    graph = line_graph(net, n, params)
    for block in range(3):
        rides_of_block(block, 3, graph, weights(params), rides)
    return rides


@pytest.mark.parametrize("seed", range(100))
def test_rides_are_those_of_the_strategy(seed: int) -> None:
    """Where each strategy is a single way its rides add up to the skims."""
    net, n, _ = random_case(seed)
    skims, found = skim_transit(net, zones(n), SURE), ways(net, n, SURE)
    line = np.repeat(np.arange(net.n_lines), np.diff(net.line_first))
    for origin in range(n):
        for zone in range(n):
            own = [(b, e) for b, e in found[zone, origin].tolist() if b >= 0]
            if origin == zone or np.isinf(skims.weighted[origin, zone]):
                assert not own
                continue
            assert len(own) == round(skims.boardings[origin, zone])
            assert all(b < e and line[b] == line[e] for b, e in own)
            aboard = sum(net.run_time[b:e].sum() for b, e in own)
            assert aboard == pytest.approx(skims.in_vehicle[origin, zone], rel=1e-6, abs=1e-3)


def test_of_several_lines_the_most_frequent_is_the_way() -> None:
    three = [[(0, 300), (1, 0)]] * 3
    net = lines(2, three, [600, 300, 300], [(0, 0, 0), (1, 1, 0)])
    found = ways(net, 2, TransitParams())
    assert found[1, 0, 0].tolist() == [2, 3]  # of equal ones the first
    assert found[1, 0, 1].tolist() == [-1, -1]


def test_same_fares_at_any_thread_count_and_none_by_distance_on_top() -> None:
    net, n, trips = random_case(3)
    net = priced(net.replace(run_length=1e4 * np.ones(len(net.line_stop))), list("ABCABCABC"),
                 [1.0, 2.0, 3.0], most=[1, 2, 0])  # fmt: skip
    set_threads(1)
    one = assign_transit(net, zones(n), trips, seconds_per_cny=100.0)
    set_threads(None)
    many = assign_transit(net, zones(n), trips, seconds_per_cny=100.0)
    assert one.skims.tickets.tobytes() == many.skims.tickets.tobytes()
    blind = assign_transit(net, zones(n), trips, seconds_per_cny=0.0)
    np.testing.assert_array_equal(one.skims.weighted, blind.skims.weighted)
