"""Buses in traffic: where they run, what congestion does to them, and a root found by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from cczsim.assignment.bus_times import BusTimes
from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.mode_choice import car_fixed
from cczsim.demand.params import DemandParams
from cczsim.network.bus_streets import bus_lengths, street_runs
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import MODE_CODE, TransitNetwork
from cczsim.network.zones import ZoneSystem

ON = TransitParams(bus_times="all")
DEGREE = 111_319.49
"""Metres of a degree along the equator."""


def street(n_links: int = 2, length: float = 1000.0) -> RoadNetwork:
    """A street along the equator, eastwards, and as many links back."""
    node = np.arange(n_links + 1)
    tail = np.concatenate([node[:-1], node[1:]])
    head = np.concatenate([node[1:], node[:-1]])
    many = 2 * n_links
    return RoadNetwork(
        node_id=node, node_lon=node * length / DEGREE, node_lat=np.zeros(n_links + 1),
        link_id=np.arange(many), tail=tail, head=head, road_class=np.zeros(many),
        length=np.full(many, length), free_flow_time=np.full(many, 60.0),
        capacity=np.full(many, 500.0), alpha=np.full(many, 0.15), beta=np.full(many, 4.0),
    )  # fmt: skip


def bus(metres: Array, headway: float = 300.0, mode: str = "bus") -> TransitNetwork:
    """A line eastwards with stops at these metres, at 5 m/s."""
    n = len(metres)
    run = np.append(np.diff(metres), 0.0)
    return TransitNetwork(
        stop_id=np.arange(n), stop_name=np.full(n, "s"), stop_lon=metres / DEGREE,
        stop_lat=np.zeros(n), line_id=np.array(["1"]), route=np.array(["1"]),
        mode=np.array([MODE_CODE[mode]]), headway=np.array([headway]), line_first=np.array([0, n]),
        line_stop=np.arange(n), run_time=run / 5.0, run_length=run,
        run_time_source=np.array([int(Source.GENERATED)]),
        access_zone=np.array([0, 1]), access_stop=np.array([0, n - 1]),
        access_time=np.array([60.0, 60.0]),
    )  # fmt: skip


def test_runs_lie_on_the_streets_that_lead_their_way():
    """300 to 1,500 m: 700 m on the first link and 500 m on the second; none on the way back."""
    runs = street_runs(street(), bus(np.array([300.0, 1500.0])))
    assert runs.run.tolist() == [0, 0]
    assert runs.link.tolist() == [0, 1]
    assert runs.metres == pytest.approx([700.0, 500.0], abs=25.0)
    assert runs.metres.sum() == pytest.approx(1200.0, rel=1e-12)


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (bus(np.array([300.0, 1500.0]), mode="metro"), "no bus"),
        (bus(np.array([300.0, 9500.0])), "under half of it on streets"),
    ],
)
def test_what_runs_on_no_street_keeps_its_timetable(net, why):
    assert len(street_runs(street(), net).run) == 0, why


def test_a_line_beside_the_street_is_not_on_it():
    net = bus(np.array([0.0, 1000.0]))
    away = net.replace(stop_lat=np.full(2, 80.0 / DEGREE))
    assert len(street_runs(street(), away).run) == 0
    across = net.replace(stop_lon=np.full(2, 0.004), stop_lat=np.array([-0.0002, 0.0002]))
    assert len(street_runs(street(), across).run) == 0


def test_buses_lose_what_cars_lose_and_take_their_share_of_the_road():
    """Cars lose 30 s on the first kilometre: a bus on 700 m of it loses 21 s."""
    road, net = street(), bus(np.array([300.0, 1500.0]))
    buses = BusTimes.of(road, net, ON)
    assert buses is not None
    at_rest = buses.run_time(road.free_flow_time)
    np.testing.assert_array_equal(at_rest, net.run_time)
    late = buses.run_time(road.free_flow_time + np.array([30.0, 0.0, 99.0, 99.0]))
    on_first = buses.runs.metres[0]
    assert late[0] - net.run_time[0] == pytest.approx(30.0 * on_first / 1000.0, rel=1e-12)
    # 12 buses an hour, 2 cars each, on so much of the link.
    share = 12.0 * 2.0 / 1000.0
    assert buses.road.background == pytest.approx(
        [share * on_first, share * (1200 - on_first), 0, 0]
    )
    half = BusTimes.of(road, net, replace(ON, bus_delay=0.5))
    assert half is not None
    assert half.run_time(road.free_flow_time + 30.0)[0] == pytest.approx(240.0 + 18.0)


def test_only_assumed_run_times_follow_the_roads_where_so_said():
    road, net = street(), bus(np.array([300.0, 1500.0]))
    assert BusTimes.of(road, net, TransitParams()) is None
    known = net.replace(run_time_source=np.array([int(Source.TAGGED)]))
    kept = BusTimes.of(road, known, replace(ON, bus_times="assumed"))
    assert kept is not None
    np.testing.assert_array_equal(kept.run_time(road.free_flow_time + 50.0), known.run_time)
    assert kept.road.background.sum() > 0.0  # they are on the road all the same
    moved = BusTimes.of(road, net, replace(ON, bus_times="assumed"))
    assert moved is not None
    assert moved.run_time(road.free_flow_time + 50.0)[0] > net.run_time[0]


@pytest.mark.parametrize("algorithm", ["bfw", "b"])
def test_cars_and_buses_on_one_street_agree_with_a_root(algorithm):
    """2,000 people, one street, a bus along it, nobody walks: the share of cars by hand."""
    road = street(1, 1000.0).replace(free_flow_time=np.full(2, 120.0))
    net = bus(np.array([0.0, 1000.0]))
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    network = Network(NetworkInfo("street"), road, zones=zones, transit=net)
    demand = DemandParams(active_reach=1.0)
    trips = np.array([[0.0, 2000.0], [0.0, 0.0]])
    found = mode_equilibrium(
        network, trips, demand, replace(ON, bus_pce=10.0),
        params=ElasticParams(algorithm, 1e-10, 1e-10), max_rounds=60,
    )  # fmt: skip
    background = 12.0 * 10.0
    money = demand.seconds_per_cny

    def miss(persons):
        lost = 120.0 * 0.15 * ((persons / demand.car_occupancy + background) / 500.0) ** 4
        drive = 120.0 + lost + demand.car_cost * money / demand.car_occupancy * 1000.0
        ride = 200.0 + lost + 2.0 * 150.0 + 180.0 + 2.0 * 120.0
        ride += demand.transit_fare * money + demand.transit_constant
        return persons - 2000.0 / (
            1.0 + np.exp((drive + car_fixed(demand) - ride) / demand.choice_scale)
        )

    persons = brentq(miss, 0.0, 2000.0, xtol=1e-10)
    assert found.converged
    assert found.demand_residual <= 1e-10
    assert found.trips["car"][0, 1] == pytest.approx(persons, rel=1e-7)
    assert found.trips["transit"][0, 1] == pytest.approx(2000.0 - persons, rel=1e-7)
    assert found.run_time is not None
    lost = 120.0 * 0.15 * ((persons / demand.car_occupancy + background) / 500.0) ** 4
    assert found.run_time[0] == pytest.approx(200.0 + lost, rel=1e-7)
    assert found.transit is not None
    assert found.transit.skims.in_vehicle[0, 1] == pytest.approx(200.0 + lost, rel=1e-7)


def test_trips_that_no_mode_leads_are_in_no_matrix():
    """The street leads one way only to zone 2, and nothing leads back from it."""
    road = street(1).replace(tail=np.array([0, 0]), head=np.array([1, 1]))
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    trips = np.array([[0.0, 50.0], [70.0, 0.0]])
    found = mode_equilibrium(Network(NetworkInfo("street"), road, zones=zones), trips)
    assert sum(float(own[1, 0]) for own in found.trips.values()) == 0.0
    assert sum(float(own[0, 1]) for own in found.trips.values()) == pytest.approx(50.0, rel=1e-12)
    assert found.car_pce[1, 0] == 0.0
    from cczsim.scenario.ledger import lost_share, make_ledger

    ledger = make_ledger(trips, found)
    assert lost_share(ledger) == pytest.approx(70.0 / 120.0)
    (row,) = [r for r in ledger if r.item == "unreachable" and r.trips > 0.0]
    assert row.stage == "mode choice"
    assert "1 → 0 (70)" in row.why


def test_what_runs_beyond_the_streets_is_told_from_what_no_street_is_near():
    """Of 4 km the last run of 2.5 leaves the streets; another lies aside, within their hull."""
    road = street()
    road = road.replace(node_lat=np.array([0.0, 0.02, 0.0]))
    flat = bus(np.array([0.0, 900.0, 1500.0, 4000.0]))
    whole, on_streets, beyond = bus_lengths(street(), flat)
    assert (whole, beyond) == (4000.0, 2500.0)
    assert on_streets == pytest.approx(1500.0, rel=1e-3)
    whole, on_streets, beyond = bus_lengths(road, bus(np.array([600.0, 1400.0])))
    assert (whole, on_streets) == (800.0, 0.0)
