"""OsmExtract → tracks and stops of rail: no lines, since the map carries no headways.

Rules, with the numbers that the code carries:

1. Tracks are the ways whose ``railway`` is in :data:`TRACK_MODE`; ``maglev=yes`` on any of them
   makes it a maglev. A way with a gap becomes one track for each part.
2. Left out and counted: ``service=yard|siding|spur|crossover``, ``usage=industrial|military|test``,
   and every other value of ``railway`` (platforms, construction, disused …).
3. Stations are nodes and closed ways with ``railway=station|halt|tram_stop`` or
   ``public_transport=station``. The mode is that of ``maglev``, ``station``, ``subway``,
   ``light_rail``, ``monorail``, ``tram`` in this order, ``tram`` for a tram stop, else ``rail``
   where ``railway`` or ``train=yes`` says so. ``public_transport=station`` without any of these
   (a bus station) is left out and counted. A station that is a way stands at the mean of its
   nodes and has its way's id made negative.
4. Stations of the same mode and name within :data:`SAME_STATION` are one: the first by node id,
   nodes before ways.
5. ``railway=stop`` and ``public_transport=stop_position`` with a rail mode are places on a track.
   One becomes a stop only where no stop of the mode is within :data:`OF_STATION`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, polyline_lengths, project, take_ragged
from cczsim.network.transit import MODE_CODE, MODES, TransitNetwork
from cczsim.osm.account import TOO_SHORT, account, total
from cczsim.osm.extract import OsmExtract
from cczsim.osm.pieces import runs, way_lengths

TRACK_MODE: Final = {
    "subway": "metro", "light_rail": "light_rail", "rail": "rail", "monorail": "monorail",
    "tram": "tram",
}  # fmt: skip
SIDE_SERVICE: Final = ("yard", "siding", "spur", "crossover")
SIDE_USAGE: Final = ("industrial", "military", "test")
SAME_STATION: Final = 200.0
OF_STATION: Final = 300.0
_TRACK_KEYS: Final = ("railway", "service", "usage", "maglev", "tunnel", "bridge")
_MODE_KEYS: Final = ("maglev", "subway", "light_rail", "monorail", "tram", "train")
_STOP_KEYS: Final = ("railway", "public_transport", "station", *_MODE_KEYS)


@dataclass(frozen=True)
class RailBuild:
    """Tracks and stops, and the account of how they came about (plain JSON values).

    ``transit`` has no lines; ``stop_mode [stop]`` indexes ``MODES``.
    """

    transit: TransitNetwork
    stop_mode: Array
    report: dict[str, Any]


def build_rail(extract: OsmExtract) -> RailBuild:
    """Build tracks and stops of an extract; both may be none."""
    tracks, track_report = _tracks(extract)
    stops, mode, stop_report = _stops(extract)
    transit = TransitNetwork(
        **stops,
        **tracks,
        line_id=np.array([], dtype=str),
        route=np.array([], dtype=str),
        mode=np.zeros(0, dtype=np.int8),
        headway=np.zeros(0),
        line_first=np.zeros(1, dtype=np.int32),
        line_stop=np.zeros(0, dtype=np.int32),
        run_time=np.zeros(0),
        run_length=np.zeros(0),
    )
    return RailBuild(transit, mode, {"tracks": track_report, "stops": stop_report})


def has_tracks(extract: OsmExtract) -> bool:
    """Return whether any way of an extract is a track."""
    combinations, _ = extract.tag_combinations("way", _TRACK_KEYS)
    return any(not track_reason(tags) for tags in combinations)


def track_reason(tags: Mapping[str, str]) -> str:
    """Return why a way is no track, ``""`` if it is one (rules 1 and 2)."""
    value = tags.get("railway", "")
    if value not in TRACK_MODE:
        return "not among the kinds of track taken"
    if tags.get("service") in SIDE_SERVICE:
        return f"service={tags['service']}"
    if tags.get("usage") in SIDE_USAGE:
        return f"usage={tags['usage']}"
    return ""


def _tracks(extract: OsmExtract) -> tuple[dict[str, Array], dict[str, Any]]:
    combinations, which = extract.tag_combinations("way", _TRACK_KEYS)
    why = [track_reason(tags) for tags in combinations]
    modes = [
        MODE_CODE["maglev" if tags.get("maglev") == "yes" else TRACK_MODE.get(
            tags.get("railway", ""), "rail")]
        for tags in combinations
    ]  # fmt: skip
    in_tunnel = [tags.get("tunnel", "no") != "no" for tags in combinations]
    taken = np.array([not text for text in why], dtype=bool)[which]
    node = extract.node_rows(extract.way_ref)
    way, point, run = runs(extract.way_ref_first, node, taken)
    begins = np.flatnonzero(np.diff(run, prepend=-1))
    first = np.append(begins, len(run)).astype(np.int64)
    lon, lat = extract.node_lon[point], extract.node_lat[point]
    length = polyline_lengths(first, lon, lat) if len(run) else np.zeros(0)
    row = way[begins]
    mode = np.array(modes, dtype=np.int8)[which[row]]
    tunnel = np.array(in_tunnel, dtype=bool)[which[row]]
    reasons = sorted({*why, TOO_SHORT})
    reason = np.array([reasons.index(text or TOO_SHORT) for text in why], dtype=np.int64)[which]
    rows = account(
        extract, "railway", reasons, reason,
        _railway_lengths(extract, node, np.array(["railway" in t for t in combinations])[which]),
        np.bincount(row, length, minlength=extract.n_ways),
        np.bincount(row, minlength=extract.n_ways) > 0,
    )  # fmt: skip
    by_mode = {
        name: {
            "tracks": int((mode == code).sum()),
            "km": float(length[mode == code].sum() / 1000),
            "tunnel_km": float(length[(mode == code) & tunnel].sum() / 1000),
        }
        for code, name in enumerate(MODES)
        if (mode == code).any()
    }
    columns = {
        "track_mode": mode,
        "track_way_id": extract.way_id[row],
        "track_length": length,
        "track_first": first,
        "track_lon": lon,
        "track_lat": lat,
    }
    return columns, {"railway": rows, "total": total(rows), "modes": by_mode}


def _railway_lengths(extract: OsmExtract, node: Array, own: Array) -> Array:
    """Return the lengths of some ways, 0 for the others, ``[way], m``."""
    rows = np.flatnonzero(own)
    first, index = take_ragged(extract.way_ref_first, rows)
    out = np.zeros(extract.n_ways)
    out[rows] = way_lengths(first, node[index], extract.node_lon, extract.node_lat)
    return out


def stop_kind(tags: Mapping[str, str]) -> tuple[str, str]:
    """Return ``station``, ``position`` or ``""``, and the mode or ``""`` (rules 3 and 5)."""
    railway, public = tags.get("railway", ""), tags.get("public_transport", "")
    if railway in ("station", "halt", "tram_stop") or public == "station":
        kind = "station"
    elif railway == "stop" or public == "stop_position":
        kind = "position"
    else:
        return "", ""
    named = {"subway": "metro", "train": "rail"}
    if tags.get("maglev") == "yes":
        return kind, "maglev"
    station = named.get(tags.get("station", ""), tags.get("station", ""))
    if station in ("metro", "light_rail", "monorail", "tram"):
        return kind, station
    for key in ("subway", "light_rail", "monorail", "tram"):
        if tags.get(key) == "yes":
            return kind, named.get(key, key)
    if railway == "tram_stop":
        return kind, "tram"
    return kind, "rail" if railway or tags.get("train") == "yes" else ""


def _stops(extract: OsmExtract) -> tuple[dict[str, Any], Array, dict[str, Any]]:
    report = {
        "stations": 0, "positions_without_station": 0, "merged_same_name": 0,
        "positions_of_a_station": 0, "left_out_no_rail_mode": 0, "left_out_no_place": 0,
    }  # fmt: skip
    found = [*_node_stops(extract, report), *_way_stops(extract, report)]
    x, y = _metres([item[2] for item in found], [item[3] for item in found])
    kept: list[int] = []
    twins: dict[tuple[str, str], list[int]] = {}
    for number, (kind, mode, _, _, _, name) in enumerate(found):
        if kind != "station":
            continue
        others = twins.setdefault((mode, name), [])
        if name and _near(x, y, number, others, SAME_STATION):  # 4
            report["merged_same_name"] += 1
            continue
        others.append(number)
        kept.append(number)
        report["stations"] += 1
    for number, (kind, mode, *_) in enumerate(found):
        if kind != "position":
            continue
        if _near(x, y, number, [k for k in kept if found[k][1] == mode], OF_STATION):  # 5
            report["positions_of_a_station"] += 1
            continue
        kept.append(number)
        report["positions_without_station"] += 1
    rows = [found[number] for number in kept]
    columns = {
        "stop_id": np.array([row[4] for row in rows], dtype=np.int64),
        "stop_name": np.array([row[5] for row in rows], dtype=np.dtypes.StringDType()),
        "stop_lon": np.array([row[2] for row in rows], dtype=np.float64),
        "stop_lat": np.array([row[3] for row in rows], dtype=np.float64),
    }
    return columns, np.array([MODE_CODE[row[1]] for row in rows], dtype=np.int8), report


def _near(x: Array, y: Array, number: int, others: list[int], distance: float) -> bool:
    gaps = np.hypot(x[others] - x[number], y[others] - y[number])
    return bool((gaps <= distance).any())


_Found = tuple[str, str, float, float, int, str]


def _candidates(
    extract: OsmExtract, kind: str, report: dict[str, int]
) -> list[tuple[int, str, str, str]]:
    """Return row, kind of stop, mode and name of the objects that may be stops."""
    combinations, which = extract.tag_combinations(kind, _STOP_KEYS)
    kinds = [stop_kind(tags) for tags in combinations]
    is_stop = np.array([bool(form) for form, _ in kinds], dtype=bool)
    rows = np.flatnonzero(is_stop[which]) if len(kinds) else np.zeros(0, dtype=np.int64)
    names = extract.tag_texts(kind, "name") if len(rows) else []
    out = []
    for row in rows.tolist():
        form, mode = kinds[which[row]]
        if mode:
            out.append((row, form, mode, names[row]))
        elif form == "station":  # positions without a rail mode are bus stops, not worth a count
            report["left_out_no_rail_mode"] += 1
    return out


def _node_stops(extract: OsmExtract, report: dict[str, int]) -> list[_Found]:
    return [
        (form, mode, float(extract.node_lon[row]), float(extract.node_lat[row]),
         int(extract.node_id[row]), name)
        for row, form, mode, name in _candidates(extract, "node", report)
    ]  # fmt: skip


def _way_stops(extract: OsmExtract, report: dict[str, int]) -> list[_Found]:
    out: list[_Found] = []
    for row, form, mode, name in _candidates(extract, "way", report):
        refs = extract.way_ref[extract.way_ref_first[row] : extract.way_ref_first[row + 1]]
        nodes = extract.node_rows(np.unique(refs))
        nodes = nodes[nodes >= 0]
        if not len(nodes):
            report["left_out_no_place"] += 1
            continue
        lon, lat = float(extract.node_lon[nodes].mean()), float(extract.node_lat[nodes].mean())
        out.append((form, mode, lon, lat, -int(extract.way_id[row]), name))
    return out


def _metres(lon: list[float], lat: list[float]) -> tuple[Array, Array]:
    if not lon:
        return np.zeros(0), np.zeros(0)
    crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
    return project(np.array(lon), np.array(lat), crs)
