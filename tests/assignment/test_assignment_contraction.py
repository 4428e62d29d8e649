"""Nodes contracted in turn: neighbours, arcs, triangles and sweeps as sets and loops find them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cczsim.assignment.hierarchy import build_hierarchy, for_origins
from cczsim.columns import Array
from cczsim.kernels.contraction import fill, peel
from cczsim.kernels.hierarchy import NONE
from tests.assignment.test_assignment_frank_wolfe import RANDOM, grid

FREE, ANY = 4, 2


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, Array, Array]:
    n = draw(st.integers(1, 40))
    # Hubs have many neighbours: their lists outgrow the room that they had.
    hubs = draw(st.sampled_from([n, max(1, n // 8)]))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, hubs - 1)), max_size=120))
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    ends = np.array(apart, dtype=np.int32).reshape(-1, 2)
    return n, np.ascontiguousarray(ends[:, 0]), np.ascontiguousarray(ends[:, 1])


def neighbours(n: int, a: Array, b: Array) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(n)]
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        near[i].add(j)
        near[j].add(i)
    return near


def eliminate(near: list[set[int]], node: int) -> set[int]:
    """Take a node out and join its neighbours; return them."""
    around = near[node]
    for other in around:
        near[other] = (near[other] | around) - {other, node}
    near[node] = set()
    return around


@RANDOM
@given(graphs(), st.integers(0, 2**32 - 1))
def test_nodes_of_few_neighbours_are_peeled_off(graph: tuple[int, Array, Array], seed: int) -> None:
    n, a, b = graph
    touched = np.random.default_rng(seed).random(n) < 0.3
    either = np.concatenate([a, b]), np.concatenate([b, a])
    order, first, left = peel(n, *either, touched, FREE, ANY)
    near = neighbours(n, a, b)
    gone: list[int] = []
    for node in order.tolist():
        free = [i for i in range(n) if i not in gone and not touched[i] and len(near[i]) <= FREE]
        others = [i for i in range(n) if i not in gone and len(near[i]) <= ANY]
        # None that may go has fewer neighbours than the one that goes.
        least = min(len(near[i]) for i in (free or others))
        assert len(near[node]) == least or (not free and len(near[node]) <= ANY)
        assert node in free or not free
        eliminate(near, node)
        gone.append(node)
    assert not [i for i in range(n) if i not in gone and len(near[i]) <= ANY]
    for i in range(n):
        assert left[first[i] : first[i + 1]].tolist() == sorted(near[i])


@RANDOM
@given(graphs())
def test_fill_is_what_elimination_adds(graph: tuple[int, Array, Array]) -> None:
    n, a, b = graph
    asked = np.arange(n) % 5 == 0
    rank, needed, parent, size, first, head, pair_arc, triangle_first, triangle = fill(
        n, np.minimum(a, b), np.maximum(a, b), asked
    )
    assert_array_equal(np.sort(rank), np.arange(n))
    near = neighbours(n, rank[a], rank[b])
    wanted = [eliminate(near, node) for node in range(n)]
    upper = [sorted(other for other in around if other > node)
             for node, around in enumerate(wanted)]  # fmt: skip
    for node in range(n):
        assert head[first[node] : first[node + 1]].tolist() == upper[node]
        assert parent[node] == (upper[node][0] if upper[node] else NONE)
    # No arc is more than elimination in the order that was given would have added.
    near = neighbours(n, a, b)
    assert sum(len(eliminate(near, node)) for node in range(n)) == len(head)
    arc_of = {(node, other): first[node] + i
              for node in range(n) for i, other in enumerate(upper[node])}  # fmt: skip
    for i, j, arc in zip(rank[a].tolist(), rank[b].tolist(), pair_arc.tolist(), strict=True):
        assert arc == arc_of[min(i, j), max(i, j)]
    assert triangle.tolist() == [
        arc_of[one, other]
        for node in range(n)
        for i, one in enumerate(upper[node])
        for other in upper[node][i + 1 :]
    ]
    assert triangle_first.tolist() == [0, *np.cumsum([len(u) * (len(u) - 1) // 2 for u in upper])]
    above = {int(rank[node]) for node in np.flatnonzero(asked)}
    for node in range(n):
        if node in above and parent[node] != NONE:
            above.add(int(parent[node]))
    assert set(np.flatnonzero(needed).tolist()) == above
    # In a postorder every subtree is a run of ranks that ends with its root.
    nodes = np.ones(n, dtype=int)
    for node in range(n):
        if parent[node] != NONE:
            nodes[parent[node]] += nodes[node]
    assert_array_equal(size, nodes)
    for node in range(n):
        if parent[node] != NONE:
            assert parent[node] - size[parent[node]] < node - size[node] + 1 <= node


def test_sweeps_begin_where_they_are_asked_to() -> None:
    road, zones, _ = grid(9, 70)
    net = build_hierarchy(road, zones.centroid)
    assert for_origins(net, np.ones(zones.n_zones, dtype=bool)) is net
    asked = np.arange(zones.n_zones) % 3 == 1
    some = for_origins(net, asked)
    held = some.batch_zone[some.batch_zone != NONE]
    assert sorted(held.tolist()) == np.flatnonzero(asked).tolist()
    for batch, lanes in enumerate(some.batch_zone):
        above: set[int] = set()
        for zone in lanes[lanes != NONE]:
            for place in net.seed_place[net.seed_first[zone] : net.seed_first[zone + 1]].tolist():
                while place != NONE:
                    above.add(place)
                    place = int(net.place_above[place])
        begin, end = some.batch_first[batch], some.batch_first[batch + 1]
        assert some.batch_place[begin:end].tolist() == sorted(above)
    none = for_origins(net, np.zeros(zones.n_zones, dtype=bool))
    assert len(none.batch_zone) == 0
