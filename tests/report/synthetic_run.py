"""A small finished run, made by hand: a grid of streets with a rail line and four tiers."""

from __future__ import annotations

import numpy as np
import shapely

from cczsim.assignment.result import (
    IterationRecord,
    ModeEquilibrium,
    RoadAssignment,
    Status,
    TransitAssignment,
    TransitSkims,
    Unreachable,
)
from cczsim.indicators.indicator import Indicator
from cczsim.network.backdrop import Backdrop
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.network.transit import MODE_CODE, TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.result import (
    AppliedChange,
    Assumption,
    Evidence,
    LedgerRow,
    RunResult,
    TargetRow,
)

SIDE = 12
STEP = 0.01
LON, LAT = 112.9, 28.1
N_ZONES = 9


def grid_road(extra_street: bool = False, hostile: str = "") -> RoadNetwork:
    """A grid; the middle row is a primary, the rest generated; a diagonal in the scenario."""
    node = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    lon = np.tile(LON + STEP * np.arange(SIDE), SIDE)
    lat = np.repeat(LAT + STEP * np.arange(SIDE), SIDE)
    pairs = [(node[i, j], node[i, j + 1]) for i in range(SIDE) for j in range(SIDE - 1)]
    pairs += [(node[i, j], node[i + 1, j]) for i in range(SIDE - 1) for j in range(SIDE)]
    major = [i == SIDE // 2 for i in range(SIDE) for _ in range(SIDE - 1)]
    major += [j == SIDE // 2 for _ in range(SIDE - 1) for j in range(SIDE)]
    classes = [CLASS_CODE["primary" if m else "residential"] for m in major]
    if extra_street:
        pairs += [(node[k, k], node[k + 1, k + 1]) for k in range(4)]
        classes += [CLASS_CODE["secondary"]] * 4
    centroid = SIDE * SIDE + np.arange(N_ZONES)
    rows, columns = np.divmod(np.arange(N_ZONES), 3)
    near = node[1 + 4 * rows, 1 + 4 * columns]
    pairs += list(zip(centroid, near, strict=True))
    classes += [CONNECTOR] * N_ZONES
    first = np.array(pairs)
    n = len(first)
    tail = np.concatenate([first[:, 0], first[:, 1]])
    head = np.concatenate([first[:, 1], first[:, 0]])
    road_class = np.tile(classes, 2)
    reverse = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    names = np.where(road_class == CLASS_CODE["primary"], hostile or "芙蓉大道", "")
    source = np.where(road_class == CLASS_CODE["residential"], Source.GENERATED, Source.TAGGED)
    speed = np.where(road_class == CLASS_CODE["residential"], 30 / 3.6, 50 / 3.6)
    return RoadNetwork(
        node_id=np.arange(SIDE * SIDE + N_ZONES),
        node_lon=np.concatenate([lon, lon[near] + STEP / 3]),
        node_lat=np.concatenate([lat, lat[near] + STEP / 3]),
        link_id=np.concatenate([np.arange(n), 1_000_000 + np.arange(n)]) + 1,
        tail=tail, head=head, road_class=road_class,
        length=np.full(2 * n, 1000.0),
        free_flow_time=1000.0 / speed,
        capacity=np.where(road_class == CLASS_CODE["residential"], 600.0, 2800.0),
        lanes=np.where(road_class == CLASS_CODE["residential"], 1.0, 2.0),
        speed=speed,
        reverse_link=reverse,
        name=names,
        class_source=source, lanes_source=source, geometry_source=source,
        speed_source=np.full(2 * n, Source.DEFAULT),
    )  # fmt: skip


def grid_zones(hostile: str = "") -> ZoneSystem:
    """Nine square zones, three districts, tiers central, circle and cluster."""
    rows, columns = np.divmod(np.arange(N_ZONES), 3)
    size = 4 * STEP
    west, south = LON - STEP / 2 + size * columns, LAT - STEP / 2 + size * rows
    boxes = shapely.box(west, south, west + size, south + size)
    return ZoneSystem(
        zone_id=np.arange(N_ZONES) + 1,
        centroid=SIDE * SIDE + np.arange(N_ZONES),
        zone_name=[hostile or f"小区 {k}" for k in range(N_ZONES)],
        district=[f"{hostile}{k}" if hostile else ("岳麓区", "天心区", "宁乡市")[k] for k in rows],
        tier=rows,
        zone_lon=west + size / 2, zone_lat=south + size / 2,
        population=np.linspace(2e4, 1e5, N_ZONES), jobs=np.linspace(1e4, 5e4, N_ZONES),
        area=np.full(N_ZONES, 17e6), built_up_area=np.full(N_ZONES, 10e6),
        polygon=boxes, trip_share=np.where(rows == 2, 0.1, 1.0),
    )  # fmt: skip


def grid_backdrop(hostile: str = "") -> Backdrop:
    """A river with an island from south to north, and a hill."""
    river = shapely.box(LON + 0.04, LAT - 0.05, LON + 0.045, LAT + 0.5)
    island = shapely.box(LON + 0.041, LAT + 0.03, LON + 0.043, LAT + 0.05)
    hill = shapely.box(LON, LAT + 0.01, LON + 0.02, LAT + 0.03)
    return Backdrop(
        kind=["water", "green"], polygon=[shapely.difference(river, island), hill],
        area_name=[hostile or "湘江", "岳麓山"], area_name_en=["Xiang River", ""],
    )  # fmt: skip


def grid_transit(extended: bool = False, hostile: str = "") -> TransitNetwork:
    """A metro line west to east and back; in the scenario a bus line beside it."""
    n = SIDE
    stops = np.arange(n)
    line_stop = [*stops, *stops[::-1]]
    run = [*([120.0] * (n - 1)), 0.0] * 2
    lines = ["M1>", "M1<"]
    first = [0, n, 2 * n]
    mode = [MODE_CODE["metro"]] * 2
    if extended:
        line_stop += list(stops[:4])
        run += [300.0] * 3 + [0.0]
        lines.append("B1>")
        first.append(2 * n + 4)
        mode.append(MODE_CODE["bus"])
    return TransitNetwork(
        stop_id=stops, stop_name=[hostile or f"站 {k}" for k in stops],
        stop_lon=LON + STEP * stops, stop_lat=np.full(n, LAT + STEP * 6.3),
        line_id=lines, route=[name[:2] for name in lines], mode=mode,
        headway=[300.0] * len(lines), line_first=first,
        line_stop=line_stop, run_time=run, run_length=np.array(run) * 9,
        seats_and_standing=[1500.0, 1500.0, 80.0][: len(lines)],
        headway_source=[Source.DEFAULT] * len(lines),
        color=["#c8102e"] * len(lines),
    )  # fmt: skip


def _road_assignment(road: RoadNetwork, factor: float) -> RoadAssignment:
    flow = factor * road.capacity * (0.35 + 0.7 * ((np.arange(road.n_links) * 37) % 100) / 100)
    flow[road.road_class == CONNECTOR] = 200.0
    time = road.free_flow_time * (1 + road.alpha * (flow / road.capacity) ** road.beta)
    history = tuple(
        IterationRecord(
            k, 0.1 * k, 0.3 * 10 ** (-k / 4), 60.0 * 10 ** (-k / 4), 1e6 + 1e5 / (k + 1)
        )
        for k in range(17)
    )
    none = Unreachable(origin=[], destination=[], trips=[])
    return RoadAssignment(
        "bfw", Status.CONVERGED, flow, time, time, history[-1].relative_gap, 0.01,
        float(flow @ time), float(flow @ time) * (1 - 1e-4), 1e6, 16, history,
        20_000.0, 800.0, 0.0, none,
    )  # fmt: skip


def _transit_assignment(transit: TransitNetwork, factor: float) -> TransitAssignment:
    n = len(transit.line_stop)
    flow = factor * 2000.0 * np.sin(np.linspace(0.1, 3.0, n)) ** 2
    flow[transit.line_first[1:] - 1] = 0.0
    boardings = np.full(n, 150.0 * factor)
    square = np.full((N_ZONES, N_ZONES), 1800.0)
    skims = TransitSkims(square, square, square, square, square, np.ones_like(square))
    none = Unreachable(origin=[], destination=[], trips=[])
    return TransitAssignment(
        flow, boardings, boardings, np.zeros(0), np.zeros(0), np.zeros(0), skims,
        6000.0, 100.0, 0.0, none,
    )  # fmt: skip


def _indicators(factor: float) -> tuple[Indicator, ...]:
    out = []
    for tier, scale in (("central", 1.0), ("circle", 0.6), ("cluster", 0.3)):
        for convention, level in (("cn-urban", 6.1), ("osm-all-drivable", 8.3)):
            out.append(
                Indicator(
                    "road_density", level * scale * factor, "km/km2",
                    {"tier": tier, "convention": convention},
                )
            )  # fmt: skip
    for district, scale in (("岳麓区", 1.0), ("天心区", 0.9), ("宁乡市", 0.5)):
        out.append(
            Indicator(
                "road_density", 6.1 * scale * factor, "km/km2",
                {"district": district, "convention": "cn-urban"},
            )
        )  # fmt: skip
    for name, km in (("residential", 242.0), ("primary", 22.0)):
        out.append(
            Indicator(
                "road_length", km, "km",
                {"area": "all", "class": name, "convention": "osm-all-drivable"},
            )
        )  # fmt: skip
    for area in ({"area": "all"}, {"tier": "central"}, {"tier": "circle"}, {"tier": "cluster"}):
        out += [
            Indicator("vehicle_km", 123_456.0 * factor, "pce km/h", dict(area)),
            Indicator("mean_speed", 34.5 * factor, "km/h", dict(area)),
            Indicator("delay_hours", 1_234.0 / factor, "pce h/h", dict(area)),
            *([Indicator("delay_per_trip", 3.9, "min", dict(area))] if "area" in area else []),
            Indicator("co2", 21.5 / factor, "t/h", dict(area)),
            Indicator("airport_minutes", 48.0 / factor, "min", {**area, "mode": "car"}),
            Indicator(
                "jobs_reached", 2.1e5 * factor, "jobs", {**area, "mode": "transit", "minutes": "45"}
            ),
        ]
    transit = 20.0 * factor
    out += [
        Indicator("mode_share", 50.0, "%", {"area": "all", "mode": "car"}),
        Indicator("mode_share", transit, "%", {"area": "all", "mode": "transit"}),
        Indicator("mode_share", 50.0 - transit, "%", {"area": "all", "mode": "active"}),
        Indicator("mean_trip_minutes", 31.0, "min", {"area": "all", "mode": "car"}),
    ]
    for line, value in (("M1", 3600.0), ("B1", 600.0)):
        out.append(Indicator("boardings", value * factor, "trips/h", {"line": line}))
        out.append(Indicator("passenger_km", 8 * value * factor, "passenger km/h", {"line": line}))
    return tuple(out)


def make_run(scenario: bool = False, hostile: str = "") -> RunResult:
    """Return the base year, or the scenario with a street and a bus line more."""
    factor = 1.15 if scenario else 1.0
    road = grid_road(scenario, hostile)
    transit = grid_transit(scenario, hostile)
    assignment = _road_assignment(road, factor)
    trips = np.full((N_ZONES, N_ZONES), 100.0)
    info = NetworkInfo(
        "grid", hostile or "A grid made by hand", ("© OpenStreetMap contributors, ODbL 1.0",),
        "2020-11-01", (hostile or "The local streets are generated.",),
        title_zh=hostile or "手工网格", notes_zh=("地方街道为生成。",),
    )  # fmt: skip
    return RunResult(
        name="grid-plan" if scenario else "grid-base",
        title=hostile or ("Plan: one street more" if scenario else "Base year"),
        year=2025 if scenario else 2020,
        spec={
            "title_zh": hostile or ("方案:新增一条道路" if scenario else "基准年"),
            "assignment": {"algorithm": "bfw", "relative_gap": 1e-4},
            "changes": [{"kind": "road_density", "convention": "cn-urban", "target": "7 km/km2"}],
        },
        network=Network(info, road, grid_zones(hostile), transit, grid_backdrop(hostile)),
        trips=trips,
        equilibrium=ModeEquilibrium(
            assignment, _transit_assignment(transit, factor),
            {"car": 0.5 * trips, "transit": 0.2 * trips, "active": 0.3 * trips},
            np.full((N_ZONES, N_ZONES), 1500.0), 0.4 * trips, 1e-5,
        ),
        indicators=_indicators(factor),
        ledger=(
            LedgerRow("generated", "all", 8100.0),
            LedgerRow("generated", "intrazonal", 900.0),
            LedgerRow("mode choice", "car", 4050.0),
            LedgerRow("mode choice", "transit", 1620.0),
            LedgerRow("mode choice", "active", 2430.0, hostile or "walking and cycling"),
        ),
        changes=(
            AppliedChange(1, "road_density", hostile or "4 streets added",
                          {"links added": 8.0}, 1.2e9),
        ) if scenario else (),
        assumptions=(
            Assumption("demand.value_of_time", "30 CNY/h", "default", hostile or "no survey found"),
            Assumption("networks/grid", "generated local streets", "recipe", "unknown"),
        ),
        targets=(
            TargetRow("road_density_central", "", ">= 7 km/km2", "km/km2",
                      6.1, 6.1 * factor, True, 0.015, ("demand.value_of_time",)),
            TargetRow("airport_minutes_car_central", hostile, "<= 45 min", "min",
                      50.0, 48.0, False, -3.0),
            TargetRow("gdp", "", ">= 2.5e12 CNY", "CNY",
                      float("nan"), float("nan"), None, float("nan")),
            TargetRow("rail", "Rails", "formed", "", float("nan"), float("nan"), None,
                      float("nan"), ("demand.value_of_time",), "轨道", "基本形成",
                      hostile or "no figure", hostile or "没有数值",
                      (Evidence("boardings_M1", "trips/h", 3600.0, 3600.0 * factor),
                       Evidence("co2", "t/h", 21.5, 21.5 / factor))),
        ),
        zone_access={
            "density": np.linspace(2.0, 8.0, N_ZONES) * factor,
            "jobs_45_transit": np.linspace(1e4, 9e4, N_ZONES),
            "airport_car": np.linspace(15.0, 90.0, N_ZONES),
        },
    )  # fmt: skip
