"""Lines given as a table of stops become a transit network.

Rules, numbered in the code:

1. Stops with the same id are one stop; a stop's place is that of its first row.
2. A line runs in both directions unless it is said to run one way only.
3. Run time = distance x detour / speed + dwell; distances are geodesic between stops.
4. A headway, speed or capacity that the table lacks is the mode's default and is marked so.
5. Passengers walk between stops of the same name within :data:`SAME_NAME_REACH`, and between any
   two stops within the given reach.
6. A zone reaches all stops within the given walk, and at least the nearest few of rail and the
   nearest few of buses; beyond the walk a feeder (bus or cycle) of stated speed and wait is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from cczsim.columns import Array, Columns, column
from cczsim.errors import Fault, NetworkError
from cczsim.network.geometry import local_crs, project
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE, MODES, TransitNetwork

SAME_NAME_REACH: Final = 800.0
WALK_SPEED: Final = 1.2
WALK_DETOUR: Final = 1.3
TRANSFER_FIXED: Final = 60.0
"""Seconds for stairs and gates in a transfer between stops."""

STATION_FIXED: Final = {"rail": 300.0, "metro": 30.0, "maglev": 60.0}
"""Seconds from a station's door to its platform, or back, with security and halls; assumed."""

# mode: headway s, speed m/s between stops, dwell s, capacity passengers, detour; all assumed.
MODE_DEFAULTS: Final[dict[str, tuple[float, float, float, float, float]]] = {
    "metro": (300.0, 50 / 3.6, 35.0, 1460.0, 1.05),
    "rail": (1200.0, 100 / 3.6, 60.0, 600.0, 1.05),
    "maglev": (700.0, 70 / 3.6, 60.0, 360.0, 1.05),
    "light_rail": (420.0, 35 / 3.6, 30.0, 300.0, 1.1),
    "tram": (420.0, 25 / 3.6, 25.0, 200.0, 1.1),
    "monorail": (360.0, 40 / 3.6, 30.0, 400.0, 1.05),
    "bus": (420.0, 18 / 3.6, 15.0, 80.0, 1.2),
    "ferry": (1200.0, 15 / 3.6, 120.0, 150.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class LineTable(Columns):
    """Rows of stops in order, a row a stop of a line; NaN where the mode's default shall serve."""

    line: Array = column("row", "text", "", "id of the line")
    mode: Array = column("row", "text", "", "one of MODES")
    seq: Array = column("row", "int64", "", "order of the stop on its line")
    stop_id: Array = column("row", "text", "", "id of the stop; the same id is the same stop")
    stop_name: Array = column("row", "text", "", "name of the stop")
    lon: Array = column("row", "float64", "deg", "longitude, WGS-84", low=-180, high=180)
    lat: Array = column("row", "float64", "deg", "latitude, WGS-84", low=-90, high=90)
    line_name: Array = column("row", "text", "", "name of the line; its id if empty", default="")
    headway: Array = column(
        "row", "float64", "s", "time between vehicles", above=0.0, nan_allowed=True,
        default=np.nan,
    )  # fmt: skip
    speed: Array = column(
        "row", "float64", "m/s", "speed between stops", above=0.0, nan_allowed=True, default=np.nan
    )
    capacity: Array = column(
        "row", "float64", "", "passengers a vehicle holds", above=0.0, nan_allowed=True,
        default=np.nan,
    )  # fmt: skip
    color: Array = column("row", "text", "", "#rrggbb or empty", default="")
    one_way: Array = column(
        "row", "bool", "", "the line runs in the given order only", default=False
    )
    generated: Array = column("row", "bool", "", "the line was made up", default=False)

    def check(self) -> None:
        """Check modes, and that each line has at least two stops."""
        faults = []
        unknown = sorted({str(m) for m in self.mode} - set(MODES))
        if unknown:
            faults.append(Fault("LineTable.mode", ", ".join(unknown), "one of " + ", ".join(MODES)))
        lines, counts = np.unique(self.line, return_counts=True)
        short = [str(line) for line in lines[counts < 2]]
        if short:
            faults.append(Fault("LineTable.line", f"one stop on {', '.join(short)}", "two or more"))
        if faults:
            raise NetworkError(faults)


_WALK_METRES_S: Final = WALK_SPEED / WALK_DETOUR


def _plane(lon: Array, lat: Array, *others: tuple[Array, Array]) -> list[Array]:
    """Return projected points, ``[point, 2] m``, of several sets in one projection."""
    crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
    return [np.column_stack(project(x, y, crs)) for x, y in ((lon, lat), *others)]


def lines_from_table(table: LineTable) -> TransitNetwork:
    """Return the lines of a table as a transit network without walks.

    Raises
    ------
    NetworkError
        A line visits one stop twice in a row.
    """
    stops, first_row, stop_of = np.unique(table.stop_id, return_index=True, return_inverse=True)
    by_first = np.argsort(first_row)  # rule 1, in the order of the table
    place = np.empty(len(stops), dtype=np.int64)
    place[by_first] = np.arange(len(stops))
    stop_of, first_row = place[stop_of], first_row[by_first]
    lon, lat = table.lon[first_row], table.lat[first_row]
    (points,) = _plane(lon, lat)

    names, line_row = np.unique(table.line, return_index=True)
    order = np.argsort(line_row)
    columns: dict[str, list[object]] = {
        key: []
        for key in ("line_id", "route", "mode", "headway", "seats_and_standing", "color",
                    "headway_source", "run_time_source")
    }  # fmt: skip
    entries: list[Array] = []
    times: list[Array] = []
    lengths: list[Array] = []
    faults: list[Fault] = []
    for name in names[order]:
        rows = np.flatnonzero(table.line == name)
        rows = rows[np.argsort(table.seq[rows], kind="stable")]
        lead = rows[0]
        mode = str(table.mode[lead])
        headway, speed, dwell, capacity, detour = MODE_DEFAULTS[mode]  # rule 4
        own_headway, own_speed = float(table.headway[lead]), float(table.speed[lead])
        own_capacity = float(table.capacity[lead])
        guess = Source.GENERATED if table.generated[lead] else Source.DEFAULT
        given = Source.GENERATED if table.generated[lead] else Source.USER
        visited = stop_of[rows]
        again = np.flatnonzero(visited[1:] == visited[:-1])
        if len(again):
            stop = str(table.stop_name[rows[again[0]]])
            faults.append(Fault(f"line {name}", f"{stop} twice in a row", "another stop next"))
            continue
        steps = np.hypot(*(points[visited[1:]] - points[visited[:-1]]).T) * detour
        time = steps / (speed if np.isnan(own_speed) else own_speed) + dwell  # rule 3
        both = (True,) if table.one_way[lead] else (True, False)  # rule 2
        for forward in both:
            entries.append(visited if forward else visited[::-1])
            times.append(np.append(time if forward else time[::-1], 0.0))
            lengths.append(np.append(steps if forward else steps[::-1], 0.0))
            columns["line_id"].append(
                f"{name}{'' if len(both) == 1 else ' →' if forward else ' ←'}"
            )
            columns["route"].append(str(table.line_name[lead]) or str(name))
            columns["mode"].append(MODE_CODE[mode])
            columns["headway"].append(headway if np.isnan(own_headway) else own_headway)
            columns["seats_and_standing"].append(
                capacity if np.isnan(own_capacity) else own_capacity
            )
            columns["color"].append(str(table.color[lead]) or "#3366aa")
            columns["headway_source"].append(int(guess if np.isnan(own_headway) else given))
            columns["run_time_source"].append(int(guess))
    if faults:
        raise NetworkError(faults)
    sizes = [len(entry) for entry in entries]
    return TransitNetwork(
        stop_id=np.arange(len(stops)) + 1,
        stop_name=table.stop_name[first_row],
        stop_lon=lon,
        stop_lat=lat,
        line_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        line_stop=np.concatenate(entries),
        run_time=np.concatenate(times),
        run_length=np.concatenate(lengths),
        **{key: np.array(values) for key, values in columns.items()},
    )


def with_transfers(
    transit: TransitNetwork, *, max_walk: float = 400.0, speed: float = WALK_SPEED
) -> TransitNetwork:
    """Return the network with walks between stops (rule 5); walks it had are replaced.

    Parameters
    ----------
    max_walk : float
        Reach as the crow flies, m.
    speed : float
        m/s.
    """
    (points,) = _plane(transit.stop_lon, transit.stop_lat)
    pairs = cKDTree(points).query_pairs(max(max_walk, SAME_NAME_REACH), output_type="ndarray")
    distance = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    same = transit.stop_name[pairs[:, 0]] == transit.stop_name[pairs[:, 1]]
    near = (distance <= max_walk) | (same & (distance <= SAME_NAME_REACH))
    pairs, distance = pairs[near], distance[near]
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    pairs, time = pairs[order], distance[order] * WALK_DETOUR / speed + TRANSFER_FIXED
    return transit.replace(
        walk_from=np.concatenate([pairs[:, 0], pairs[:, 1]]),
        walk_to=np.concatenate([pairs[:, 1], pairs[:, 0]]),
        walk_time=np.concatenate([time, time]),
    )


def with_access(
    transit: TransitNetwork,
    zone_lon: Array,
    zone_lat: Array,
    *,
    max_walk: float = 1500.0,
    nearest: int = 2,
    max_feeder: float = 5000.0,
    feeder_speed: float = 15 / 3.6,
    feeder_wait: float = 240.0,
    zone_radius: Array | None = None,
) -> TransitNetwork:
    """Return the network with ways between zones and stops (rule 6); ways it had are replaced.

    Parameters
    ----------
    zone_lon, zone_lat : array [zone], deg
    max_walk : float
        Reach on foot as the crow flies, m.
    nearest : int
        Stops of rail and stops of buses that a zone reaches at least, if there are any within
        ``max_feeder``.
    max_feeder : float
        Reach by feeder, m.
    feeder_speed : float
        m/s over the crow's distance x detour.
    feeder_wait : float
        s.
    zone_radius : array [zone], m, optional
        Residents live this far around the centroid: no stop is nearer than half of it.
    """
    zone_points, stop_points = _plane(zone_lon, zone_lat, (transit.stop_lon, transit.stop_lat))
    tree = cKDTree(stop_points)
    served = np.zeros(transit.n_stops, dtype=bool)
    served[transit.line_stop] = True
    of_entry = np.repeat(transit.mode, np.diff(transit.line_first))
    on_rails = np.zeros(transit.n_stops, dtype=bool)
    on_rails[transit.line_stop[~np.isin(of_entry, [MODE_CODE["bus"], MODE_CODE["ferry"]])]] = True
    inside = np.array([STATION_FIXED.get(mode, 0.0) for mode in MODES])
    station = np.full(transit.n_stops, np.inf)
    np.minimum.at(station, transit.line_stop, inside[of_entry])
    floor = np.zeros(len(zone_points)) if zone_radius is None else 0.5 * zone_radius
    zones: list[Array] = []
    stops: list[Array] = []
    times: list[Array] = []
    for zone, point in enumerate(zone_points):
        found = np.array(sorted(tree.query_ball_point(point, max_feeder)), dtype=np.int64)
        found = found[served[found]] if len(found) else found
        if not len(found):
            continue
        distance = np.maximum(np.hypot(*(stop_points[found] - point).T), floor[zone])
        on_foot = distance <= max_walk
        by_distance = np.lexsort((found, distance))
        kept = on_foot.copy()
        for kind in (by_distance[on_rails[found[by_distance]]],
                     by_distance[~on_rails[found[by_distance]]]):  # fmt: skip
            kept[kind[:nearest]] = True
        found, distance, on_foot = found[kept], distance[kept], on_foot[kept]
        walk = distance / _WALK_METRES_S
        ride = distance * WALK_DETOUR / feeder_speed + feeder_wait
        zones.append(np.full(len(found), zone))
        stops.append(found)
        times.append(np.where(on_foot, walk, np.minimum(walk, ride)) + station[found])
    none = np.zeros(0)
    return transit.replace(
        access_zone=np.concatenate(zones) if zones else none,
        access_stop=np.concatenate(stops) if stops else none,
        access_time=np.concatenate(times) if times else none,
    )


def merge_transit(first: TransitNetwork, second: TransitNetwork) -> TransitNetwork:
    """Return both networks as one; walks and access of neither are kept, tracks of both are.

    Stops of the two stay apart; :func:`with_transfers` ties them together.
    """
    joined: dict[str, Array | None] = {}
    for dim in ("stop", "line", "line_stop", "track", "ticket", "ticket_rule"):
        for name in TransitNetwork.dims()[dim]:
            a, b = getattr(first, name), getattr(second, name)
            joined[name] = np.concatenate([a, b])
    joined["stop_id"] = np.arange(first.n_stops + second.n_stops) + 1
    joined["rule_ticket"] = np.concatenate(
        [first.rule_ticket, second.rule_ticket + first.size("ticket")]
    )
    joined["line_stop"] = np.concatenate([first.line_stop, second.line_stop + first.n_stops])
    joined["line_first"] = np.concatenate(
        [first.line_first, second.line_first[1:] + first.line_first[-1]]
    )
    for offset, points in (
        ("shape_first", ("shape_lon", "shape_lat")),
        ("track_first", ("track_lon", "track_lat")),
    ):
        a, b = getattr(first, offset), getattr(second, offset)
        if a is None and b is None:
            continue
        rows_a = first.size("line_stop" if offset == "shape_first" else "track")
        rows_b = second.size("line_stop" if offset == "shape_first" else "track")
        a = np.zeros(rows_a + 1, dtype=np.int64) if a is None else a
        b = np.zeros(rows_b + 1, dtype=np.int64) if b is None else b
        joined[offset] = np.concatenate([a, b[1:] + a[-1]])
        for name in points:
            parts = [p for p in (getattr(first, name), getattr(second, name)) if p is not None]
            joined[name] = np.concatenate(parts)
    return TransitNetwork(**joined)  # type: ignore[arg-type]
