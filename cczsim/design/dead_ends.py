"""Streets that lead on from dead ends, and streets over rivers.

Rules, with the numbers that the code carries:

1. A dead end leads on straight ahead, or up to ``turn`` to either side, to the first street within
   ``reach``; the straightest way that is good is taken. It crosses nothing that is kept out of.
2. It meets that street at ``min_angle`` or more, and in a junction where one is near.
3. Of two dead ends that lead on to places within ``spacing`` of each other the shorter one does.
4. A bridge joins two junctions or dead ends within ``bank`` of what is kept out of, on either side,
   by the shortest way of at most ``span``; bridges, old ones too, are ``apart`` or more. The way
   leads into the water once and out of it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.design.cuts import Junctions, Point
from cczsim.design.site import Site

_TURNS: Final = (0.0, 12.0, -12.0, 25.0, -25.0)


@dataclass(frozen=True)
class LinkRules:
    """What streets from dead ends and over rivers have to be like; lengths in m."""

    reach: float = 150.0
    min_length: float = 15.0
    min_angle: float = 45.0
    spacing: float = 40.0
    bank: float = 120.0
    span: float = 0.0
    apart: float = 600.0


def dead_end_ways(site: Site, rules: LinkRules, junctions: Junctions) -> list[tuple[Point, Point]]:
    """Return the streets that lead on from the dead ends of an area, shortest first."""
    import shapely

    tree = shapely.STRtree(site.lines)
    shapely.prepare(site.area)
    found: list[tuple[float, Point, Point]] = []
    for node, heading in _dead_ends(site):
        end = (float(site.node_xy[node][0]), float(site.node_xy[node][1]))
        for turn in _TURNS:
            way = _ahead(site, tree, rules, junctions, end, heading + np.radians(turn), node)
            if way is not None:
                found.append((hypot(way[0] - end[0], way[1] - end[1]), end, way))
                break
    found.sort()
    kept: list[tuple[Point, Point]] = []
    taken = Junctions((), rules.spacing)
    lines: list[Any] = []
    for _, end, other in found:
        if taken.near(end) or taken.near(other):
            continue
        line = shapely.LineString([end, other])
        if any(shapely.crosses(line, one) for one in lines[-200:]):
            continue
        taken.add(end)
        taken.add(other)
        lines.append(line)
        kept.append((end, other))
    return kept


def _dead_ends(site: Site) -> list[tuple[int, float]]:
    """Return nodes with one street inside the area, and which way that street was heading."""
    import shapely

    out = []
    for street in np.flatnonzero(site.open_):
        points: Array | None = None
        for node, at_head in ((site.tail[street], False), (site.head[street], True)):
            if site.legs[node] != 1 or not np.isfinite(site.node_xy[node]).all():
                continue
            if not shapely.contains_xy(site.area, *site.node_xy[node]):
                continue
            if points is None:
                points = shapely.get_coordinates(site.lines[street])
            run = points[::-1] if at_head else points
            steps = np.hypot(*(run - run[0]).T)
            far = np.flatnonzero(steps >= 10.0)
            behind = run[far[0]] if len(far) else run[-1]
            out.append((int(node), float(np.arctan2(*(run[0] - behind)[::-1]))))
    return out


def _ahead(
    site: Site, tree: Any, rules: LinkRules, junctions: Junctions, end: Point, heading: float,
    node: int,
) -> Point | None:  # fmt: skip
    """Return where a dead end meets the next street ahead, or None where it should not."""
    import shapely

    tip = (end[0] + rules.reach * np.cos(heading), end[1] + rules.reach * np.sin(heading))
    ray = shapely.LineString([end, tip])
    near = tree.query(ray, predicate="intersects")
    near = near[(site.tail[near] != node) & (site.head[near] != node)]
    best: tuple[float, Point, int] | None = None
    for street in np.sort(near):
        met = shapely.intersection(ray, site.lines[street])
        if met.is_empty:
            continue
        points = shapely.get_coordinates(met)
        far = np.hypot(points[:, 0] - end[0], points[:, 1] - end[1])
        k = int(np.argmin(far))
        if best is None or far[k] < best[0]:
            best = (float(far[k]), (float(points[k, 0]), float(points[k, 1])), int(street))
    if best is None or best[0] < rules.min_length or not site.open_[best[2]]:
        return None
    place, street = best[1], best[2]
    line = site.lines[street]
    at = shapely.line_locate_point(line, shapely.Point(place))
    a, b = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, d))[0]
        for d in (max(at - 3.0, 0.0), min(at + 3.0, line.length))
    )
    side = float(np.arctan2(*(b - a)[::-1]))
    turn = abs(np.degrees(heading - side)) % 180.0
    if min(turn, 180.0 - turn) < rules.min_angle:
        return None
    for other in junctions.near(place):
        if shapely.distance(line, shapely.Point(other)) < 0.5:
            place = other
            break
    way = shapely.LineString([end, place])
    crossed = tree.query(way, predicate="crosses")
    if len(crossed) or shapely.intersects(way, site.barred):
        return None
    return place


def bridge_ways(site: Site, rules: LinkRules) -> list[tuple[Point, Point]]:
    """Return streets over what is kept out of, shortest first; none where ``span`` is 0."""
    import shapely
    from scipy.spatial import cKDTree

    if rules.span <= 0.0 or site.barred.is_empty:
        return []
    ends = np.unique(np.concatenate([site.tail[site.open_], site.head[site.open_]]))
    ends = ends[(site.legs[ends] == 1) | (site.legs[ends] >= 3)]
    ends = ends[np.isfinite(site.node_xy[ends]).all(axis=1)]
    at = site.node_xy[ends]
    points = shapely.points(at)
    shapely.prepare(site.area)
    shapely.prepare(site.barred)
    near = shapely.dwithin(site.barred, points, rules.bank) & ~shapely.intersects(
        site.barred, points
    )
    near &= shapely.contains(site.area, points)
    at = at[near]
    if len(at) < 2:
        return []
    pairs = cKDTree(at).query_pairs(rules.span, output_type="ndarray")
    lines = shapely.linestrings(np.stack([at[pairs[:, 0]], at[pairs[:, 1]]], axis=1))
    wet = shapely.intersection(lines, site.barred)
    over = (shapely.length(wet) >= 30.0) & (shapely.get_type_id(wet) == 1)
    pairs, lines = pairs[over], lines[over]
    tree = shapely.STRtree(site.lines)
    old = site.lines[shapely.crosses(site.lines, site.barred)]
    bridges = list(shapely.get_parts(shapely.intersection(old, site.barred))) if len(old) else []
    order = np.lexsort((pairs[:, 1], pairs[:, 0], shapely.length(lines)))
    kept: list[tuple[Point, Point]] = []
    for k in order:
        if len(tree.query(lines[k], predicate="crosses")):
            continue
        if bridges and shapely.distance(np.array(bridges), lines[k]).min() < rules.apart:
            continue
        bridges.append(lines[k])
        a, b = at[pairs[k, 0]], at[pairs[k, 1]]
        kept.append(((float(a[0]), float(a[1])), (float(b[0]), float(b[1]))))
    return kept
