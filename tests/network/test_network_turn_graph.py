"""Every path of a turn graph keeps the rules and costs what it should, and none is missing."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.errors import NetworkError
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CONNECTOR
from cczsim.network.turn_graph import TurnGraph, expand_turns
from cczsim.network.turns import FORBIDDEN, Turns, no_u_turns, turns_from
from tests.naive_roads import tree
from tests.naive_turns import least_costs, walk_cost


def network(
    links: list[tuple[int, int]], times: list[int], through: list[bool] | None = None
) -> RoadNetwork:
    n_nodes = 1 + max(max(link) for link in links)
    back = [NO_LINK] * len(links)
    for a, (tail, head) in enumerate(links):
        for b, other in enumerate(links[:a]):
            if other == (head, tail) and back[b] == NO_LINK and back[a] == NO_LINK:
                back[a], back[b] = b, a
    return RoadNetwork(
        node_id=np.arange(n_nodes) + 10,
        node_lon=np.arange(n_nodes) / 100.0,
        node_lat=np.zeros(n_nodes),
        node_through=np.ones(n_nodes, dtype=bool) if through is None else through,
        link_id=np.arange(len(links)),
        tail=[tail for tail, _ in links],
        head=[head for _, head in links],
        road_class=np.full(len(links), 4),
        length=[100.0 * t for t in times],
        free_flow_time=[float(t) for t in times],
        capacity=np.full(len(links), 900.0),
        reverse_link=back,
    )


def physical(graph: TurnGraph, rows: list[int]) -> list[int]:
    return [int(a) for a in graph.link_of[rows] if a != NO_LINK]


@st.composite
def cases(draw: st.DrawFn) -> tuple[RoadNetwork, Turns]:
    n = draw(st.integers(2, 6))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    links = draw(st.lists(st.sampled_from(pairs), min_size=3, max_size=16))
    links += draw(st.lists(st.sampled_from(pairs), max_size=3))  # some side by side
    links.append((n - 1, 0))
    times = draw(st.lists(st.integers(0, 9), min_size=len(links), max_size=len(links)))
    through = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=n, max_size=n))
    road = network(links, times, through)
    sequences, penalties = [], []
    for _ in range(draw(st.integers(0, 7))):
        walk = [draw(st.integers(0, len(links) - 1))]
        for _ in range(draw(st.integers(1, 4))):
            onward = np.flatnonzero(road.tail == road.head[walk[-1]]).tolist()
            if onward:
                walk.append(draw(st.sampled_from(onward)))
        if len(walk) > 1:
            sequences.append(walk)
            penalties.append(draw(st.sampled_from([FORBIDDEN, FORBIDDEN, 0.0, 1.0, 4.0])))
    return road, turns_from(sequences, penalties)


@settings(max_examples=400, deadline=None)
@given(case=cases())
def test_least_costs_are_those_of_a_search_with_memory(case: tuple[RoadNetwork, Turns]) -> None:
    road, turns = case
    graph = expand_turns(road, turns)
    cost = graph.road.free_flow_time.tolist()
    for origin in range(road.n_nodes):
        grown = tree(graph.road, cost, origin)
        assert grown.cost[: road.n_nodes] == least_costs(road, turns, origin)
        for node in range(road.n_nodes):
            if node == origin or math.isinf(grown.cost[node]):
                continue
            rows, at = [], node
            while at != origin:
                rows.append(grown.entering[at])
                at = int(graph.road.tail[rows[-1]])
            walk = physical(graph, rows[::-1])
            assert (road.tail[walk[0]], road.head[walk[-1]]) == (origin, node)
            assert (road.head[walk[:-1]] == road.tail[walk[1:]]).all()
            assert walk_cost(road, turns, walk) == grown.cost[node]


@settings(max_examples=300, deadline=None)
@given(case=cases(), seed=st.integers(0, 2**20))
def test_walks_of_both_are_the_same(case: tuple[RoadNetwork, Turns], seed: int) -> None:
    road, turns = case
    graph = expand_turns(road, turns)
    rng = random.Random(seed)
    big = graph.road
    for _ in range(20):
        # A random walk of the links, then the one walk of the graph over the same links.
        node, walk = rng.randrange(road.n_nodes), []
        for _ in range(rng.randrange(1, 7)):
            onward = np.flatnonzero(road.tail == node).tolist()
            if not onward or (walk and not road.node_through[node]):
                break
            walk.append(rng.choice(onward))
            node = int(road.head[walk[-1]])
        if walk:
            states = {(int(road.tail[walk[0]]), 0): 0.0}  # node, links driven: cost
            found = math.inf
            open_ = list(states.items())
            start = int(road.tail[walk[0]])
            while open_:
                (at, done), cost = open_.pop()
                if done == len(walk) and at == road.head[walk[-1]]:
                    found = min(found, cost)
                if (at, done) != (start, 0) and not big.node_through[at]:
                    continue
                for row in np.flatnonzero(big.tail == at).tolist():
                    link = int(graph.link_of[row])
                    more = cost + float(big.free_flow_time[row])
                    if link == NO_LINK:
                        open_.append(((int(big.head[row]), done), more))
                    elif done < len(walk) and link == walk[done]:
                        open_.append(((int(big.head[row]), done + 1), more))
            assert found == walk_cost(road, turns, walk)


def test_rows_stand_as_the_interface_says() -> None:
    # 0 → 1 → 2, 1 → 3, 3 → 1: neither 0 → 1 → 2 nor 0 → 1 → 3 → 1 → 2 may be driven.
    road = network([(0, 1), (1, 2), (1, 3), (3, 1)], [1, 2, 3, 4])
    turns = turns_from([[0, 1], [0, 2, 3, 1], [2, 3]], [FORBIDDEN, FORBIDDEN, 5.0])
    graph = expand_turns(road, turns)
    big, n = graph.road, road.n_links
    assert graph.link_of[:n].tolist() == [0, 1, 2, 3]
    for name in ("link_id", "length", "free_flow_time", "capacity", "name"):
        assert getattr(big, name)[:n].tolist() == getattr(road, name).tolist()
    copies = np.flatnonzero(graph.link_of[n:] != NO_LINK) + n
    assert copies.tolist() == [4, 5]
    assert graph.link_of[copies].tolist() == [2, 3]
    arcs = np.flatnonzero(graph.link_of == NO_LINK)
    assert arcs.tolist() == list(range(6, big.n_links))
    assert set(big.free_flow_time[arcs]) == {0.0, 5.0}
    assert not big.length[arcs].any()
    assert not big.alpha[arcs].any()
    assert (big.road_class[arcs] == CONNECTOR).all()
    assert graph.node_of[: road.n_nodes].tolist() == [0, 1, 2, 3]
    assert (big.node_lon == road.node_lon[graph.node_of]).all()
    cost = big.free_flow_time.tolist()
    # Only the second time around is it open: 1 + 3 + 4 + 5, 3 + 4 + 5, 2.
    assert tree(big, cost, 0).cost[2] == 27.0
    assert tree(big, cost, 3).cost[2] == 6.0


def test_terminals_spare_arcs_and_nothing_else() -> None:
    road = network([(0, 1), (1, 0), (1, 2), (2, 1), (1, 3), (3, 1)], [1, 2, 3, 4, 5, 6])
    turns = no_u_turns(road)
    assert sorted(turns.links_of(k) for k in range(turns.n_turns)) == [[0, 1], [3, 2], [5, 4]]
    whole, ends = expand_turns(road, turns), expand_turns(road, turns, np.array([0, 2, 3]))
    assert ends.road.n_links < whole.road.n_links
    for origin in (0, 2, 3):
        costs = [tree(g.road, g.road.free_flow_time.tolist(), origin).cost for g in (whole, ends)]
        assert [costs[0][d] for d in (0, 2, 3)] == [costs[1][d] for d in (0, 2, 3)]


def test_without_rules_nothing_changes() -> None:
    road = network([(0, 1), (1, 0)], [1, 1])
    graph = expand_turns(road, turns_from([]))
    assert graph.road is road
    assert graph.link_of.tolist() == [0, 1]


@pytest.mark.parametrize(("links", "message"), [([0, 2], "links apart"), ([0, 9], "link 9")])
def test_rules_that_fit_no_network(links: list[int], message: str) -> None:
    road = network([(0, 1), (1, 0), (2, 0)], [1, 1, 1])
    with pytest.raises(NetworkError, match=message):
        expand_turns(road, turns_from([links]))
