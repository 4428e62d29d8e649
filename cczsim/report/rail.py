"""Lines, their passengers and their stations, as figures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import project
from cczsim.network.transit import MODE_CODE, MODES, TransitNetwork
from cczsim.report.figures import DASH, difference, number, percent
from cczsim.scenario.result import RunResult

ROAD_MODES: Final = (MODE_CODE["bus"], MODE_CODE["ferry"])
_SAME_STATION: Final = 1000.0


@dataclass
class Section:
    """A run of one line between two stations, both directions together.

    ``flow`` holds passengers/h along and against the order of ``ends``.
    """

    route: str
    color: str
    ends: tuple[int, int]
    x: list[float]
    y: list[float]
    flow: list[float] = field(default_factory=lambda: [0.0, 0.0])
    capacity: list[float] = field(default_factory=lambda: [0.0, 0.0])

    @property
    def load(self) -> float:
        """Passengers over places in the busier direction; NaN where places are not known."""
        shares = [f / c for f, c in zip(self.flow, self.capacity, strict=True) if c > 0]
        return max(shares, default=math.nan)


@dataclass(frozen=True)
class LineFigures:
    """A line in a passenger's eyes, all its directions and variants together.

    Parameters
    ----------
    boardings : float, trips/h
    passenger_km : float
    busiest : float, trips/h
        On its busiest section and direction.
    load : float
        Highest passengers over places, NaN where places are not known.
    headway : float, s
        The shortest of its directions.
    """

    route: str
    mode: str
    color: str
    stops: int
    km: float
    headway: float
    boardings: float
    passenger_km: float
    busiest: float
    load: float


def places_per_hour(transit: TransitNetwork) -> Array:
    """Return the places that each directed line offers in an hour, ``[line]``; 0 if not known."""
    return np.asarray(transit.seats_and_standing * 3600.0 / transit.headway)


def line_figures(result: RunResult) -> tuple[LineFigures, ...]:
    """Return the lines of a result, busiest first; flows are 0 without a transit assignment."""
    transit = result.network.transit
    if transit is None:
        return ()
    carried = result.equilibrium.transit
    entries = len(transit.line_stop)
    flow = carried.segment_flow if carried is not None else np.zeros(entries)
    boardings = carried.boardings if carried is not None else np.zeros(entries)
    places = places_per_hour(transit)
    routes: dict[str, list[int]] = {}
    for line, route in enumerate(transit.route):
        routes.setdefault(str(route), []).append(line)
    out = []
    for route, lines in routes.items():
        parts = [slice(transit.line_first[k], transit.line_first[k + 1]) for k in lines]
        loads = [
            float(flow[part].max() / places[k])
            for k, part in zip(lines, parts, strict=True)
            if places[k] > 0
        ]
        out.append(
            LineFigures(
                route,
                MODES[transit.mode[lines[0]]],
                str(transit.color[lines[0]]),
                max(part.stop - part.start for part in parts),
                max(float(transit.run_length[part].sum()) for part in parts) / 1e3,
                float(transit.headway[lines].min()),
                float(sum(boardings[part].sum() for part in parts)),
                float(sum(flow[part] @ transit.run_length[part] for part in parts)) / 1e3,
                max(float(flow[part].max()) for part in parts),
                max(loads, default=math.nan),
            )
        )
    return tuple(sorted(out, key=lambda line: (-line.boardings, line.route)))


@dataclass(frozen=True)
class LineRow:
    """A row of the table of lines, ready to print."""

    route: str
    mode: str
    color: str
    cells: tuple[str, ...]


def line_rows(result: RunResult, base: RunResult | None) -> tuple[LineRow, ...]:
    """Return the lines with stops, km, headway, boardings (and change), p·km, busiest, load."""
    old = {} if base is None else {line.route: line for line in line_figures(base)}
    rows = []
    for line in line_figures(result):
        before = old.get(line.route)
        change = DASH
        if before is not None:
            change = difference(
                before.boardings, line.boardings, line.boardings - before.boardings
            )  # fmt: skip
        rows.append(
            LineRow(
                line.route, line.mode, line.color,
                (
                    str(line.stops), number(line.km), number(line.headway / 60, 2),
                    number(line.boardings), change, number(line.passenger_km),
                    number(line.busiest), percent(line.load, 0),
                ),
            )
        )  # fmt: skip
    return tuple(rows)


def stations(transit: TransitNetwork, x: Array, y: Array, used: Array) -> Array:
    """Return the station of every stop, ``[stop]``, -1 if not used.

    Stops of one name within 1 km are one station; a stop without a name stands alone.
    """
    station = np.full(transit.n_stops, -1, dtype=np.int64)
    heads: dict[str, list[int]] = {}
    count = 0
    for stop in np.flatnonzero(used):
        name = str(transit.stop_name[stop])
        for other in heads.get(name, ()) if name else ():
            if math.hypot(x[stop] - x[other], y[stop] - y[other]) < _SAME_STATION:
                station[stop] = station[other]
                break
        else:
            heads.setdefault(name, []).append(int(stop))
            station[stop] = count
            count += 1
    return station


def runs_of(transit: TransitNetwork, bus: bool) -> Iterator[tuple[int, int]]:
    """Yield line and entry of every run between two stops."""
    for line in range(transit.n_lines):
        if (int(transit.mode[line]) in ROAD_MODES) == bus:
            for entry in range(transit.line_first[line], transit.line_first[line + 1] - 1):
                yield line, entry


def sections(
    transit: TransitNetwork, flow: Array, station: Array, x: Array, y: Array, crs: str
) -> dict[tuple[str, int, int], Section]:
    """Return the runs of rail lines by line and pair of stations."""
    places = places_per_hour(transit)
    out: dict[tuple[str, int, int], Section] = {}
    first = transit.shape_first
    for line, entry in runs_of(transit, bus=False):
        a, b = int(transit.line_stop[entry]), int(transit.line_stop[entry + 1])
        low, high = sorted((int(station[a]), int(station[b])))
        key = (str(transit.route[line]), low, high)
        if key not in out:
            px, py = [x[a], x[b]], [y[a], y[b]]
            if first is not None and first[entry + 1] - first[entry] >= 2:
                assert transit.shape_lon is not None
                assert transit.shape_lat is not None
                part = slice(first[entry], first[entry + 1])
                gx, gy = project(transit.shape_lon[part], transit.shape_lat[part], crs)
                px, py = gx.tolist(), gy.tolist()
            out[key] = Section(key[0], str(transit.color[line]), (a, b), px, py)
        way = 0 if station[out[key].ends[0]] == station[a] else 1
        out[key].flow[way] += float(flow[entry])
        out[key].capacity[way] += float(places[line])
    return out
