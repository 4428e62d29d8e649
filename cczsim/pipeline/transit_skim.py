"""``cczsim transit skim``: times from place to place by a timetable, for a window of departures."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from cczsim import __version__
from cczsim.assignment.threads import set_threads
from cczsim.assignment.timetable_search import Ways, timetable_times
from cczsim.columns import Array
from cczsim.errors import InputError
from cczsim.network.timetable import Timetable
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.progress import Progress
from cczsim.units import parse

_SAMPLE: Final = 200
_BATCH: Final = 32
_COLUMNS: Final = ("origin", "destination", "mean_min", "median_min", "best_min", "worst_min",
                   "share_reached")  # fmt: skip


class _Places(NamedTuple):
    ids: tuple[str, ...]
    ways: Ways


def transit_skim(
    feed: str,
    places: str | None,
    *,
    date: str | None,
    begin: str | None,
    end: str | None,
    every: str,
    max_walk: str,
    max_rides: int,
    longest: str,
    threads: int | None,
    csv_file: Path | None,
    json_file: Path | None,
    progress: Progress,
) -> int:
    """Find times by a timetable for every departure of a window.

    Parameters
    ----------
    feed : str
        A GTFS feed, zip or folder.
    places : str, optional
        CSV ``id,lon,lat``; without it at most 200 stops of the feed, without a walk to them.
    every : str
        Time between departures.
    max_walk : str
        Reach on foot, between stops and from and to places, as the crow flies.
    max_rides : int
        Vehicles boarded at most.
    longest : str
        Longest journey that counts as a way, the wait for the first vehicle included.

    Returns
    -------
    int
        0.

    Raises
    ------
    CczsimError
        An input is wrong.
    """
    from cczsim.io.gtfs_calendar import best_date, read_calendar, read_window
    from cczsim.io.gtfs_tables import Findings, is_gtfs, read_feed
    from cczsim.io.gtfs_timetable import read_timetable

    for target in (csv_file, json_file):
        check_targets(target)
    step, reach = parse(every, "time", "--every"), parse(max_walk, "length", "--max-walk")
    most = parse(longest, "time", "--longest")
    if not 0.0 < most <= 86400.0:
        raise InputError.of("--longest", repr(longest), "more than 0, at most 24 h")
    if not step >= 1.0:
        raise InputError.of("--every", repr(every), "at least 1 s")
    if not is_gtfs(Path(feed)):
        raise InputError.of(feed, "no GTFS feed", "a zip or folder with a timetable")
    names = ("--date", "--from", "--to")
    window = read_window(date or "2000-01-01", begin or "07:00", end or "09:00", names)
    with progress.step("read"):
        table = read_feed(Path(feed))
        if date is None:
            silent = replace(table, findings=Findings())
            window = replace(window, date=best_date(silent, read_calendar(silent)))
        timetable = read_timetable(table, window, longest=most, max_walk=reach)
        found = _stops(timetable) if places is None else _places(Path(places), timetable, reach)
    used = set_threads(threads)
    departures = np.arange(window.begin, window.end, step)
    with progress.step("search"):
        rows = _figures(timetable, found, departures, max_rides, most, progress)
    report = {
        "feed": feed,
        "date": str(window.date),
        "departures": len(departures),
        "stops": timetable.n_stops,
        "runs": timetable.n_trips,
        "walks": len(timetable.walk_from),
        "places": len(found.ids),
        "max_rides": max_rides,
        "longest_min": most / 60.0,
        "threads": used,
        "pairs": len(found.ids) * (len(found.ids) - 1),
        "pairs_reached": int((rows["share_reached"] > 0.0).sum()),
        "mean_min": _mean(rows["mean_min"]),
        "seconds": dict(progress.seconds),
        "findings": table.findings.rows,
        "version": __version__,
    }
    if csv_file is not None:
        write_text(csv_file, _csv(found.ids, rows))
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for row in table.findings.rows:
        progress.say(f"  {row['file']}: {row['what']}: {row['count']}: {row['done']}")
    mean = f"{report['mean_min']:.1f} min on average" if report["mean_min"] is not None else "none"
    progress.say(
        f"{report['pairs_reached']:,} of {report['pairs']:,} pairs of places are reached, {mean}, "
        f"over {len(departures)} departures from {window}"
    )
    return 0


def _stops(timetable: Timetable) -> _Places:
    rows = np.arange(0, timetable.n_stops, -(-timetable.n_stops // _SAMPLE))
    ids = tuple(str(timetable.stop_id[row]) for row in rows)
    return _Places(ids, Ways(np.arange(len(rows)), rows, np.zeros(len(rows))))


def _places(path: Path, timetable: Timetable, reach: float) -> _Places:
    from scipy.spatial import cKDTree

    from cczsim.io.places import read_places
    from cczsim.network.geometry import local_crs, project
    from cczsim.network.line_build import WALK_DETOUR, WALK_SPEED

    ids, lon, lat = read_places(path)
    crs = local_crs(float(np.mean(timetable.stop_lon)), float(np.mean(timetable.stop_lat)))
    stops = np.column_stack(project(timetable.stop_lon, timetable.stop_lat, crs))
    points = np.column_stack(project(lon, lat, crs))
    tree, place, stop, time = cKDTree(stops), [], [], []
    for k, point in enumerate(points):
        if not np.isfinite(point).all():
            continue
        for near in sorted(tree.query_ball_point(point, reach)):
            place.append(k)
            stop.append(near)
            time.append(float(np.hypot(*(stops[near] - point))) * WALK_DETOUR / WALK_SPEED)
    if not place:
        raise InputError.of(
            str(path), f"no place within {reach:g} m of a stop", "places near stops",
            "see --max-walk, and the order of lon and lat",
        )  # fmt: skip
    return _Places(ids, Ways(np.array(place), np.array(stop), np.array(time)))


def _figures(
    timetable: Timetable, found: _Places, departures: Array, max_rides: int, most: float,
    progress: Progress,
) -> dict[str, Array]:  # fmt: skip
    """Return figures of all pairs, ``[origin, destination]``, a batch of origins at a time."""
    n = len(found.ids)
    rows = {name: np.full((n, n), np.nan) for name in _COLUMNS[2:]}
    for first in range(0, n, _BATCH):
        origins = np.arange(first, min(first + _BATCH, n))
        times = timetable_times(
            timetable, n, found.ways, departures, max_rides=max_rides, origins=origins
        )
        minutes = np.where(times <= most, times / 60.0, np.nan)
        minutes[np.arange(len(origins)), :, origins] = np.nan
        known = np.isfinite(minutes)
        count = known.sum(axis=1)
        reached = count > 0
        total = np.where(known, minutes, 0.0).sum(axis=1)
        own = slice(first, first + len(origins))
        rows["share_reached"][own] = count / len(departures)
        rows["mean_min"][own] = np.divide(
            total, count, out=np.full(total.shape, np.nan), where=reached
        )
        ordered = np.sort(minutes, axis=1)  # unreached departures last
        for name, rank in (("best_min", 0 * count), ("median_min", count // 2),
                           ("worst_min", count - 1)):  # fmt: skip
            rank = np.clip(rank, 0, len(departures) - 1)
            rows[name][own] = np.take_along_axis(ordered, rank[:, None, :], axis=1)[:, 0, :]
        progress.update((first + len(origins)) / n, f"{first + len(origins)} of {n} origins")
    return rows


def _mean(minutes: Array) -> float | None:
    known = np.isfinite(minutes)
    return float(minutes[known].mean()) if known.any() else None


def _csv(ids: tuple[str, ...], rows: dict[str, Array]) -> str:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(_COLUMNS)
    for o, origin in enumerate(ids):
        for d, destination in enumerate(ids):
            if o != d and rows["share_reached"][o, d] > 0.0:
                figures: list[Any] = [f"{rows[name][o, d]:.3f}" for name in _COLUMNS[2:]]
                out.writerow([origin, destination, *figures])
    return text.getvalue()
