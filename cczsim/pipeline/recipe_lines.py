"""The lines of a recipe: tables, feeds, routes of the map and made-up buses as one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.io.recipe import Recipe
from cczsim.network.corridor_bus import CorridorBus, corridor_lines
from cczsim.network.locate import zone_of_points
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.pipeline.progress import Progress


def with_lines(network: Network, recipe: Recipe, progress: Progress) -> Network:
    """Return the network with the lines of ``[transit]``, tied to each other and to the zones."""
    transit = network.transit
    mapped = recipe.osm_routes is not None and transit is not None and transit.n_lines
    if not recipe.lines and not recipe.gtfs and recipe.corridor_bus is None and not mapped:
        return network
    from cczsim.io.fare_tables import with_fares
    from cczsim.io.gtfs import read_feeds
    from cczsim.io.line_sources import read_line_table
    from cczsim.network.line_build import (
        lines_from_table,
        merge_transit,
        with_access,
        with_transfers,
    )

    report = dict(network.info.build)
    notes: list[str] = [_routes_note(report["routes"])] if mapped else []
    with progress.step("lines"):
        parts = [lines_from_table(read_line_table(given, recipe.crs)) for given in recipe.lines]
        if transit is not None and len(transit.track_mode) and parts:
            from cczsim.network.track_graph import lines_on_tracks

            along = [lines_on_tracks(part, transit) for part in parts]
            parts = [part for part, _ in along]
            report["lines_on_tracks"] = [told for _, told in along]
        if any(int(Source.DEFAULT) in part.headway_source for part in parts):
            notes.append(
                "Headways, speeds and capacities of lines that their table lacks are assumed: "
                "the mode's default."
            )
        if recipe.gtfs:
            timetable = read_feeds(recipe.gtfs)
            report["gtfs"] = list(timetable.reports)
            notes += [_timetable_note(feed) for feed in timetable.reports]
            parts.append(timetable.transit)
        if recipe.corridor_bus is not None:
            made = corridor_lines(network.road, _bus(recipe.corridor_bus))
            report["corridor_bus"] = made.report
            notes.append(
                f"{made.report['lines']} bus lines are made up, one along each main corridor: "
                "no timetable was used."
            )
            parts += [made.transit] if made.transit is not None else []
        for part in parts:
            transit = part if transit is None else merge_transit(transit, part)
        if transit is not None and transit.n_lines:
            if recipe.fares is not None:
                transit, report["fares"] = with_fares(transit, recipe.fares, recipe.crs)
                notes += _fare_notes(report["fares"])
            if recipe.gtfs or mapped:
                told, note = _bus_account(network.road, transit)
                report |= told
                notes += note
            transit = with_transfers(transit)
            if (zones := network.zones) is not None:
                if recipe.kind != "sketch":
                    zones = zones.replace(walk_radius=_walk_radius(zones, transit))
                    network = network.replace(zones=zones)
                transit = with_access(
                    transit, zones.zone_lon, zones.zone_lat, zone_radius=zones.walk_radius
                )
                reached = np.unique(transit.access_zone)
                report["transit_access"] = {
                    "links": len(transit.access_zone),
                    "zones_without_stop": zones.n_zones - len(reached),
                }
                if not len(reached):
                    notes.append(
                        "No zone reaches a stop: the lines lie elsewhere, or coordinates are wrong."
                    )
    info = replace(network.info, build=report, notes=(*network.info.notes, *notes))
    return network.replace(info=info, transit=transit)


def _routes_note(routes: Mapping[str, Any]) -> str:
    """Return what lines of route relations rest on, for the report."""
    assumed = routes["headways"].get("default", 0)
    return (
        f"{routes['lines']} directed lines are route relations of OpenStreetMap; the headways of "
        f"{assumed} of them are assumed for their mode, and so are their run times unless their "
        "tracks have speed limits."
    )


def _timetable_note(feed: Mapping[str, Any]) -> str:
    """Return what lines of a feed rest on, for the report."""
    wrong = sum(row["count"] for row in feed["findings"])
    return (
        f"{feed['lines']} directed lines are the timetable {feed['feed']} of {feed['date']}, "
        f"{feed['from']} to {feed['to']}: {feed['trips_in_window']:g} trips; "
        f"{feed['times_interpolated']:.0%} of its times were missing and are interpolated; "
        f"what vehicles hold is assumed; {wrong} findings about the feed stand in the account."
    )


def _bus_account(road: RoadNetwork, transit: TransitNetwork) -> tuple[dict[str, Any], list[str]]:
    """Return how far bus lines run on the streets of the network, and a note of it."""
    from cczsim.network.bus_streets import bus_lengths

    whole, on_streets, beyond = (metres / 1e3 for metres in bus_lengths(road, transit))
    if not whole:
        return {}, []
    account = {"km": whole, "km_on_streets": on_streets, "km_beyond_the_streets": beyond}
    within = max(whole - beyond, 1e-9)
    note = (
        f"Bus lines run {whole:,.0f} km, {beyond / whole:.0%} of it from or to beyond the edge of "
        f"the streets; of the rest {on_streets / within:.0%} lie on streets of the network. Other "
        "runs keep their timetable where buses stand in traffic."
    )
    return {"bus_runs": account}, [note]


def _fare_notes(told: Mapping[str, Any]) -> list[str]:
    outside = told["stops_outside"]
    if not outside:
        return []
    return [f"{outside} of {told['stops']} stops lie in no fare zone: they take the nearest."]


def _walk_radius(zones: ZoneSystem, transit: TransitNetwork) -> Array:
    """Return how far residents live around their stop, ``[zone], m``.

    A zone with n stops is served as n parts of equal size, each with a stop in its middle.
    """
    served = np.unique(transit.line_stop)
    at = zone_of_points(zones, transit.stop_lon[served], transit.stop_lat[served])
    stops = np.bincount(at[at >= 0], minlength=zones.n_zones)
    return np.sqrt(zones.area / np.pi / np.maximum(stops, 1))


def _bus(given: Mapping[str, Any]) -> CorridorBus:
    """Return the parameters of made-up lines in SI."""
    factor = {
        "headway_min": ("headway", 60.0), "stop_spacing_m": ("stop_spacing", 1.0),
        "speed_kmh": ("speed", 1 / 3.6), "capacity": ("capacity", 1.0),
        "min_length_km": ("min_length", 1e3),
    }  # fmt: skip
    values: dict[str, Any] = {
        factor[k][0]: v * factor[k][1] for k, v in given.items() if k in factor
    }
    if "classes" in given:
        values["classes"] = tuple(given["classes"])
    return CorridorBus(**values)
