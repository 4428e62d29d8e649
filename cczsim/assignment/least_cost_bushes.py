"""Bushes that hold what they use and all other links of least cost that somebody uses."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.bush_arrays import empty_rows, wider
from cczsim.assignment.bush_solution import BushSolution, arc_flow
from cczsim.columns import Array
from cczsim.kernels.bush import Rows
from cczsim.kernels.bush_entropy import widen
from cczsim.kernels.shortest_path import grow_tree
from cczsim.kernels.types import ForwardStar
from cczsim.network.road import RoadNetwork


class LeastCostBushes:
    """The bushes of an equilibrium, widened so that nobody lacks a way that others have.

    Parameters
    ----------
    solution : BushSolution
    centroid : int array [zone]
        Rows of nodes.
    cost : array [class, row], s
    slack : float, s
        How much a link may miss a least cost.
    shared : bool array [row]
        What bushes may get.
    """

    def __init__(
        self, solution: BushSolution, centroid: Array, cost: Array, slack: float, shared: Array
    ) -> None:
        self._solution, self._cost, self._slack = solution, cost, slack
        n_rows = solution.graph.road.n_links
        own = arc_flow(solution.rows, len(cost) * n_rows).reshape(-1, n_rows).any(axis=0)
        self._star = star = _part_star(solution.graph.road, shared | own, centroid)
        self._shared = shared[star.link]
        self._zone_node = star.rank[centroid]
        n_links, n_nodes = len(star.link), len(star.through)
        self._place = np.full(n_rows, -1, dtype=np.int32)
        self._place[star.link] = np.arange(n_links, dtype=np.int32)
        into_link = np.argsort(star.head, kind="stable").astype(np.int32)
        into_first = np.zeros(n_nodes + 1, dtype=np.int32)
        np.cumsum(np.bincount(star.head, minlength=n_nodes), out=into_first[1:])
        self._into = (into_first, into_link, star.tail[into_link])
        self._own = np.zeros(n_links)
        self._nodes = np.empty((5, n_nodes), dtype=np.int32)
        self._label = np.empty((2, n_nodes))
        self._work = np.empty((2, n_links), dtype=np.int32), np.empty(n_nodes + 1, dtype=np.int32)
        nothing = np.zeros(0, dtype=np.int32)
        self._found = [(nothing, nothing, nothing, self._own[:0])] * len(solution.demand)
        self._at = np.full(solution.demand.shape, -1, dtype=np.int32)
        self._closed = [nothing] * len(solution.demand)
        self.apart = sum(self._widen(bush) for bush in range(len(solution.demand)))

    def close(self, bush: Array, arc: Array) -> None:
        """Take arcs, each of a bush that does not use it, out of it again."""
        n_rows = len(self._place)
        for one in np.unique(bush):
            gone = self._place[arc[bush == one] % n_rows]
            self._closed[one] = np.concatenate([self._closed[one], gone])
            self._widen(int(one))

    def _widen(self, bush: int) -> float:
        """Widen a bush; return what it has on links that are not of least cost, pce/h."""
        rows, star, own = self._solution.rows, self._star, self._own
        user_class, zone = divmod(bush, len(self._zone_node))
        base = user_class * len(self._place)
        used = np.flatnonzero(rows.flow[bush, : rows.first[bush, rows.size[bush]]])
        if not len(used):
            return 0.0
        cost = self._cost[user_class, star.link]
        pred, order, seat = self._nodes[:3]
        label, keys = self._label
        origin = self._zone_node[zone]
        n_reached = grow_tree(star, cost, origin, pred, order, label, self._nodes[3:], keys)
        here = self._place[rows.arc[bush, used] - base]
        own[here] = rows.flow[bush, used]
        dear = label[star.tail[here]] + cost[here] - label[star.head[here]] > self._slack
        apart = float(own[here[dear]].sum())
        (link, tail), first = self._work
        open_before = self._shared[self._closed[bush]]
        self._shared[self._closed[bush]] = False
        goes = (rows.at[bush] >= 0) & (self._solution.demand[bush] > 0.0)
        size = widen(
            star, self._into, cost, self._shared, own, order, n_reached, label, self._slack,
            goes, self._zone_node, seat, self._nodes[3:], first, link, tail,
        )  # fmt: skip
        self._shared[self._closed[bush]] = open_before
        held = link[: first[size]].copy()
        self._found[bush] = (
            first[: size + 1].copy(), star.link[held] + base, tail[: len(held)].copy(), own[held]
        )  # fmt: skip
        self._at[bush, goes] = seat[self._zone_node[goes]]
        own[here] = 0.0
        return apart

    def rows(self) -> Rows:
        """Return the bushes as they are now."""
        n_positions = max((len(first) for first, *_ in self._found), default=0)
        n_arcs = max((len(arc) for _, arc, *_ in self._found), default=0)
        rows = empty_rows(len(self._at), len(self._zone_node))
        rows = rows._replace(
            first=wider(rows.first, max(n_positions, 2)), arc=wider(rows.arc, max(n_arcs, 1)),
            tail=wider(rows.tail, max(n_arcs, 1)), flow=wider(rows.flow, max(n_arcs, 1)),
            at=self._at.copy(),
        )  # fmt: skip
        for bush, (first, arc, tail, flow) in enumerate(self._found):
            rows.size[bush] = max(len(first) - 1, 0)
            rows.first[bush, : len(first)] = first
            rows.arc[bush, : len(arc)] = arc
            rows.tail[bush, : len(arc)] = tail
            rows.flow[bush, : len(arc)] = flow
        return rows


def _part_star(road: RoadNetwork, part: Array, centroid: Array) -> ForwardStar:
    """Return the view of some links of a network, and of no nodes but theirs, for path search."""
    rows = np.flatnonzero(part)
    rows = rows[np.argsort(road.tail[rows], kind="stable")].astype(np.int32)
    tail, head = road.tail[rows], road.head[rows]
    nodes = np.unique(np.concatenate([tail, head, np.asarray(centroid)]))
    rank = np.full(road.n_nodes, -1, dtype=np.int32)
    rank[nodes] = np.arange(len(nodes), dtype=np.int32)
    first_out = np.zeros(len(nodes) + 1, dtype=np.int32)
    np.cumsum(np.bincount(rank[tail], minlength=len(nodes)), out=first_out[1:])
    star = ForwardStar(
        first_out,
        rank[tail],
        rank[head],
        road.node_through[nodes],
        np.asarray(rows, dtype=np.int32),
        rank,
    )
    for array in star:
        array.flags.writeable = False
    return star
