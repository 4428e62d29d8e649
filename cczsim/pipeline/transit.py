"""``cczsim transit assign``: passengers on the lines of a network or of a timetable alone."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from cczsim import __version__
from cczsim.assignment.result import TransitAssignment
from cczsim.assignment.threads import set_threads
from cczsim.assignment.transit import assign_transit, compile_transit, skim_transit
from cczsim.assignment.transit_crowding import CrowdedTransit, compile_crowding
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array, texts
from cczsim.errors import FaultCollector, InputError
from cczsim.io.gtfs_tables import is_gtfs
from cczsim.network.transit import MODES, TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.progress import Progress
from cczsim.units import parse

_SAMPLE: Final = 200
_SHOWN: Final = 1000


class _Case(NamedTuple):
    """What is assigned: lines with access, zones and their names, trips (None: skims alone)."""

    transit: TransitNetwork
    zones: ZoneSystem
    names: tuple[str, ...]
    trips: Array | None
    reports: tuple[dict[str, Any], ...]


def transit_assign(
    network: str,
    trips: str | None,
    *,
    date: str | None,
    begin: str | None,
    end: str | None,
    lost_demand: str,
    threads: int | None,
    json_file: Path | None,
    progress: Progress,
    crowding: str = "off",
    crowded_lines: str = "known",
    gap: float = 1e-4,
    max_iterations: int = 500,
) -> int:
    """Assign passengers to optimal strategies, or without trips say how well stops are joined.

    Parameters
    ----------
    network : str
        A built network, a recipe, or a GTFS feed (zip or folder). A feed alone has no zones: each
        stop or station that ``trips`` names is one, without a walk to it.
    trips : str, optional
        Trips/h between zones; for a feed a CSV ``origin,destination,trips`` of ids of stops.
        Without it a network takes ``demand.omx`` or ``demand.csv`` in its folder; else times are
        found between zones, for a feed between at most 200 of its stops, and nobody is assigned.
    date, begin, end : str, optional
        Window of a feed: by default its busiest date, 07:00 to 09:00.
    lost_demand : str
        Share of demand that may be without a way, or without room.
    crowding, crowded_lines : str
        See :class:`~cczsim.assignment.transit_params.TransitParams`.
    gap : float
        At which an assignment with crowding counts as converged.

    Returns
    -------
    int
        0; 1 where more demand is without a way or room than ``lost_demand``, or the gap was not
        reached.

    Raises
    ------
    CczsimError
        An input is wrong; a window was given for a network that has its own.
    """
    check_targets(json_file)
    tolerated = _share(lost_demand)
    with progress.step("read"):
        if is_gtfs(Path(network)):
            case = _feed_case(network, trips, date, begin, end)
        else:
            _refuse_window(network, date=date, begin=begin, end=end)
            case = _network_case(network, trips, progress)
    used = set_threads(threads)
    crowded = crowding != "off" and case.trips is not None
    with progress.step("compile"):
        compile_transit(fares=case.transit.size("ticket") > 0)
        if crowded:
            compile_crowding()
    demand = np.zeros((case.zones.n_zones,) * 2) if case.trips is None else case.trips
    start = time.perf_counter()
    with progress.step("assign"):
        if crowded:
            params = TransitParams(crowding=crowding, crowded_lines=crowded_lines)
            found = CrowdedTransit(case.transit, case.zones, params).assign(
                demand, relative_gap=gap, max_iterations=max_iterations,
                on_iteration=lambda r: progress.update(
                    r.iteration / max_iterations, f"gap {r.relative_gap:.1e}"
                ),
            )  # fmt: skip
            if case.transit.size("ticket"):
                at_ease = skim_transit(case.transit, case.zones)
                found = replace(found, skims=found.skims.with_tickets_of(at_ease))
        else:
            found = assign_transit(case.transit, case.zones, demand)
    report = {
        "network": network,
        "threads": used,
        **_figures(case, found),
        **_crowding(case, found, crowding if crowded else "off", crowded_lines),
        "seconds": dict(progress.seconds),
        "assign_seconds": time.perf_counter() - start,
        "gtfs": list(case.reports),
        "version": __version__,
    }
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return _say(report, tolerated, progress)


def _share(text: str) -> float:
    try:
        value = parse(float(text), "share", "--lost-demand")
    except ValueError:
        value = parse(text, "share", "--lost-demand")
    if not 0.0 <= value <= 1.0:
        raise InputError.of("--lost-demand", repr(text), "a share from 0 % to 100 %")
    return value


def _refuse_window(network: str, **window: str | None) -> None:
    given = [name for name, text in window.items() if text is not None]
    if given:
        options = {"date": "--date", "begin": "--from", "end": "--to"}
        raise InputError.of(
            ", ".join(options[name] for name in given), f"a window for {network}",
            "a GTFS feed", "a network has its window in the [[transit.gtfs]] of its recipe",
        )  # fmt: skip


def _network_case(name: str, trips: str | None, progress: Progress) -> _Case:
    from cczsim.io.matrices import read_matrix
    from cczsim.pipeline.networks import load_network

    path = Path(name)
    network = load_network(path, progress)
    faults = FaultCollector(InputError)
    if network.zones is None:
        faults.add(name, "a network without zones", "zones to assign trips between")
    if network.transit is None or not network.transit.n_lines:
        faults.add(name, "a network without lines", "transit lines", "see [transit] of its recipe")
    faults.raise_if_any()
    assert network.zones is not None
    assert network.transit is not None
    beside = [path / f for f in ("demand.omx", "demand.csv") if (path / f).is_file()]
    file = Path(trips) if trips is not None else beside[0] if beside else None
    return _Case(
        network.transit,
        network.zones,
        tuple(str(z) for z in network.zones.zone_id),
        None if file is None else read_matrix(file, network.zones.zone_id),
        tuple(network.info.build.get("gtfs", ())),
    )


def _feed_case(
    name: str, trips: str | None, date: str | None, begin: str | None, end: str | None
) -> _Case:
    """Return the lines of a feed alone, with stops as zones."""
    from cczsim.io.gtfs import read_gtfs
    from cczsim.io.gtfs_calendar import best_date, read_calendar, read_window
    from cczsim.io.gtfs_tables import Findings, read_feed
    from cczsim.io.stop_trips import read_stop_trips
    from cczsim.network.line_build import with_transfers

    places = ("--date", "--from", "--to")
    given = read_window(date or "2000-01-01", begin or "07:00", end or "09:00", places)
    feed = read_feed(Path(name))
    if date is None:
        silent = replace(feed, findings=Findings())
        given = replace(given, date=best_date(silent, read_calendar(silent)))
    lines = read_gtfs(Path(name), given, feed=feed, fare_rate=1.0)
    transit = with_transfers(lines.transit)
    if trips is None:
        step = -(-transit.n_stops // _SAMPLE)
        rows = np.arange(0, transit.n_stops, step)
        ids = tuple(lines.stop_ids[row] for row in rows)
        access: list[tuple[int, int]] = [(k, int(row)) for k, row in enumerate(rows)]
        matrix = None
    else:
        table = feed.tables["stops.txt"]
        known = {str(s) for s in table["stop_id"]}
        ids, matrix = read_stop_trips(Path(trips), known)
        place = {stop: k for k, stop in enumerate(ids)}
        access = [
            (place[own], row)
            for row, names in enumerate(zip(lines.stop_ids, lines.stations, strict=True))
            for own in dict.fromkeys(names)
            if own in place
        ]
    zone, stop = np.array(access, dtype=np.int64).reshape(-1, 2).T
    zones = ZoneSystem(
        zone_id=np.arange(len(ids)) + 1, centroid=np.arange(len(ids)), zone_name=texts(ids)
    )
    transit = transit.replace(access_zone=zone, access_stop=stop, access_time=np.zeros(len(zone)))
    return _Case(transit, zones, ids, matrix, lines.reports)


def _figures(case: _Case, found: TransitAssignment) -> dict[str, Any]:
    transit = case.transit
    line = np.repeat(np.arange(transit.n_lines), np.diff(transit.line_first))
    km = found.segment_flow * transit.run_length / 1e3
    hours = found.segment_flow * transit.run_time / 3600.0
    boarded = np.bincount(line, found.boardings, transit.n_lines)
    carried = np.bincount(line, km, transit.n_lines)
    lost = found.unreachable
    return {
        "n_zones": case.zones.n_zones,
        "lines": transit.n_lines,
        "lines_by_mode": {
            mode: int((transit.mode == code).sum())
            for code, mode in enumerate(MODES)
            if (transit.mode == code).any()
        },
        "stops": transit.n_stops,
        "walks": len(transit.walk_from),
        "accesses": len(transit.access_zone),
        "trips_in_window": sum(r["trips_in_window"] for r in case.reports),
        "assigned": case.trips is not None,
        "total_demand": found.total_demand,
        "intrazonal_demand": found.intrazonal_demand,
        "unreachable_demand": found.unreachable_demand,
        "unreachable_pairs": [
            {"origin": case.names[o], "destination": case.names[d], "trips": float(t)}
            for o, d, t in zip(lost.origin[:_SHOWN], lost.destination[:_SHOWN], lost.trips[:_SHOWN],
                               strict=True)
        ],
        "boardings": float(boarded.sum()),
        "passenger_km": float(carried.sum()),
        "passenger_hours_aboard": float(hours.sum()),
        "skims": _skims(case, found),
        "by_line": [
            {"line": str(transit.line_id[k]), "route": str(transit.route[k]),
             "mode": MODES[transit.mode[k]], "headway_s": float(transit.headway[k]),
             "boardings": float(boarded[k]), "passenger_km": float(carried[k])}
            for k in range(transit.n_lines)
        ],
    }  # fmt: skip


def _crowding(
    case: _Case, found: TransitAssignment, crowding: str, crowded_lines: str
) -> dict[str, Any]:
    """Return the gap, its history, and who found no room; segment by segment what lines carry."""
    transit, full = case.transit, found.given_up
    places = np.repeat(transit.seats_and_standing * 3600.0 / transit.headway,
                       np.diff(transit.line_first))  # fmt: skip
    load = np.divide(found.segment_flow, places, out=np.zeros(len(places)), where=places > 0.0)
    return {
        "crowding": crowding,
        "crowded_lines": crowded_lines,
        "relative_gap": found.relative_gap if crowding != "off" else None,
        "converged": found.converged,
        "iterations": found.iterations,
        "given_up_demand": found.given_up_demand,
        "given_up_pairs": [
            {"origin": case.names[o], "destination": case.names[d], "trips": float(t)}
            for o, d, t in zip(full.origin[:_SHOWN], full.destination[:_SHOWN], full.trips[:_SHOWN],
                               strict=True)
        ] if full is not None else [],
        "fullest_load": float(load.max(initial=0.0)),
        "segments_over_places": int((load > 1.0 + 1e-9).sum()),
        "history": [
            {"iteration": r.iteration, "seconds": r.seconds, "relative_gap": r.relative_gap,
             "given_up": r.given_up}
            for r in found.history
        ],
    }  # fmt: skip


def _skims(case: _Case, found: TransitAssignment) -> dict[str, Any]:
    """Return means over the pairs that are joined, each weighed by its trips where there are any.

    Pairs that are better walked, without a boarding, are not among them.
    """
    ridden = np.isfinite(found.skims.weighted) & (found.skims.boardings > 0.0)
    np.fill_diagonal(ridden, False)
    weight = ridden.astype(float) if case.trips is None else np.where(ridden, case.trips, 0.0)
    n = case.zones.n_zones
    out: dict[str, Any] = {"pairs": n * (n - 1), "pairs_with_a_ride": int(ridden.sum())}
    for name in ("in_vehicle", "wait", "walk", "total"):
        values = np.where(ridden, getattr(found.skims, name), 0.0)
        mean = (values * weight).sum() / weight.sum() / 60.0 if weight.sum() > 0.0 else None
        out[f"mean_{name}_min"] = mean
    boardings = np.where(ridden, found.skims.boardings, 0.0)
    out["mean_boardings"] = (
        float((boardings * weight).sum() / weight.sum()) if weight.sum() > 0.0 else None
    )
    if found.skims.tickets is not None and found.skims.rides_without is not None:
        paid = np.where(ridden, found.skims.tickets, 0.0)
        without = np.where(ridden, found.skims.rides_without, 0.0)
        if weight.sum() > 0.0:
            out["mean_tickets"] = float((paid * weight).sum() / weight.sum())
            out["mean_rides_without_ticket"] = float((without * weight).sum() / weight.sum())
    return out


def _say(report: dict[str, Any], tolerated: float, progress: Progress) -> int:
    for feed in report["gtfs"]:
        progress.say(
            f"{feed['feed']}, {feed['date']} {feed['from']}–{feed['to']}: {feed['lines']} lines, "
            f"{feed['stops_in_window']} stops, {feed['trips_in_window']:g} trips"
        )
        for row in feed["findings"]:
            progress.say(
                f"  {row['file']}: {row['what']}: {row['count']} ({', '.join(row['first'])}"
                f"{', …' if row['count'] > len(row['first']) else ''}): {row['done']}"
            )
    skims = report["skims"]
    if skims["mean_total_min"] is not None:
        progress.say(
            f"{skims['pairs_with_a_ride']:,} of {skims['pairs']:,} pairs of zones have a ride: "
            f"{skims['mean_in_vehicle_min']:.1f} min aboard, {skims['mean_wait_min']:.1f} waiting, "
            f"{skims['mean_walk_min']:.1f} on foot, {skims['mean_boardings']:.2f} boardings"
        )
    elif not skims["pairs_with_a_ride"]:
        progress.say(f"none of {skims['pairs']:,} pairs of zones has a ride: are the lines near?")
    if "mean_tickets" in skims:
        progress.say(
            f"tickets cost {skims['mean_tickets']:.2f} on average, "
            f"{skims['mean_rides_without_ticket']:.2f} rides have none"
        )
    if not report["assigned"]:
        progress.say("no trips were named: nobody was assigned")
        return 0
    total, lost = report["total_demand"], report["unreachable_demand"]
    full = report["given_up_demand"]
    share = (lost + full) / total if total > 0 else 0.0
    code = 0
    if report["crowding"] != "off":
        said = "" if report["converged"] else ": not converged"
        progress.say(
            f"crowding ({report['crowding']}): relative gap {report['relative_gap']:.1e} after "
            f"{report['iterations']} iterations{said}; fullest run {report['fullest_load']:.0%} "
            f"of its places, {full:,.1f}/h found no room"
        )
        code = 0 if report["converged"] else 1
    elif report["segments_over_places"]:
        progress.say(
            f"{report['segments_over_places']} runs carry more than their places, the fullest "
            f"{report['fullest_load']:.0%}: see --crowding capacity"
        )
    progress.say(
        f"demand {total:,.1f}/h: {report['boardings']:,.1f} boardings, "
        f"{report['passenger_km']:,.1f} passenger-km, {report['intrazonal_demand']:,.1f} within "
        f"zones, {lost:,.1f} without a way ({lost / total if total > 0 else 0.0:.3%})"
    )
    if share > tolerated:
        progress.say(f"more demand is lost than the {tolerated:.3%} tolerated by --lost-demand")
        return 1
    return code
