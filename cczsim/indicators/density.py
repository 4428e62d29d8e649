"""Road density: length of road in an area over the size of the area, under named conventions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.errors import IndicatorError
from cczsim.indicators.boundary_streets import share_vertices
from cczsim.indicators.clipping import clip_shares, ground_length
from cczsim.indicators.conventions import BUILT_UP, CONVENTIONS, Convention, centreline_weight
from cczsim.indicators.indicator import Indicator
from cczsim.network.edit import lines_of
from cczsim.network.geometry import take_ragged
from cczsim.network.kept import Kept, digest
from cczsim.network.network import Network
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CONNECTOR, ROAD_CLASSES
from cczsim.network.zone_build import polygon_areas
from cczsim.network.zones import TIERS, ZoneSystem


@dataclass(frozen=True)
class StreetLengths:
    """Lengths of streets by area and link.

    Parameters
    ----------
    area, link : int array [pair]
        ``link`` is the first of the two links of a two-way street, or a one-way link.
    length : array [pair], m
        Inside the area.
    size : array [area], m2
    """

    area: Array
    link: Array
    length: Array
    size: Array


_kept: Kept[StreetLengths] = Kept(6)
"""Streets in zones, in their built-up areas and in hexagons, of a network and of its base."""


def street_lengths(road: RoadNetwork, polygons: Array) -> StreetLengths:
    """Measure every street inside every polygon.

    Edges of polygons and of streets are straight in degrees, as GeoJSON has them (RFC 7946, section
    3.1.1). Parts of a link are measured on the ellipsoid, and its own length is shared out by them.

    Parameters
    ----------
    road : RoadNetwork
    polygons : array [area] of shapely polygons, WGS-84
    """
    key = digest(
        road.tail, road.head, road.node_lon, road.node_lat, road.shape_first, road.shape_lon,
        road.shape_lat, road.length, road.road_class, road.reverse_link, polygons,
    )  # fmt: skip
    return _kept.get(key, lambda: _street_lengths(road, polygons))


def _street_lengths(road: RoadNetwork, polygons: Array) -> StreetLengths:
    import shapely

    rows = np.arange(road.n_links)
    rows = rows[(road.reverse_link == NO_LINK) | (rows < road.reverse_link)]
    rows = rows[road.road_class[rows] != CONNECTOR]
    first, lon, lat = road.shapes()
    first, points = take_ragged(first, rows)
    lines = lines_of(first, lon[points], lat[points]) if len(rows) else np.zeros(0, dtype=object)
    lines, areas = share_vertices(lines, shapely.force_2d(polygons))
    # "linework" would mend rings that cross themselves to a collection without a boundary.
    valid = shapely.make_valid(areas, method="structure", keep_collapsed=False)
    clipped = clip_shares(lines, valid, ground_length)
    link = rows[clipped.line]
    found = StreetLengths(
        clipped.area, link, road.length[link] * clipped.share, polygon_areas(polygons)
    )
    for column in (found.area, found.link, found.length, found.size):
        column.flags.writeable = False
    return found


def has_built_up(zones: ZoneSystem) -> bool:
    """Return whether any zone has a built-up area."""
    return zones.built_up is not None and any(
        p is not None and not p.is_empty for p in zones.built_up
    )


def zone_polygons(zones: ZoneSystem, denominator: str) -> tuple[Array, Array]:
    """Return the zones that have a polygon of the wanted kind, and the polygons.

    Zones without a built-up area are left out where any zone has one; where none has, the whole
    zones stand in.
    """
    for wanted in (zones.built_up, zones.polygon) if denominator == BUILT_UP else (zones.polygon,):
        if wanted is not None:
            rows = np.flatnonzero([p is not None and not p.is_empty for p in wanted])
            if len(rows):
                return rows, wanted[rows]
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object)


def _pair_weight(road: RoadNetwork, rules: Convention) -> Array:
    """Return the weight of a street, both directions together, at its first link."""
    weight = centreline_weight(road, rules)
    total = weight.copy()
    two_way = road.reverse_link != NO_LINK
    total[two_way] += weight[road.reverse_link[two_way]]
    return total


def zone_density(network: Network, rules: Convention) -> Array:
    """Return the density of each zone, ``[zone], km/km2``; NaN where the zone has no area."""
    zones = _zones(network)
    out = np.full(zones.n_zones, np.nan)
    rows, polygons = zone_polygons(zones, rules.denominator)
    if len(rows):
        streets = street_lengths(network.road, polygons)
        counted = streets.length * _pair_weight(network.road, rules)[streets.link]
        length = np.bincount(streets.area, weights=counted, minlength=len(rows))
        out[rows] = np.divide(
            length / 1e3, streets.size / 1e6, out=np.full(len(rows), np.nan),
            where=streets.size > 0.0,
        )  # fmt: skip
    return out


def _zones(network: Network) -> ZoneSystem:
    if network.zones is None:
        raise IndicatorError.of(
            network.info.name, "no zones", "a network with zones", "name an area as polygons"
        )
    return network.zones


def road_density(
    network: Network, conventions: Sequence[Convention] = tuple(CONVENTIONS.values())
) -> tuple[Indicator, ...]:
    """Return road density and length by tier, district and class under each convention.

    The areas are the zones' own: built-up parts or whole zones, as each convention says.

    Raises
    ------
    IndicatorError
        The network has no zones.
    """
    zones = _zones(network)
    measured: dict[str, tuple[Array, StreetLengths]] = {}
    out: list[Indicator] = []
    for rules in conventions:
        if rules.denominator not in measured:
            rows, polygons = zone_polygons(zones, rules.denominator)
            if not len(rows):
                continue
            measured[rules.denominator] = rows, street_lengths(network.road, polygons)
        if rules.denominator not in measured:
            continue
        rows, streets = measured[rules.denominator]
        counted = streets.length * _pair_weight(network.road, rules)[streets.link]
        zone_of = rows[streets.area]
        whole = rules.denominator == BUILT_UP and not has_built_up(zones)
        note = "whole zones: no built-up area is known" if whole else ""
        for kind, name, inside in _areas(zones, rows):
            size = float(streets.size[inside[rows]].sum())
            length = float(counted[inside[zone_of]].sum())
            out += _pair(rules.name, {kind: name} if kind else {"area": "all"}, length, size, note)
        size = float(streets.size.sum())
        of_class = np.bincount(
            network.road.road_class[streets.link], weights=counted, minlength=len(ROAD_CLASSES)
        )
        for code in np.flatnonzero(of_class > 0.0):
            by = {"area": "all", "class": ROAD_CLASSES[code]}
            out += _pair(rules.name, by, float(of_class[code]), size, note)
    return tuple(out)


def _areas(zones: ZoneSystem, rows: Array) -> list[tuple[str, str, Array]]:
    """Return kind, name and mask [zone] of every area that holds a measured zone."""
    measured = np.zeros(zones.n_zones, dtype=bool)
    measured[rows] = True
    areas = [("", "all", measured)]
    for code, tier in enumerate(TIERS):
        if tier != "none" and (measured & (zones.tier == code)).any():
            areas.append(("tier", tier, measured & (zones.tier == code)))
    names = list(dict.fromkeys(str(d) for d in zones.district[rows] if d))
    areas += [("district", name, measured & (zones.district == name)) for name in names]
    return areas


def _pair(name: str, by: dict[str, str], length: float, size: float, note: str) -> list[Indicator]:
    restriction = {**by, "convention": name}
    density = length / 1e3 / (size / 1e6) if size > 0.0 else float("nan")
    return [
        Indicator("road_density", density, "km/km2", restriction, note),
        Indicator("road_length", length / 1e3, "km", restriction, note),
    ]


def area_density(
    road: RoadNetwork, polygons: Sequence[tuple[str, object]], rules: Convention
) -> list[tuple[str, float, float]]:
    """Return name, counted length (m) and size (m2) of each of the given polygons."""
    streets = street_lengths(road, np.array([p for _, p in polygons], dtype=object))
    counted = streets.length * _pair_weight(road, rules)[streets.link]
    length = np.bincount(streets.area, weights=counted, minlength=len(polygons))
    return [
        (name, float(length[k]), float(streets.size[k])) for k, (name, _) in enumerate(polygons)
    ]
