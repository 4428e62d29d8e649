"""Tracks, lines and stations on the map."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import shapely
from bokeh.models import ColumnDataSource

from cczsim.columns import Array
from cczsim.network.geometry import project
from cczsim.network.transit import TransitNetwork
from cczsim.report.embed import INK
from cczsim.report.hover import add_hover
from cczsim.report.rail import ROAD_MODES, Section, runs_of, sections, stations
from cczsim.report.streets import broken_line
from cczsim.scenario.result import RunResult

_BUS_COLOR: Final = "#4c7f73"
_THINNEST: Final = 2.2
_THICKER: Final = 5.5


def add_transit(
    plot: Any, result: RunResult, base: RunResult | None, crs: str
) -> list[tuple[str, str, bool]]:
    """Draw tracks, bus lines, rail lines and stations; return ``(layer, colour, shown)``."""
    transit = result.network.transit
    if transit is None:
        return []
    layers: list[tuple[str, str, bool]] = []
    x, y = project(transit.stop_lon, transit.stop_lat, crs)
    if transit.track_first is not None and len(transit.track_mode):
        assert transit.track_lon is not None
        assert transit.track_lat is not None
        tx, ty = project(transit.track_lon, transit.track_lat, crs)
        cuts = transit.track_first[1:-1]
        _broken(plot, "tracks", np.insert(tx, cuts, np.nan), np.insert(ty, cuts, np.nan), "#8b8f94")
        layers.append(("tracks", "#8b8f94", True))
    runs = list(runs_of(transit, bus=True))
    if runs:
        a = transit.line_stop[[entry for _, entry in runs]]
        b = transit.line_stop[[entry + 1 for _, entry in runs]]
        pairs = np.unique(np.sort(np.stack([a, b], axis=1), axis=1), axis=0)
        ends = np.stack([x[pairs], y[pairs]], axis=2)
        _broken(plot, "bus", *broken_line(shapely.linestrings(ends)), _BUS_COLOR, shown=False)
        layers.append(("bus", _BUS_COLOR, False))
    rail_stop = np.zeros(transit.n_stops, dtype=bool)
    for line in np.flatnonzero(~np.isin(transit.mode, ROAD_MODES)):
        rail_stop[transit.line_stop[transit.line_first[line] : transit.line_first[line + 1]]] = True
    if not rail_stop.any():
        return layers
    station = stations(transit, x, y, rail_stop)
    carried = result.equilibrium.transit
    flow = carried.segment_flow if carried is not None else np.zeros(len(transit.line_stop))
    found = list(sections(transit, flow, station, x, y, crs).values())
    _draw_sections(plot, transit, found, _old_flows(base, crs))
    _draw_stations(plot, result, base, station, x, y)
    return [*layers, ("rail", "#c8102e", True), ("stations", INK, True)]


def _broken(plot: Any, key: str, x: Array, y: Array, color: str, shown: bool = True) -> None:
    data = {"x": np.asarray(x, np.float32), "y": np.asarray(y, np.float32)}
    plot.line(
        "x", "y", source=ColumnDataSource(data), line_color=color, line_width=1.0,
        line_alpha=0.8, name=f"layer-{key}", visible=shown,
    )  # fmt: skip


def _old_flows(base: RunResult | None, crs: str) -> dict[tuple[str, str, str], float]:
    """Return the base's passengers by line and names of the section's ends, both directions."""
    if base is None or base.network.transit is None or base.equilibrium.transit is None:
        return {}
    transit = base.network.transit
    x, y = project(transit.stop_lon, transit.stop_lat, crs)
    station = np.arange(transit.n_stops)
    out: dict[tuple[str, str, str], float] = {}
    flow = base.equilibrium.transit.segment_flow
    for section in sections(transit, flow, station, x, y, crs).values():
        key = _section_key(transit, section)
        out[key] = out.get(key, 0.0) + sum(section.flow)
    return out


def _section_key(transit: TransitNetwork, section: Section) -> tuple[str, str, str]:
    names = sorted(str(transit.stop_name[end]) for end in section.ends)
    return section.route, names[0], names[1]


def _draw_sections(
    plot: Any, transit: TransitNetwork, found: list[Section],
    old: dict[tuple[str, str, str], float]
) -> None:  # fmt: skip
    most = max((max(s.flow) for s in found), default=0.0) or 1.0
    source = ColumnDataSource(
        {
            "xs": [[round(v) for v in s.x] for s in found],
            "ys": [[round(v) for v in s.y] for s in found],
            "t0": [s.route for s in found],
            "from": [str(transit.stop_name[s.ends[0]]) for s in found],
            "to": [str(transit.stop_name[s.ends[1]]) for s in found],
            "flow1": np.array([s.flow[0] for s in found], np.float32).round(),
            "flow2": np.array([s.flow[1] for s in found], np.float32).round(),
            "load": np.array([s.load for s in found], np.float32),
            "old": np.array(
                [old.get(_section_key(transit, s), math.nan) for s in found], np.float32
            ).round(),
            "color": [s.color for s in found],
            "width": np.array(
                [_THINNEST + _THICKER * max(s.flow) / most for s in found], np.float32
            ),
            "casing": np.array(
                [_THINNEST + 2.2 + _THICKER * max(s.flow) / most for s in found], np.float32
            ),
        },
        name="rail",
    )
    plot.multi_line(
        "xs", "ys", source=source, line_color="#ffffff", line_width="casing", line_cap="round",
        name="layer-rail-casing",
    )  # fmt: skip
    drawn = plot.multi_line(
        "xs", "ys", source=source, line_color="color", line_width="width", line_cap="round",
        name="layer-rail",
    )  # fmt: skip
    add_hover(plot, drawn, "rail", 5, "below")


def _boardings(run: RunResult | None) -> Array | None:
    """Return a run's boardings by stop, ``[stop], trips/h``."""
    if run is None or run.network.transit is None or run.equilibrium.transit is None:
        return None
    transit = run.network.transit
    return np.bincount(
        transit.line_stop, weights=run.equilibrium.transit.boardings, minlength=transit.n_stops
    )


def _draw_stations(
    plot: Any, result: RunResult, base: RunResult | None, station: Array, x: Array, y: Array
) -> None:  # fmt: skip
    transit = result.network.transit
    assert transit is not None
    n = int(station.max()) + 1
    on = np.flatnonzero(station >= 0)
    count = np.bincount(station[on], minlength=n)
    boardings = _boardings(result)
    if boardings is None:
        boardings = np.zeros(transit.n_stops)
    lines: list[set[str]] = [set() for _ in range(n)]
    for line in range(transit.n_lines):
        for stop in transit.line_stop[transit.line_first[line] : transit.line_first[line + 1]]:
            if station[stop] >= 0 and int(transit.mode[line]) not in ROAD_MODES:
                lines[station[stop]].add(str(transit.route[line]))
    head = np.full(n, -1)
    head[station[on][::-1]] = on[::-1]
    names = [str(transit.stop_name[stop]) for stop in head]
    old = np.full(n, np.nan)
    before = _boardings(base)
    if before is not None and base is not None and base.network.transit is not None:
        row_of = {int(stop): k for k, stop in enumerate(base.network.transit.stop_id)}
        for stop in on:
            row = row_of.get(int(transit.stop_id[stop]))
            if row is not None:
                old[station[stop]] = np.nan_to_num(old[station[stop]]) + before[row]
    transfers = np.array([len(own) > 1 for own in lines])
    source = ColumnDataSource(
        {
            "x": (np.bincount(station[on], weights=x[on], minlength=n) / count).astype(np.float32),
            "y": (np.bincount(station[on], weights=y[on], minlength=n) / count).astype(np.float32),
            "t0": names,
            "lines": [", ".join(sorted(own)) for own in lines],
            "boardings": np.bincount(station[on], weights=boardings[on], minlength=n)
            .round()
            .astype(np.float32),
            "old": old.round().astype(np.float32),
            "size": np.where(transfers, 9.0, 5.5).astype(np.float32),
        },
        name="stations",
    )
    drawn = plot.scatter(
        "x", "y", source=source, size="size", fill_color="#ffffff", line_color=INK,
        line_width=1.3, name="layer-stations",
    )  # fmt: skip
    add_hover(plot, drawn, "stations", 4, "above")
