"""Bus lines along main streets, made up where no timetable is known.

No line of these exists: they stand for a bus service that is known to be there, and are marked
``Source.GENERATED`` throughout. Rules, numbered in the code:

1. A street of the given classes is taken once, whatever its directions: a line runs both ways on
   it, also where the street is one-way, since the way back then lies in the next street. Roads of
   unknown class that cross open country (over ``OPEN_COUNTRY`` between junctions) carry none.
2. Where streets meet, two are one corridor if they turn by at most :data:`LARGEST_TURN` and bear
   the same name; else if they are of one class and one of them or both have no name. The best pair
   is taken first, the least turn deciding; each end is used once.
3. Corridors shorter than ``min_length`` get no line. The longest come first; one that runs beside
   those taken, within :data:`BESIDE` over half of its length, is the other carriageway, and gets
   none.
4. Stops are spaced evenly, as close to ``stop_spacing`` as the length allows, the ends included.
5. Run time = distance along the street / ``speed``, in which stopping is included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.columns import Array, texts
from cczsim.errors import FaultCollector, NetworkError
from cczsim.network.geometry import local_crs, project, take_ragged, unproject
from cczsim.network.line_build import LineTable, lines_from_table
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.network.transit import TransitNetwork
from cczsim.network.zone_people import OPEN_COUNTRY

LARGEST_TURN: Final = 40.0
"""Degrees."""
BESIDE: Final = 60.0
"""Metres between two carriageways of one street, at most."""
_PARALLEL: Final = 30.0
_SAMPLE: Final = 60.0
_AHEAD: Final = 40.0
_COLOR: Final = "#7f8fa6"


@dataclass(frozen=True)
class CorridorBus:
    """How lines are made up; every value is an assumption.

    Parameters
    ----------
    classes : tuple of str
        Road classes that buses run on.
    headway : float
        s.
    stop_spacing : float
        m.
    speed : float
        With stops, m/s.
    capacity : float
        Passengers a bus can hold.
    min_length : float
        Shortest corridor that gets a line, m.

    Raises
    ------
    NetworkError
        A class is not known, or a number is not above 0.
    """

    classes: tuple[str, ...] = ("primary", "secondary")
    headway: float = 480.0
    stop_spacing: float = 600.0
    speed: float = 17 / 3.6
    capacity: float = 80.0
    min_length: float = 4000.0

    def __post_init__(self) -> None:
        faults = FaultCollector(NetworkError)
        unknown = sorted(set(self.classes) - (set(CLASS_CODE) - {"connector"}))
        if unknown or not self.classes:
            faults.add("corridor_bus.classes", ", ".join(unknown) or "none", "road classes")
        for name in ("headway", "stop_spacing", "speed", "capacity", "min_length"):
            if not getattr(self, name) > 0.0:
                faults.add(f"corridor_bus.{name}", str(getattr(self, name)), "more than 0")
        faults.raise_if_any()


class Corridor(NamedTuple):
    """A run of streets: its name, ``x, y [point], m`` in one projection, its length in m."""

    name: str
    x: Array
    y: Array
    length: float


@dataclass(frozen=True, eq=False)
class CorridorLines:
    """Made-up lines, None where no corridor is long enough, and their account (plain JSON)."""

    transit: TransitNetwork | None
    report: dict[str, Any]


def corridor_lines(road: RoadNetwork, params: CorridorBus) -> CorridorLines:
    """Return a two-way line along each corridor, without walks, by the rules of the module.

    Parameters
    ----------
    road : RoadNetwork
        With coordinates.
    params : CorridorBus
    """
    crs = local_crs(float(np.nanmean(road.node_lon)), float(np.nanmean(road.node_lat)))
    every = find_corridors(road, params.classes, crs)
    found = [c for c in every if c.length >= params.min_length]
    taken = _apart(found)
    report: dict[str, Any] = {
        "generated": True,
        "classes": list(params.classes),
        "lines": len(taken),
        "km": round(sum(c.length for c in taken) / 1e3, 3),
        "stops": 0,
        "headway_min": params.headway / 60.0,
        "speed_kmh": params.speed * 3.6,
        "capacity": params.capacity,
        "corridors_too_short": len(every) - len(found),
        "other_carriageways": len(found) - len(taken),
    }
    if not taken:
        return CorridorLines(None, report)
    transit = _lines(taken, params, crs)
    report["stops"] = transit.n_stops
    return CorridorLines(transit, report)


def find_corridors(road: RoadNetwork, classes: tuple[str, ...], crs: str) -> list[Corridor]:
    """Return all corridors of some classes (1, 2), longest first."""
    import shapely

    rows = np.flatnonzero(
        np.isin(road.road_class, [CLASS_CODE[name] for name in classes])
        & (road.road_class != CONNECTOR)
        & ((road.road_class != CLASS_CODE["road"]) | (road.length <= OPEN_COUNTRY))
        & ((road.reverse_link == NO_LINK) | (np.arange(road.n_links) < road.reverse_link))
    )
    if not len(rows):
        return []
    first, lon, lat = road.shapes()
    first, points = take_ragged(first, rows)
    x, y = project(lon[points], lat[points], crs)
    lines = shapely.linestrings(
        np.column_stack([x, y]), indices=np.repeat(np.arange(len(rows)), np.diff(first))
    )
    length = shapely.length(lines)
    mates = _mates(road, rows, lines, length)
    out = []
    for chain in _chains(mates, len(rows)):
        parts: list[Array] = []
        names: dict[str, float] = {}
        for end in chain:  # end e of piece e // 2: entered at its first point if e is even
            piece = end // 2
            part = np.arange(first[piece], first[piece + 1])
            parts.append(part if end % 2 == 0 else part[::-1])
            text = str(road.name[rows[piece]])
            if text:
                names[text] = names.get(text, 0.0) + float(length[piece])
        point = np.concatenate(parts)
        total = float(length[[end // 2 for end in chain]].sum())
        name = max(names, key=lambda text: (names[text], text)) if names else ""
        out.append(Corridor(name, x[point], y[point], total))
    return sorted(out, key=lambda c: -c.length)


def _mates(road: RoadNetwork, rows: Array, lines: Array, length: Array) -> Array:
    """Return which end each end of a piece goes on to, ``[2 x piece]``, -1 for none (2).

    End ``2 p`` is the tail of piece ``p``, end ``2 p + 1`` its head.
    """
    import shapely

    reach = np.minimum(_AHEAD, length)
    near = shapely.get_coordinates(
        [shapely.get_point(lines, 0), shapely.line_interpolate_point(lines, length - reach)]
    ).reshape(2, -1, 2)
    far = shapely.get_coordinates(
        [shapely.line_interpolate_point(lines, reach), shapely.get_point(lines, -1)]
    ).reshape(2, -1, 2)
    out_of_tail, into_head = far[0] - near[0], near[1] - far[1]
    away = np.stack([out_of_tail, into_head], axis=1).reshape(-1, 2)  # from the node, by end
    heading = np.degrees(np.arctan2(away[:, 0], away[:, 1]))
    node = np.stack([road.tail[rows], road.head[rows]], axis=1).ravel()
    names = np.unique(road.name[rows], return_inverse=True)[1].ravel()
    name = np.repeat(np.where(np.asarray(road.name[rows] == ""), -1, names), 2)
    kind = np.repeat(road.road_class[rows], 2)
    order = np.argsort(node, kind="stable")
    bounds = np.flatnonzero(np.diff(node[order], prepend=-1))
    mate = np.full(len(node), -1, dtype=np.int64)
    for begin, end in zip(bounds, np.append(bounds[1:], len(order)), strict=True):
        here = order[begin:end]
        if len(here) < 2:
            continue
        one, other = (here[k] for k in np.triu_indices(len(here), 1))
        turn = 180.0 - np.abs((heading[one] - heading[other] + 180.0) % 360.0 - 180.0)
        same = (name[one] == name[other]) & (name[one] >= 0)
        loose = (kind[one] == kind[other]) & ((name[one] < 0) | (name[other] < 0))
        fits = (turn <= LARGEST_TURN) & (same | loose) & (one // 2 != other // 2)
        for k in np.lexsort((other, one, turn, ~same)).tolist():
            if fits[k] and mate[one[k]] < 0 and mate[other[k]] < 0:
                mate[one[k]], mate[other[k]] = other[k], one[k]
    return mate


def _chains(mate: Array, n_pieces: int) -> Iterator[list[int]]:
    """Yield each chain of pieces as the ends that it enters them by; rings begin anywhere."""
    mates = mate.tolist()
    seen = [False] * n_pieces
    loose = [end for end in range(2 * n_pieces) if mates[end] < 0]
    for start in (*loose, *range(0, 2 * n_pieces, 2)):
        if seen[start // 2]:
            continue
        chain, end = [], start
        while end >= 0 and not seen[end // 2]:
            seen[end // 2] = True
            chain.append(end)
            end = mates[end ^ 1]
        yield chain


def _along(corridor: Corridor, n: int) -> Array:
    """Return evenly spaced points, the ends included, ``[n, 2], m``."""
    steps = np.hypot(np.diff(corridor.x), np.diff(corridor.y))
    at = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.linspace(0.0, at[-1], n)
    return np.column_stack([np.interp(places, at, corridor.x), np.interp(places, at, corridor.y)])


def _apart(corridors: list[Corridor]) -> list[Corridor]:
    """Return the corridors without the other carriageways of those before them (3)."""
    from scipy.spatial import cKDTree

    if not corridors:
        return []
    samples = [_along(c, max(int(c.length / _SAMPLE), 2) + 1) for c in corridors]
    middle = np.concatenate([(s[1:] + s[:-1]) / 2 for s in samples])
    step = np.concatenate([np.diff(s, axis=0) for s in samples])
    owner = np.repeat(np.arange(len(samples)), [len(s) - 1 for s in samples])
    axis = np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 180.0
    pairs = cKDTree(middle).query_pairs(BESIDE, output_type="ndarray")
    apart = np.abs(axis[pairs[:, 0]] - axis[pairs[:, 1]])
    pairs = pairs[
        (np.minimum(apart, 180.0 - apart) <= _PARALLEL) & (owner[pairs[:, 0]] != owner[pairs[:, 1]])
    ]
    # The one that comes later gives way.
    late = np.where((owner[pairs[:, 0]] > owner[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])
    late = late[np.lexsort((owner[late[:, 1]], owner[late[:, 0]]))]
    first = np.searchsorted(owner[late[:, 0]], np.arange(len(samples) + 1))
    taken = np.zeros(len(samples), dtype=bool)
    for number, sample in enumerate(samples):
        mine = late[first[number] : first[number + 1]]
        beside = np.unique(mine[taken[owner[mine[:, 1]]], 0])
        taken[number] = len(beside) <= 0.5 * (len(sample) - 1)
    return [c for c, kept in zip(corridors, taken, strict=True) if kept]


def _lines(corridors: list[Corridor], params: CorridorBus, crs: str) -> TransitNetwork:
    line: list[str] = []
    name: list[str] = []
    seq: list[int] = []
    stop: list[str] = []
    stop_name: list[str] = []
    places: list[Array] = []
    steps: list[float] = []
    for number, corridor in enumerate(corridors, 1):
        count = max(round(corridor.length / params.stop_spacing), 1) + 1  # 4
        places.append(_along(corridor, count))
        steps.append(corridor.length / (count - 1))
        title = corridor.name or f"corridor {number}"
        line += [f"bus {number} {corridor.name}".strip()] * count
        name += [f"bus {number} · {title}"] * count
        seq += range(count)
        stop += [f"bus {number}/{k}" for k in range(count)]
        stop_name += [f"{title} {number}/{k + 1}" for k in range(count)]
    place = np.concatenate(places)
    lon, lat = unproject(place[:, 0], place[:, 1], crs)
    rows = len(line)
    made = lines_from_table(
        LineTable(
            line=texts(line),
            mode=texts(["bus"] * rows),
            seq=np.array(seq),
            stop_id=texts(stop),
            stop_name=texts(stop_name),
            lon=lon,
            lat=lat,
            line_name=texts(name),
            headway=np.full(rows, params.headway),
            capacity=np.full(rows, params.capacity),
            color=texts([_COLOR] * rows),
            generated=np.ones(rows, dtype=bool),
        )
    )
    size = np.diff(made.line_first)
    run = np.repeat(np.repeat(steps, 2), size)  # both directions
    run[made.line_first[1:] - 1] = 0.0
    return made.replace(run_length=run, run_time=run / params.speed)  # 5
