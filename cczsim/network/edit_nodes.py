"""Where new streets meet old ones and each other: junctions on curves, merged into nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array

MERGE: Final = 1.0
"""Junctions nearer than this along one street are one, m."""


@dataclass(frozen=True, eq=False)
class JoinedNodes:
    """Junctions inside curves and the nodes of all ends.

    Parameters
    ----------
    curve, position, node : array [junction]
        Curve, distance along it (m) and node; by curve, then along it. Ends are not here.
    start, end : array [curve]
        Nodes of the ends.
    new_xy : array [made node, 2], m
        Places of nodes ``n_nodes, n_nodes + 1, …``.
    """

    curve: Array
    position: Array
    node: Array
    start: Array
    end: Array
    new_xy: Array


class _Groups:
    """Union-find over junctions and nodes; two nodes that were there before never unite."""

    def __init__(self, size: int, n_fixed: int) -> None:
        self.parent = list(range(size))
        self.n_fixed = n_fixed

    def root(self, a: int) -> int:
        parent = self.parent
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    def unite(self, a: int, b: int) -> bool:
        a, b = self.root(a), self.root(b)
        if a == b:
            return True
        if a > b:
            a, b = b, a
        if b < self.n_fixed:
            return False
        self.parent[b] = a  # the lowest number, so a node that was there, leads
        return True


def find_junctions(
    *, curves: Array, n_old: int, tail: Array, head: Array, n_nodes: int, node_xy: Array,
    joinable: Array, motorway: Array, ends_anywhere: Array, crossable: Array, snap: float,
    cross: bool,
) -> JoinedNodes:  # fmt: skip
    """Return where curves are cut and by which nodes.

    Parameters
    ----------
    curves : array [curve] of shapely lines, m
        Streets that were there, then the new ones.
    n_old : int
    tail, head : array [old curve]
        Their nodes.
    n_nodes : int
    node_xy : array [node, 2], m
    joinable, motorway, ends_anywhere, crossable : array [curve], bool
        Whether an end may stand on the curve, whether only ``ends_anywhere`` curves may end
        there, and whether crossings become junctions.
    snap : float
        m.
    cross : bool
    """
    import shapely

    n_curves, n_new = len(curves), len(curves) - n_old
    length = shapely.length(curves)
    new = np.arange(n_old, n_curves)
    # Keys of the union: nodes, then the two ends of each new curve, then events.
    end_key = n_nodes + np.arange(2 * n_new).reshape(n_new, 2)
    start = np.concatenate([tail, end_key[:, 0]]).astype(np.int64)
    end = np.concatenate([head, end_key[:, 1]]).astype(np.int64)
    end_xy = np.stack(
        [
            shapely.get_coordinates(shapely.get_point(curves[new], 0)),
            shapely.get_coordinates(shapely.get_point(curves[new], -1)),
        ],
        axis=1,
    )
    tree = shapely.STRtree(curves)
    same, on_curve, on_position, on_key = _snap_ends(
        tree, curves, new, end_xy, end_key, length, start, end,
        joinable, motorway, ends_anywhere, snap,
    )  # fmt: skip
    events = [(on_curve, on_position, on_key)]
    xy = [node_xy, end_xy.reshape(-1, 2)]
    n_keys = n_nodes + 2 * n_new
    if cross:
        a, b, points = _crossings(tree, curves, new, crossable)
        key = n_keys + np.arange(len(a))
        n_keys += len(a)
        xy.append(shapely.get_coordinates(points))
        events += [(s, shapely.line_locate_point(curves[s], points), key) for s in (a, b)]
    groups = _Groups(n_keys, n_nodes)
    for one, other in same:
        groups.unite(one, other)
    curve = np.concatenate([e[0] for e in events]).astype(np.int64)
    position = np.concatenate([e[1] for e in events])
    key = np.concatenate([e[2] for e in events]).astype(np.int64)
    order = np.lexsort((key, position, curve))
    curve, position, key = curve[order], position[order], key[order]
    _merge_near(groups, curve, position, key, length, start, end)
    root = np.array([groups.root(k) for k in range(n_keys)], dtype=np.int64)
    return _number(root, curve, position, key, start, end, n_nodes, np.concatenate(xy))


def _snap_ends(
    tree: Any, curves: Array, new: Array, end_xy: Array, end_key: Array, length: Array,
    start: Array, end: Array, joinable: Array, motorway: Array, ends_anywhere: Array, snap: float,
) -> tuple[list[tuple[int, int]], Array, Array, Array]:  # fmt: skip
    """Return ends that are one with other ends, and junctions of ends inside curves."""
    import shapely

    points = shapely.points(end_xy.reshape(-1, 2))
    keys, own = end_key.ravel(), np.repeat(new, 2)
    which, near = tree.query(points, predicate="dwithin", distance=snap)
    allowed = (own[which] != near) & (joinable[near] | (length[near] > 0))
    allowed &= ~motorway[near] | ends_anywhere[own[which]]
    which, near = which[allowed], near[allowed]
    distance = shapely.distance(points[which], curves[near])
    position = shapely.line_locate_point(curves[near], points[which])
    # Reach of a curve's ends: snap, but never beyond the middle of a short curve.
    to_start = shapely.distance(points[which], shapely.get_point(curves[near], 0))
    to_end = shapely.distance(points[which], shapely.get_point(curves[near], -1))
    at_end = np.minimum(to_start, to_end) <= snap
    inside = joinable[near]
    usable = at_end | inside
    rank = np.where(at_end, np.minimum(to_start, to_end), distance + snap)
    which, near, rank, position = which[usable], near[usable], rank[usable], position[usable]
    at_end, to_start, to_end = at_end[usable], to_start[usable], to_end[usable]
    order = np.lexsort((near, rank, which))
    best = order[np.unique(which[order], return_index=True)[1]] if len(order) else order
    ends = best[at_end[best]]
    other = np.where(to_start[ends] <= to_end[ends], start[near[ends]], end[near[ends]])
    same = list(zip(keys[which[ends]].tolist(), other.tolist(), strict=True))
    inner = best[~at_end[best]]
    return same, near[inner], position[inner], keys[which[inner]]


def _crossings(tree: Any, curves: Array, new: Array, crossable: Array) -> tuple[Array, ...]:
    """Return pairs of curves and their crossing points, each pair of new curves once."""
    import shapely

    mine = new[crossable[new]]
    a, b = tree.query(curves[mine], predicate="intersects")
    a = mine[a]
    keep = crossable[b] & ((b < new[0]) | (a < b))
    order = np.lexsort((b[keep], a[keep]))
    a, b = a[keep][order], b[keep][order]
    met = shapely.intersection(curves[a], curves[b])
    parts, pair = shapely.get_parts(met, return_index=True)
    # Where two lines overlap, the ends of the shared stretch are the junctions.
    line = shapely.get_type_id(parts) == 1
    points = np.concatenate(
        [parts[~line], shapely.get_point(parts[line], 0), shapely.get_point(parts[line], -1)]
    )
    pair = np.concatenate([pair[~line], pair[line], pair[line]])
    good = shapely.get_type_id(points) == 0
    return a[pair[good]], b[pair[good]], points[good]


def _merge_near(
    groups: _Groups, curve: Array, position: Array, key: Array, length: Array, start: Array,
    end: Array,
) -> None:  # fmt: skip
    """Unite junctions that lie within MERGE of each other or of an end (rule 3)."""
    last_curve, last_position, last_key = -1, 0.0, 0
    for c, p, k in zip(curve.tolist(), position.tolist(), key.tolist(), strict=True):
        if p <= MERGE:
            groups.unite(k, int(start[c]))
        if length[c] - p <= MERGE:
            groups.unite(k, int(end[c]))
        if c == last_curve and p - last_position <= MERGE:
            groups.unite(k, last_key)
        last_curve, last_position, last_key = c, p, k


def _number(
    root: Array, curve: Array, position: Array, key: Array, start: Array, end: Array, n_nodes: int,
    xy: Array,
) -> JoinedNodes:  # fmt: skip
    """Return made nodes in the order of their keys, without junctions that are ends or twice."""
    used = np.unique(np.concatenate([root[start], root[end], root[key]]))
    made = used[used >= n_nodes]
    number = np.arange(len(root))
    number[made] = n_nodes + np.arange(len(made))
    node = number[root[key]]
    begin, finish = number[root[start]], number[root[end]]
    inner = (node != begin[curve]) & (node != finish[curve])
    curve, position, node = curve[inner], position[inner], node[inner]
    again = np.zeros(len(curve), dtype=bool)
    again[1:] = (curve[1:] == curve[:-1]) & (node[1:] == node[:-1])
    return JoinedNodes(curve[~again], position[~again], node[~again], begin, finish, xy[made])
