"""Grow local streets inside areas until a length of counted centrelines is reached.

The generator, with the numbers that the code carries:

1. Blocks are the faces of the street network inside an area; water, parks and other no-go polygons
   are cut out. A face with a hole is first cut through the middle of the hole.
2. The largest block is halved, of equal ones the one that has stood longest: by a cut across the
   long axis of its minimum rotated rectangle, through the centre. Where such a cut meets no
   street, the block is cut along that axis instead, or not at all.
3. A cut ends on streets; on the edge of the area, on water or on a motorway it is a dead end, and
   one of its ends is always on a street. It never crosses water.
4. No part is smaller than ``min_block``, and no cut shorter than ``min_width``.
5. Length counts by the caller's weight of each link (0.5 for each direction of a two-way
   street); what lies within 1 m of the edge of the area counts half. New streets count in full.
6. The last cut is the one whose length fits best; if none comes within the tolerance, it stays a
   dead end of the length that is missing.

The same input gives the same streets: no random number is drawn.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import NetworkError
from cczsim.network.edit import MOTORWAYS, carriageway_rows, lines_of
from cczsim.network.geometry import local_crs, project, take_ragged, unproject
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.street_line import StreetLine
from cczsim.sketch.blocks import Block, Cut, halve, ring_area

TOLERANCE: Final = 0.005
_LOOK: Final = 64


@dataclass(frozen=True)
class StreetSpec:
    """What the generated streets are.

    Parameters
    ----------
    road_class : str
    lanes, speed, capacity : float
        Of each direction: lanes, m/s, pce/h.
    main_class : str
        Class of cuts longer than ``main_from`` m.
    main_speed, main_capacity, main_from : float
    min_block : float
        Least area of a block, m2.
    min_width : float
        Least length of a cut, m.
    """

    road_class: str = "residential"
    lanes: float = 1.0
    speed: float = 30 / 3.6
    capacity: float = 520.0
    main_class: str = "tertiary"
    main_speed: float = 40 / 3.6
    main_capacity: float = 585.0
    main_from: float = 500.0
    min_block: float = 1500.0
    min_width: float = 25.0


@dataclass(frozen=True)
class AreaFill:
    """What was done in one area; lengths in m, areas in m2."""

    target: float
    before: float
    after: float
    streets: int
    blocks: int
    largest_block: float

    @property
    def reached(self) -> bool:
        """Whether the target was met within the tolerance."""
        return self.after >= self.target * (1 - TOLERANCE)


@dataclass(frozen=True)
class BlockFill:
    """The new streets, and the account of each area."""

    lines: list[StreetLine]
    areas: tuple[AreaFill, ...]
    area_of_line: list[int] = field(default_factory=list)


def fill_blocks(
    road: RoadNetwork,
    areas: Sequence[Any],
    targets: Sequence[float],
    weight: Array,
    *,
    spec: StreetSpec | None = None,
    no_go: Sequence[Any] = (),
) -> BlockFill:
    """Return streets that raise the counted length inside each area to its target.

    Parameters
    ----------
    road : RoadNetwork
    areas : sequence of shapely polygons, WGS-84
        Should not overlap.
    targets : sequence of float
        Counted length of centrelines to reach in each area, m.
    weight : array [link]
        How much of a link's length counts; 0.5 for each direction of a counted two-way street.
    spec : StreetSpec, optional
    no_go : sequence of shapely polygons, WGS-84
        Where no street may go: water, green.

    Raises
    ------
    NetworkError
        Another number of targets than areas, or of weights than links.
    """
    import shapely

    if len(areas) != len(targets) or len(weight) != road.n_links:
        raise NetworkError.of(
            "fill_blocks", f"{len(areas)} areas, {len(targets)} targets, {len(weight)} weights",
            f"a target for each area and {road.n_links} weights",
        )  # fmt: skip
    if not len(areas):
        return BlockFill([], ())
    spec = spec or StreetSpec()
    bounds = shapely.total_bounds(np.array(list(areas), dtype=object))
    crs = local_crs(float(bounds[0] + bounds[2]) / 2, float(bounds[1] + bounds[3]) / 2)
    streets = _Streets.of(road, weight, crs)
    barred = [_local(polygon, crs) for polygon in no_go]
    lines: list[StreetLine] = []
    area_of_line: list[int] = []
    done = []
    for number, (polygon, target) in enumerate(zip(areas, targets, strict=True)):
        cuts, account = _fill(streets, _local(polygon, crs), barred, float(target), spec)
        done.append(account)
        area_of_line.extend([number] * len(cuts))
        lines.extend(_street_lines(cuts, spec, crs))
    return BlockFill(lines, tuple(done), area_of_line)


def _local(polygon: Any, crs: str) -> Any:
    import shapely

    moved = shapely.transform(
        shapely.force_2d(polygon), lambda p: np.column_stack(project(p[:, 0], p[:, 1], crs))
    )
    return moved if shapely.is_valid(moved) else shapely.make_valid(moved, method="structure")


def counted_length(road: RoadNetwork, areas: Sequence[Any], weight: Array) -> Array:
    """Return the counted length of centrelines inside each area (5), ``[area], m``."""
    import shapely

    bounds = shapely.total_bounds(np.array(list(areas), dtype=object))
    crs = local_crs(float(bounds[0] + bounds[2]) / 2, float(bounds[1] + bounds[3]) / 2)
    streets = _Streets.of(road, weight, crs)
    return np.array([streets.inside(_local(polygon, crs)) for polygon in areas])


@dataclass(frozen=True, eq=False)
class _Streets:
    """Streets as shapely lines in m, one a carriageway."""

    lines: Array
    weight: Array
    open_: Array
    tree: Any
    open_tree: Any

    @classmethod
    def of(cls, road: RoadNetwork, weight: Array, crs: str) -> _Streets:
        import shapely

        rows = carriageway_rows(road)
        first, lon, lat = road.shapes()
        first, points = take_ragged(first, rows)
        x, y = project(lon[points], lat[points], crs)
        lines = lines_of(first, x, y)
        back = road.reverse_link[rows]
        counted = weight[rows] + np.where(back == NO_LINK, 0.0, weight[np.maximum(back, 0)])
        # The geometry's own length is brought to that of the link: they differ in projection only.
        long = shapely.length(lines)
        counted = counted * np.where(long > 0, road.length[rows] / np.maximum(long, 1e-9), 0.0)
        open_ = (road.structure[rows] == 0) & ~np.isin(road.road_class[rows], MOTORWAYS)
        return cls(lines, counted, open_, shapely.STRtree(lines), shapely.STRtree(lines[open_]))

    def inside(self, area: Any) -> float:
        import shapely

        near = np.sort(self.tree.query(area, predicate="intersects"))
        near = near[self.weight[near] > 0]
        lines = self.lines[near]
        outer, inner = area.buffer(1.0), area.buffer(-1.0)
        shapely.prepare(inner)
        within = shapely.covers(inner, lines)
        length = shapely.length(lines)
        part = lines[~within]
        both = shapely.length(shapely.intersection(part, outer))
        both = both + shapely.length(shapely.intersection(part, inner))
        length[~within] = both / 2
        return float((length * self.weight[near]).sum())


def _faces(streets: _Streets, area: Any, barred: list[Any]) -> list[Any]:
    """Return the blocks of an area as shapely polygons (1)."""
    import shapely

    cut_out = [p for p in barred if p.intersects(area)]
    room = area.difference(shapely.union_all(cut_out)) if cut_out else area
    near = np.sort(streets.tree.query(room, predicate="intersects"))
    clipped = shapely.intersection(streets.lines[near], room)
    # Nothing finer than a decimetre is kept: lines that nearly overlap give no slivers.
    net = shapely.union_all(np.append(clipped, room.boundary), grid_size=0.1)
    faces = shapely.get_parts(shapely.polygonize([net]))
    if not len(faces):
        return []
    shapely.prepare(room)
    inside = shapely.contains(room, shapely.point_on_surface(faces))
    faces = faces[inside]
    centre = shapely.get_coordinates(shapely.centroid(faces))
    order = np.lexsort((centre[:, 1], centre[:, 0]))
    return list(faces[order])


def _without_holes(face: Any, spec: StreetSpec) -> list[Any]:
    """Return a face cut through each of its holes; holes under a tenth of a block are filled."""
    import shapely

    todo, done = [face], []
    while todo:
        one = todo.pop()
        holes = [shapely.Polygon(r) for r in one.interiors]
        if not any(h.area > spec.min_block / 10 for h in holes):
            done.append(shapely.Polygon(one.exterior))
            continue
        hole = max(holes, key=lambda h: h.area)
        x, y = hole.centroid.x, hole.centroid.y
        west, south, east, north = one.bounds
        slit = (
            shapely.LineString([(x, south - 1), (x, north + 1)])
            if east - west >= north - south
            else shapely.LineString([(west - 1, y), (east + 1, y)])
        )
        parts = shapely.get_parts(
            shapely.polygonize(
                [shapely.union_all([one.boundary, slit.intersection(one)], grid_size=0.01)]
            )
        )
        parts = [p for p in parts if one.contains(p.point_on_surface())]
        if len(parts) < 2:  # the slit missed the sides by rounding: the hole is filled
            done.append(shapely.Polygon(one.exterior))
            continue
        todo.extend(p for p in parts if p.area > 1.0)
    return done


def _blocks(streets: _Streets, area: Any, barred: list[Any], spec: StreetSpec) -> list[Block]:
    import shapely

    rings: list[Array] = []
    for face in _faces(streets, area, barred):
        whole = [face] if not len(face.interiors) else _without_holes(face, spec)
        for one in whole:
            if one.area < 2 * spec.min_block:
                continue
            ring = shapely.get_coordinates(one.exterior.simplify(0.5))[:-1]
            if len(ring) >= 3:
                rings.append(ring)
    if not rings:
        return []
    sizes = [len(r) for r in rings]
    here = np.concatenate(rings)
    there = np.concatenate([np.roll(r, -1, axis=0) for r in rings])
    middle = shapely.points((here + there) / 2)
    on_street = np.zeros(len(middle), dtype=bool)
    if len(streets.open_tree.geometries):
        on_street[streets.open_tree.query(middle, predicate="dwithin", distance=1.0)[0]] = True
    blocks, at = [], 0
    for ring, size in zip(rings, sizes, strict=True):
        points = [(float(x), float(y)) for x, y in ring]
        blocks.append(Block(points, on_street[at : at + size].tolist(), ring_area(points)))
        at += size
    return blocks


def _fill(
    streets: _Streets, area: Any, barred: list[Any], target: float, spec: StreetSpec
) -> tuple[list[Cut], AreaFill]:
    before = streets.inside(area)
    total = before
    slack = TOLERANCE * target / 2
    cuts: list[Cut] = []
    heap: list[tuple[float, int, Block]] = []
    if total < target - slack:
        for serial, block in enumerate(_blocks(streets, area, barred, spec)):
            heap.append((-round(block.area, 1), serial, block))
    heapq.heapify(heap)
    serial = len(heap)
    finished = 0
    largest = 0.0
    while heap and total < target - slack:
        size, number, block = heapq.heappop(heap)
        cut = _halve(block, spec)
        if cut is None:
            finished += 1
            largest = max(largest, -size)
            continue
        if total + cut.length > target + slack:
            last = _best_last(heap, cut, target - total, slack, spec)
            cuts.append(last)
            total += last.length
            heapq.heappush(heap, (size, number, block))
            break
        cuts.append(cut)
        total += cut.length
        for part in cut.parts:
            heapq.heappush(heap, (-round(part.area, 1), serial, part))
            serial += 1
    if heap:
        largest = max(largest, -heap[0][0])
    return cuts, AreaFill(target, before, total, len(cuts), len(heap) + finished, largest)


def _halve(block: Block, spec: StreetSpec) -> Cut | None:
    cut = halve(block, spec.min_block, spec.min_width)
    return cut if cut is not None else halve(block, spec.min_block, spec.min_width, turn=True)


def _best_last(
    heap: list[tuple[float, int, Block]], cut: Cut, missing: float, slack: float, spec: StreetSpec
) -> Cut:
    """Return the cut that fits what is missing, or a dead end of that length (6)."""
    best = cut
    for _, _, block in heapq.nsmallest(_LOOK, heap):
        other = _halve(block, spec)
        if other is not None and abs(other.length - missing) < abs(best.length - missing):
            best = other
    if abs(best.length - missing) <= slack:
        return best
    share = missing / cut.length
    a, b = (cut.a, cut.b) if cut.a_street else (cut.b, cut.a)
    end = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
    return Cut(a, end, True, False, hypot(end[0] - a[0], end[1] - a[1]), cut.parts)


def _street_lines(cuts: list[Cut], spec: StreetSpec, crs: str) -> list[StreetLine]:
    if not cuts:
        return []
    ends = np.array([(c.a, c.b) for c in cuts])
    lon, lat = unproject(ends[:, :, 0], ends[:, :, 1], crs)
    out = []
    for k, cut in enumerate(cuts):
        main = cut.length > spec.main_from
        out.append(
            StreetLine(
                lon=lon[k],
                lat=lat[k],
                road_class=spec.main_class if main else spec.road_class,
                lanes=spec.lanes,
                speed=spec.main_speed if main else spec.speed,
                capacity=spec.main_capacity if main else spec.capacity,
                source=Source.GENERATED,
            )
        )
    return out
