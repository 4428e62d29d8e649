"""Dual carriageways drawn as one line and junctions as one point: for densities and maps only.

The directed network stays as it is for assignment; this makes another one beside it. Rules, with
the numbers that the code carries:

1. Carriageways lie opposite each other as :mod:`cczsim.network.facing` finds.
2. The ends of each candidate, and the places where it begins or ceases to face another, are tied
   to the point that they face: to the end of the link there if it is within ``SNAP``, else the
   link is cut at that point. Points that are tied are one point, in their middle.
3. Ends of one short link are one point as well: up to ``WIDE`` between points of dual
   carriageways, up to ``NARROW`` between other junctions, as long as all that becomes one point
   lies within ``SPREAD``.
4. Two sections of candidates of one class, open in opposite directions, with the same two ends, not
   named differently and at most ``REACH`` apart, are one street, drawn in their middle. Its two
   links keep the lanes, the speed and the way of the carriageway of their direction.
5. Of what is left, streets that begin and end in one point and are no longer than ``SPREAD``
   are gone, and so are those that only cross the median: between ends of a street drawn in the
   middle, at most ``REACH`` longer than it, within half of ``REACH`` of it.
6. What touched a point that moved is drawn to where it is now, and measured again.

Nothing that was connected comes apart, since points are joined only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.centreline_points import (
    SPREAD,
    Sections,
    cut_streets,
    join_points,
    point_places,
)
from cczsim.network.edit import carriageway_rows, lines_of
from cczsim.network.facing import REACH, Plane, candidate_links, find_facing, plane_of
from cczsim.network.geometry import polyline_lengths, unproject
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork

SMOOTH: Final = 0.3
_STEP: Final = 10.0


@dataclass(frozen=True, eq=False)
class Centrelines:
    """A network for densities and maps, and what became of length and connection (plain JSON)."""

    road: RoadNetwork
    report: dict[str, Any]


def draw_centrelines(road: RoadNetwork) -> Centrelines:
    """Return the streets of a network with dual carriageways drawn as one line.

    Connectors are left out.

    Raises
    ------
    ColumnError
        The nodes have no coordinates.
    """
    plane = plane_of(road)
    rows = carriageway_rows(road)
    candidates = candidate_links(road)
    facing = find_facing(road, plane, candidates)
    sections, tied = cut_streets(road, plane, rows, facing)
    px, py = point_places(road, sections)
    group, px, py, moved = join_points(sections, tied, px, py)
    u, v = group[sections.tail], group[sections.head]
    candidate = np.zeros(road.n_links, dtype=bool)
    candidate[candidates] = True
    a, b, middle = _pairs(road, sections, candidate[sections.link], u, v)
    gone = _gone(sections, u, v, a, b, middle)
    return _assemble(road, plane, sections, (px, py, moved, u, v), (a, b, middle), gone)


def _pairs(
    road: RoadNetwork, sections: Sections, candidate: Array, u: Array, v: Array
) -> tuple[Array, Array, tuple[Array, Array, Array]]:
    """Return sections to be drawn as one, and the points between them (4)."""
    rows = np.flatnonzero(candidate & (u != v))
    low, high = np.minimum(u, v)[rows], np.maximum(u, v)[rows]
    onward = (u[rows] == low).astype(np.int64)
    road_class = road.road_class[sections.link[rows]]
    length = sections.length[rows]
    order = np.lexsort((rows, length, onward, road_class, high, low))
    rows, low, high = rows[order], low[order], high[order]
    onward, road_class = onward[order], road_class[order]
    ends = np.column_stack([low, high, road_class])
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (ends[1:] != ends[:-1]).any(axis=1) | (onward[1:] != onward[:-1])
    rank = np.arange(len(rows)) - np.flatnonzero(new)[np.cumsum(new) - 1]
    key = np.column_stack([ends, rank])
    side = [np.flatnonzero(onward == 0), np.flatnonzero(onward == 1)]
    _, which = np.unique(key, axis=0, return_inverse=True)
    which = which.ravel()
    _, i, j = np.intersect1d(which[side[0]], which[side[1]], return_indices=True)
    b, a = rows[side[0][i]], rows[side[1][j]]
    name_a, name_b = road.name[sections.link[a]], road.name[sections.link[b]]
    same = np.asarray((name_a == name_b) | (name_a == "") | (name_b == ""))
    a, b = a[same], b[same]
    first, ax, ay, bx, by = _beside(sections, a, b)
    apart = np.hypot(ax - bx, ay - by)
    furthest = np.maximum.reduceat(apart, first[:-1]) if len(a) else apart
    near = furthest <= REACH
    if not near.all():
        a, b = a[near], b[near]
        first, ax, ay, bx, by = _beside(sections, a, b)
    return a, b, (first, (ax + bx) / 2, (ay + by) / 2)


def _beside(sections: Sections, a: Array, b: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return as many points along each of two sections, the second backwards."""
    if not len(a):
        none = np.zeros(0)
        return np.zeros(1, dtype=np.int64), none, none, none, none
    step = np.hypot(np.diff(sections.x), np.diff(sections.y))
    step[sections.first[1:-1] - 1] = 1.0  # sections lie apart along the axis
    along = np.concatenate([[0.0], np.cumsum(step)])
    begin, end = along[sections.first[:-1]], along[sections.first[1:] - 1]
    count = np.ceil(np.maximum(end - begin, 0.0)[a] / _STEP).astype(np.int64) + 1
    count = np.maximum(count, 2)
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    share = (np.arange(first[-1]) - np.repeat(first[:-1], count)) / np.repeat(count - 1, count)
    out = [first]
    for rows, part in ((a, share), (b, 1.0 - share)):
        at = np.repeat(begin[rows], count) + part * np.repeat((end - begin)[rows], count)
        out += [np.interp(at, along, sections.x), np.interp(at, along, sections.y)]
    return out[0], out[1], out[2], out[3], out[4]


def _gone(
    sections: Sections, u: Array, v: Array, a: Array, b: Array,
    middle: tuple[Array, Array, Array],
) -> Array:  # fmt: skip
    """Return which sections are drawn no more: loops in a point, crossings of the median (5)."""
    import shapely

    length = sections.length
    gone = (u == v) & (length <= SPREAD)
    ends = np.column_stack([np.minimum(u, v), np.maximum(u, v)])
    key = np.unique(ends, axis=0, return_inverse=True)[1].ravel()
    street = np.full(key.max(initial=-1) + 1, -1)
    street[key[a]] = np.arange(len(a))
    rest = np.ones(len(u), dtype=bool)
    rest[a] = rest[b] = False
    rows = np.flatnonzero(rest & (u != v) & (street[key] >= 0))
    if len(rows):
        own = street[key[rows]]
        drawn = lines_of(*middle)[own]
        lines = lines_of(sections.first, sections.x, sections.y)[rows]
        near = shapely.hausdorff_distance(drawn, lines) <= REACH / 2
        near &= length[rows] <= shapely.length(drawn) + REACH
        gone[rows[near]] = True
    return np.asarray(gone)


def _assemble(
    road: RoadNetwork, plane: Plane, sections: Sections,
    points: tuple[Array, Array, Array, Array, Array],
    pairs: tuple[Array, Array, tuple[Array, Array, Array]], gone: Array,
) -> Centrelines:  # fmt: skip
    """Return the network of what is left, and the account."""
    import shapely

    px, py, moved, u, v = points
    a, b, (first, mx, my) = pairs
    single = ~gone
    single[a] = single[b] = False
    rows = np.flatnonzero(single)
    lines = np.concatenate(
        [lines_of(sections.first, sections.x, sections.y)[rows], np.zeros(0, dtype=object)]
    )
    drawn = lines_of(first, mx, my) if len(a) else np.zeros(0, dtype=object)
    lines = np.concatenate([lines, shapely.simplify(drawn, SMOOTH)])
    section = np.concatenate([rows, a])
    xy = shapely.get_coordinates(lines)
    size = shapely.get_num_coordinates(lines)
    first = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    xy[first[:-1]] = np.column_stack([px, py])[u[section]]  # 6
    xy[first[1:] - 1] = np.column_stack([px, py])[v[section]]
    lon, lat = unproject(xy[:, 0], xy[:, 1], plane.crs)
    length = polyline_lengths(first, lon, lat)
    whole = np.bincount(sections.link, minlength=road.n_links) == 1
    as_was = whole[sections.link[section]] & ~moved[u[section]] & ~moved[v[section]]
    as_was[len(rows) :] = False
    length = np.where(as_was, road.length[sections.link[section]], length)
    back = np.concatenate([road.reverse_link[sections.link[rows]], sections.link[b]])
    out = _links(road, sections.link[section], back, (u[section], v[section]), length, as_was,
                 (first, lon, lat), (px, py), plane.crs, len(rows))  # fmt: skip
    return Centrelines(out, _report(road, out, len(a), sections, gone, a, b))


def _links(
    road: RoadNetwork, link: Array, back: Array, ends: tuple[Array, Array], length: Array,
    as_was: Array, shapes: tuple[Array, Array, Array], place: tuple[Array, Array], crs: str,
    n_single: int,
) -> RoadNetwork:  # fmt: skip
    """Return streets as links: onward, then backward where they are open that way."""
    both = np.flatnonzero(back != NO_LINK)
    street = np.concatenate([np.arange(len(link)), both])
    source = np.concatenate([link, back[both]])
    columns = road.take("link", source)
    used, local = np.unique(np.concatenate(ends), return_inverse=True)
    tail, head = local.ravel().reshape(2, -1)
    n = len(link)
    reverse = np.full(len(street), NO_LINK)
    reverse[both], reverse[n:] = np.arange(n, n + len(both)), both
    scale = length[street] / np.where(road.length[source] > 0.0, road.length[source], 1.0)
    drawn = np.where(as_was[street], columns["geometry_source"], int(Source.DERIVED))
    first, lon, lat = shapes
    size = np.diff(first)
    count = size[street]
    new_first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    within = np.arange(new_first[-1]) - np.repeat(new_first[:-1], count)
    turned = np.repeat(np.arange(len(street)) >= n, count)
    within = np.where(turned, np.repeat(count, count) - 1 - within, within)
    index = np.repeat(first[:-1][street], count) + within
    columns |= {
        "link_id": np.arange(1, len(street) + 1),
        "tail": np.concatenate([tail, head[both]]),
        "head": np.concatenate([head, tail[both]]),
        "length": length[street],
        "free_flow_time": columns["free_flow_time"] * scale,
        "toll": columns["toll"] * scale,
        "reverse_link": reverse,
        "geometry_source": drawn,
        "dual_carriageway": columns["dual_carriageway"] & (street < n_single),
    }
    node_lon, node_lat = unproject(place[0][used], place[1][used], crs)
    return RoadNetwork(
        node_id=np.arange(1, len(used) + 1), node_lon=node_lon, node_lat=node_lat, **columns,
        shape_first=new_first, shape_lon=lon[index], shape_lat=lat[index],
    )  # fmt: skip


def _report(
    road: RoadNetwork, out: RoadNetwork, n_merged: int, sections: Sections, gone: Array,
    a: Array, b: Array,
) -> dict[str, Any]:  # fmt: skip
    length = sections.length
    return {
        "before": _state(road),
        "after": _state(out),
        "streets_drawn_in_the_middle": n_merged,
        "carriageways_km": float((length[a].sum() + length[b].sum()) / 1e3),
        "left_out": {"streets": int(gone.sum()), "km": float(length[gone].sum() / 1e3)},
    }


def _state(road: RoadNetwork) -> dict[str, Any]:
    """Return length, junctions and weak components of the streets of a network."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = carriageway_rows(road)
    tail, head = road.tail[rows], road.head[rows]
    nodes, local = np.unique(np.concatenate([tail, head]), return_inverse=True)
    tail, head = local.ravel().reshape(2, -1)
    n = len(nodes)
    tie = coo_array((np.ones(len(rows), dtype=np.int8), (tail, head)), shape=(n, n))
    count, label = connected_components(tie, directed=False) if n else (0, np.zeros(0, int))
    km = np.bincount(label[tail], road.length[rows], minlength=count) / 1e3
    arms = np.bincount(np.concatenate([tail, head]), minlength=n)
    one_way = road.reverse_link[rows] == NO_LINK
    return {
        "streets": len(rows),
        "km": float(road.length[rows].sum() / 1e3),
        "one_way_km": float(road.length[rows][one_way].sum() / 1e3),
        "nodes": n,
        "junctions": int((arms > 2).sum()),
        "parts": int(count),
        "largest_part_km": float(km.max(initial=0.0)),
    }
