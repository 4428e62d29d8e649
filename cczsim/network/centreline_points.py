"""Streets cut where their carriageways face each other, and the points that become one.

Numbers in the code are the rules of :mod:`cczsim.network.centrelines`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.facing import Facing, Plane
from cczsim.network.road import NO_LINK, RoadNetwork

SNAP: Final = 12.0
WIDE: Final = 30.0
NARROW: Final = 10.0
SPREAD: Final = 100.0


@dataclass(frozen=True, eq=False)
class Sections:
    """Streets cut where rule 2 asks for it; points are nodes, then cuts.

    Parameters
    ----------
    link : array [section]
    tail, head : array [section]
        Points.
    first : array [section + 1]
    x, y : array [shape point], m
    """

    link: Array
    tail: Array
    head: Array
    first: Array
    x: Array
    y: Array

    @property
    def length(self) -> Array:
        """Length of each section, ``[section], m``."""
        step = np.hypot(np.diff(self.x), np.diff(self.y))
        total = np.concatenate([[0.0], np.cumsum(step)])
        return np.asarray(total[self.first[1:] - 1] - total[self.first[:-1]])


def cut_streets(
    road: RoadNetwork, plane: Plane, rows: Array, facing: Facing
) -> tuple[Sections, Array]:
    """Cut streets at the points that ends and edges face; return pairs of points that are tied."""
    length, n = plane.length, road.n_nodes
    link, offset, faces = facing.link, facing.offset, facing.faces
    end = (offset <= 0.0) | (offset >= length[link] - 1e-6) if len(link) else faces
    same = link[1:] == link[:-1]
    edge = np.zeros(len(link), dtype=bool)
    change = same & (faces[1:] != faces[:-1])
    edge[1:] |= change & faces[1:]
    edge[:-1] |= change & faces[:-1]
    place = np.flatnonzero(faces & (facing.other != NO_LINK) & (end | edge))  # 2

    def point(of: Array, at: Array) -> tuple[Array, Array]:
        """Return the node that a place snaps to, or -1, and the place along all links."""
        back = length[of] - at
        to_tail = (at <= SNAP) & (at <= back)
        to_head = (back <= SNAP) & ~to_tail
        node = np.where(to_tail, road.tail[of], np.where(to_head, road.head[of], -1))
        return node, plane.begin[of] + at

    ends = [
        point(link[place], offset[place]),
        point(facing.other[place], facing.other_offset[place]),
    ]
    of = np.concatenate([link[place], facing.other[place]])
    node = np.concatenate([ends[0][0], ends[1][0]])
    at = np.concatenate([ends[0][1], ends[1][1]])
    cut = np.flatnonzero(node < 0)
    order = cut[np.lexsort((at[cut], of[cut]))]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (of[order][1:] != of[order][:-1]) | (np.diff(at[order]) > SNAP)
    cluster = np.cumsum(new) - 1
    node[order] = n + cluster
    n_cuts = int(new.sum())
    where = np.bincount(cluster, at[order], minlength=n_cuts) / np.bincount(
        cluster, minlength=n_cuts
    )
    owner = of[order][new]
    tied = node.reshape(2, -1).T
    return _sections(road, plane, rows, owner, where, n), tied


def _sections(
    road: RoadNetwork, plane: Plane, rows: Array, owner: Array, where: Array, n: int
) -> Sections:
    """Return the streets with cuts at places along all links."""
    street = np.zeros(road.n_links, dtype=bool)
    street[rows] = True
    of_point = np.repeat(np.arange(road.n_links), np.diff(plane.first))
    x, y, _, _ = plane.at(owner, where - plane.begin[owner])
    # A cut is the last point of one section and the first of the next.
    link = np.concatenate([of_point, owner, owner])
    along = np.concatenate([plane.along, where, where])
    size, cuts = len(of_point), len(owner)
    rank = np.concatenate([np.arange(size), np.full(cuts, -1), np.full(cuts, size)])
    point = np.concatenate([np.full(size, -1), np.arange(cuts), np.arange(cuts)])
    begins = np.concatenate([np.zeros(size, bool), np.zeros(cuts, bool), np.ones(cuts, bool)])
    begins[plane.first[:-1]] = True
    order = np.lexsort((rank, along, link))
    order = order[street[link[order]]]
    link, begins, point = link[order], begins[order], point[order]
    first = np.append(np.flatnonzero(begins), len(order))
    own = link[first[:-1]]
    begin, end = point[first[:-1]], point[first[1:] - 1]
    return Sections(
        own,
        np.where(begin >= 0, n + begin, road.tail[own]),
        np.where(end >= 0, n + end, road.head[own]),
        first,
        np.concatenate([plane.x, x, x])[order],
        np.concatenate([plane.y, y, y])[order],
    )


def point_places(road: RoadNetwork, sections: Sections) -> tuple[Array, Array]:
    """Return the places of nodes and cuts, m."""
    n = max(
        road.n_nodes, int(max(sections.tail.max(initial=-1), sections.head.max(initial=-1))) + 1
    )
    px, py = np.full(n, np.nan), np.full(n, np.nan)
    begin, end = sections.first[:-1], sections.first[1:] - 1
    px[sections.tail], py[sections.tail] = sections.x[begin], sections.y[begin]
    px[sections.head], py[sections.head] = sections.x[end], sections.y[end]
    return px, py


def join_points(
    sections: Sections, tied: Array, px: Array, py: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the group of each point, the places of groups, and which groups have moved (2, 3)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(px)
    tie = coo_array((np.ones(len(tied), dtype=np.int8), (tied[:, 0], tied[:, 1])), shape=(n, n))
    count, group = connected_components(tie, directed=False)
    group = np.asarray(group, dtype=np.int64)
    size = np.bincount(group, minlength=count)
    u, v = group[sections.tail], group[sections.head]
    neighbours = np.unique(np.column_stack([np.minimum(u, v), np.maximum(u, v)])[u != v], axis=0)
    arms = np.bincount(neighbours.ravel(), minlength=count)
    dual = size > 1
    limit = np.where(dual[u] & dual[v], WIDE, np.where((arms[u] > 2) & (arms[v] > 2), NARROW, -1.0))
    length = sections.length
    short = np.flatnonzero((u != v) & (length <= limit))
    parent = np.arange(count)
    box = np.full((count, 4), np.inf)
    for column, values in enumerate((px, py, -px, -py)):
        np.fmin.at(box[:, column], group, values)

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = int(parent[k])
        return k

    for k in short[np.argsort(length[short], kind="stable")].tolist():
        a, b = root(int(u[k])), root(int(v[k]))
        if a == b:
            continue
        both = np.minimum(box[a], box[b])
        if max(-both[2] - both[0], -both[3] - both[1]) <= SPREAD:
            low, high = min(a, b), max(a, b)
            parent[high] = low
            box[low] = both
    roots = np.array([root(k) for k in range(count)], dtype=np.int64)
    group = np.unique(roots[group], return_inverse=True)[1].ravel()
    known = np.isfinite(px)
    size = np.bincount(group[known], minlength=group.max(initial=-1) + 1)
    safe = np.maximum(size, 1)
    gx = np.bincount(group[known], px[known], minlength=len(size)) / safe
    gy = np.bincount(group[known], py[known], minlength=len(size)) / safe
    return group, gx, gy, size > 1
