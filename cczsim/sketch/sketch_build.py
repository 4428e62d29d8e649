"""Tables of a sketched region → Network.

Rules, numbered in the code:

1. Roads at grade join where they cross; bridges, tunnels and elevated roads join at their ends.
2. Roads that are open at interchanges only are joined there by generated ramps, one to each road
   (or other such road) within :data:`INTERCHANGE_REACH` of the interchange.
3. Local streets are generated in the built-up part of each district until its counted length is
   base density x built-up area; centrelines of all classes but motorways and ramps count.
4. Zones are the points' nearest-point cells within the district's outline.
5. Gates and other zones farther than 2 km from a street get a generated road to the nearest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from cczsim.columns import Array, objects, texts
from cczsim.network.backdrop import Backdrop
from cczsim.network.connectors import FORBIDDEN, attach_zones
from cczsim.network.edit import add_streets, carriageway_rows, empty_road, lines_of
from cczsim.network.geometry import local_crs, project, take_ragged, unproject
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.street_line import StreetLine
from cczsim.network.transit import TransitNetwork
from cczsim.network.zone_build import polygon_areas, share_inside, voronoi_cells
from cczsim.network.zones import TIERS, ZoneSystem
from cczsim.sketch.street_grid import StreetSpec, fill_blocks

INTERCHANGE_REACH: Final = 600.0
RAMP: Final = 250.0
_END_SNAP: Final = 120.0
_CONNECTOR_REACH: Final = 25_000.0


@dataclass(frozen=True, eq=False)
class SketchTables:
    """What a sketch is made of.

    Parameters
    ----------
    ground, raised : sequence of StreetLine
        Roads that join where they cross, and roads that join at their ends.
    limited : sequence of StreetLine
        Roads that join at interchanges only.
    interchanges : sequence of (name, lon, lat)
    districts : mapping of key to (name, tier, base density km/km2 or NaN)
    outlines, built_up : mapping of district to shapely polygon
    no_go : sequence of shapely polygons
    zone_name, zone_district, zone_lon, zone_lat, population, jobs, hub, trip_share : sequences
        [zone]; see :class:`~cczsim.network.zones.ZoneSystem`
    backdrop : Backdrop, optional
        What maps show under the network.
    """

    ground: Sequence[StreetLine]
    raised: Sequence[StreetLine]
    limited: Sequence[StreetLine]
    interchanges: Sequence[tuple[str, float, float]]
    districts: Mapping[str, tuple[str, str, float]]
    outlines: Mapping[str, Any]
    built_up: Mapping[str, Any]
    no_go: Sequence[Any]
    zone_name: Sequence[str]
    zone_district: Sequence[str]
    zone_lon: Array
    zone_lat: Array
    population: Array
    jobs: Array
    hub: Sequence[str]
    trip_share: Array
    transit: TransitNetwork | None = None
    backdrop: Backdrop | None = None


@dataclass(frozen=True)
class SketchSettings:
    """Settings of the generators."""

    streets: StreetSpec = field(default_factory=StreetSpec)
    per_zone: int = 8
    ramp_speed: float = 40 / 3.6
    ramp_lanes: float = 2.0
    ramp_capacity: float = 2600.0
    access_capacity: float = 2380.0


def build_sketch(tables: SketchTables, settings: SketchSettings, info: NetworkInfo) -> Network:
    """Build the network of a sketch by the rules of the module."""
    report: dict[str, Any] = {}
    road = add_streets(empty_road(), tables.ground, snap=_END_SNAP).road  # rule 1
    road = add_streets(road, tables.raised, snap=_END_SNAP, cross="over").road
    road = add_streets(road, tables.limited, snap=_END_SNAP, cross="over").road
    ramps = _ramps(road, tables, settings, report)
    road = add_streets(road, ramps, snap=2.0, cross="over").road
    access = _access(road, tables, settings)
    road = add_streets(road, access, snap=2.0, cross="over").road
    report["access_roads"] = len(access)
    road = _streets(road, tables, settings, report)
    return Network(
        info=replace(info, build={**info.build, "sketch": report}),
        **_zoned(road, tables, settings, report),
        backdrop=tables.backdrop,
    )  # fmt: skip


def _metres(road: RoadNetwork, crs: str) -> tuple[Array, Array]:
    rows = carriageway_rows(road)
    first, lon, lat = road.shapes()
    first, points = take_ragged(first, rows)
    x, y = project(lon[points], lat[points], crs)
    return rows, lines_of(first, x, y)


def _ramps(
    road: RoadNetwork, tables: SketchTables, settings: SketchSettings, report: dict[str, Any]
) -> list[StreetLine]:
    """Return the ramps of rule 2, each a short generated road."""
    import shapely

    if not tables.interchanges:
        return []
    crs = local_crs(float(tables.interchanges[0][1]), float(tables.interchanges[0][2]))
    rows, lines = _metres(road, crs)
    motorway = road.road_class[rows] == CLASS_CODE["motorway"]
    names = [str(n) for n in road.name[rows]]
    tree = shapely.STRtree(lines)
    out: list[StreetLine] = []
    alone = []
    for name, lon, lat in tables.interchanges:
        x, y = project(np.array([lon]), np.array([lat]), crs)
        point = shapely.Point(x[0], y[0])
        near = np.sort(tree.query(point, predicate="dwithin", distance=INTERCHANGE_REACH))
        best: dict[tuple[bool, str], int] = {}
        for k in near.tolist():
            key = (bool(motorway[k]), names[k])
            if key not in best or lines[k].distance(point) < lines[best[key]].distance(point):
                best[key] = k
        limited = [k for key, k in best.items() if key[0]]
        others = [k for key, k in best.items() if not key[0]]
        if not limited or len(best) < 2:
            alone.append(name)
            continue
        main = limited[0]
        for k in [*limited[1:], *others]:
            a = _aside(lines[main], point)
            b = _aside(lines[k], point)
            if a.distance(b) < 5.0:
                continue
            ends = np.array([(a.x, a.y), (b.x, b.y)])
            ramp_lon, ramp_lat = unproject(ends[:, 0], ends[:, 1], crs)
            out.append(
                StreetLine(
                    ramp_lon, ramp_lat, "motorway_link", settings.ramp_lanes, settings.ramp_speed,
                    settings.ramp_capacity, name=name, structure="elevated",
                    source=Source.GENERATED,
                )
            )  # fmt: skip
    report["ramps"] = len(out)
    report["interchanges_joining_nothing"] = alone
    return out


def _aside(line: Any, point: Any) -> Any:
    """Return a point of a line, RAMP from its nearest point to another, or near its end."""
    at = line.project(point)
    return line.interpolate(at + RAMP if at + RAMP < line.length else max(at - RAMP, 0.0))


def _access(road: RoadNetwork, tables: SketchTables, settings: SketchSettings) -> list[StreetLine]:
    """Return roads to zones that lie far from every street (5)."""
    import shapely

    crs = local_crs(float(np.mean(tables.zone_lon)), float(np.mean(tables.zone_lat)))
    rows, lines = _metres(road, crs)
    allowed = ~np.isin(road.road_class[rows], [CLASS_CODE[n] for n in FORBIDDEN])
    usable = shapely.STRtree(lines[allowed])
    x, y = project(tables.zone_lon, tables.zone_lat, crs)
    points = shapely.points(x, y)
    # A gate may lie on a motorway's end only, so ends there serve if nothing else is near.
    ends = shapely.STRtree(lines)
    out = []
    for zone, point in enumerate(points):
        if len(usable.query(point, predicate="dwithin", distance=2000.0)):
            continue
        near = lines[ends.nearest(point)]
        at = near.interpolate(near.project(point))
        if at.distance(point) < 5.0:
            point = shapely.Point(point.x + 300.0, point.y + 300.0)
        lon, lat = unproject(np.array([at.x, point.x]), np.array([at.y, point.y]), crs)
        out.append(
            StreetLine(
                lon, lat, "primary_link", 2.0, 50 / 3.6, settings.access_capacity,
                name=tables.zone_name[zone], source=Source.GENERATED,
            )
        )  # fmt: skip
    return out


def street_weight(road: RoadNetwork) -> Array:
    """Return the weight of links that count towards base density (3): half of each direction."""
    uncounted = [c for n, c in CLASS_CODE.items() if n.endswith("_link") or n in
                 ("motorway", "service", "track", "busway", "connector", "other")]  # fmt: skip
    counts = ~np.isin(road.road_class, uncounted)
    return np.where(counts, np.where(road.reverse_link >= 0, 0.5, 1.0), 0.0)


def _streets(
    road: RoadNetwork, tables: SketchTables, settings: SketchSettings, report: dict[str, Any]
) -> RoadNetwork:
    """Grow local streets (3)."""
    keys = [k for k in tables.built_up if k in tables.districts and tables.districts[k][2] > 0]
    areas = [tables.built_up[k] for k in keys]
    size = polygon_areas(areas)
    density = np.array([tables.districts[k][2] for k in keys])
    fill = fill_blocks(
        road, areas, (density * size / 1e3).tolist(), street_weight(road),
        spec=settings.streets, no_go=tables.no_go,
    )  # fmt: skip
    report["streets"] = {
        key: {
            "district": tables.districts[key][0],
            "built_up_km2": round(float(area) / 1e6, 3),
            "target_km": round(done.target / 1e3, 3),
            "before_km": round(done.before / 1e3, 3),
            "after_km": round(done.after / 1e3, 3),
            "reached": done.reached,
        }
        for key, area, done in zip(keys, size, fill.areas, strict=True)
    }
    return add_streets(road, fill.lines, snap=2.0).road


def _zoned(
    road: RoadNetwork, tables: SketchTables, settings: SketchSettings, report: dict[str, Any]
) -> dict[str, Any]:
    lon, lat = np.asarray(tables.zone_lon, float), np.asarray(tables.zone_lat, float)
    cells = voronoi_cells(lon, lat, tables.zone_district, tables.outlines)  # rule 4
    gate = np.asarray(tables.trip_share) < 1.0
    attached = attach_zones(
        road, lon, lat, cells, settings.per_zone, gate=gate, reach=_CONNECTOR_REACH
    )
    report["connectors"] = attached.report
    inside, built = share_inside(cells, list(tables.built_up.values()))
    districts = [tables.districts[d][0] for d in tables.zone_district]
    tiers = [tables.districts[d][1] for d in tables.zone_district]
    zones = ZoneSystem(
        zone_id=np.arange(len(lon)) + 1,
        centroid=attached.centroid,
        zone_name=texts(tables.zone_name),
        district=texts(districts),
        tier=np.array([TIERS.index(t) for t in tiers]),
        zone_lon=lon,
        zone_lat=lat,
        population=tables.population,
        jobs=tables.jobs,
        hub=texts(tables.hub),
        trip_share=tables.trip_share,
        area=polygon_areas(cells),
        built_up_area=built,
        polygon=objects(cells),
        built_up=objects(inside),
    )
    transit = tables.transit
    if transit is not None:
        from cczsim.network.line_build import with_access, with_transfers

        transit = with_access(with_transfers(transit), lon, lat)
    return {"road": attached.road, "zones": zones, "transit": transit}
