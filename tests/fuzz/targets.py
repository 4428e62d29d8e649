"""What is fuzzed: a small valid input of each kind, and the reader that takes it."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np

from cczsim.cli import main

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.stem}_for_fuzz", path)
    assert spec is not None
    assert spec.loader is not None
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Target:
    """A kind of input: files of a folder, which of them are damaged, and what reads them.

    Parameters
    ----------
    files : dict of str to bytes
    damaged : tuple of str
        One of them is drawn for each case.
    read : callable
        Takes the folder; raises CczsimError, or returns an exit code of the command line.
    """

    name: str
    files: dict[str, bytes]
    damaged: tuple[str, ...]
    read: Callable[[Path], int | None]


NET = """<NUMBER OF ZONES> 3
<NUMBER OF NODES> 4
<FIRST THRU NODE> 1
<NUMBER OF LINKS> 5
<ORIGINAL HEADER>~ Init node Term node ;
<END OF METADATA>

~ init term capacity length fft b power speed toll type ;
1 2 1000 2.0 5.0 0.15 4 0 0 1 ;
2 1 1000 2.0 5.0 0.15 4 0 0 1 ;
2 3 1200.5 1.0 2.5 0.15 4 0 0 1 ;
3 4 900 1.0 2.0 0.15 4 0 0 1 ;
4 1 900 1.0 2.0 0.15 4 0 0 1 ;
"""
NODES = "Node X Y ;\n1 112.9 28.1 ;\n2 112.91 28.1 ;\n3 112.92 28.1 ;\n4 112.9 28.2 ;\n"
TRIPS = """<NUMBER OF ZONES> 3
<TOTAL OD FLOW> 60.0
<END OF METADATA>

Origin 1
1 : 0.0; 2 : 10.0; 3 : 20.0;
Origin 2
1 : 10.0; 3 : 5.0;
Origin 3
1 : 10.0; 2 : 5.0;
"""
LONG = "origin,destination,trips\n1,2,10\n1,3,20.5\n2,1,3\n3,1,4\n"
WIDE = "zone,1,2,3\n1,0,10,20.5\n2,3,0,0\n3,4,0,0\n"
GMNS_LINKS = (
    "link_id,from_node_id,to_node_id,directed,length,free_speed,capacity,lanes,facility_type\n"
    "1,1,2,true,1000,50,900,1,primary\n2,2,3,true,900,50,900,2,secondary\n"
    "3,3,1,true,1100,40,800,1,residential\n4,2,1,false,1000,50,900,1,primary\n"
)
GMNS_NODES = "node_id,x_coord,y_coord,zone_id\n1,112.9,28.1,1\n2,112.91,28.1,2\n3,112.92,28.11,3\n"
MOVEMENTS = (
    "mvmt_id,node_id,ib_link_id,ob_link_id,type,penalty,ctrl_type\n"
    "1,2,1,2,right,5,signal\n2,3,2,3,left,12.5,stop\n"
)
CLASSES = TESTS.parent / "networks/changsha-osm/class-table.csv"
RECIPE = """cczsim = 1
kind = "osm"
name = "grid"
title = "Grid 网格"
crs = "wgs84"
class_table = "classes.csv"
attribution = ["© OpenStreetMap contributors"]
[source]
file = "grid.osm"
keep = "largest"
[zones]
kind = "csv"
file = "zones.csv"
id = "id"
population = "people"
jobs = "jobs"
per_zone = 2
[[transit.lines]]
file = "lines.csv"
mode = "metro"
headway_min = 5
speed_kmh = 35
[[transit.gtfs]]
file = "feed.zip"
date = "2024-01-03"
from = "07:00"
to = "09:00"
"""
ZONES = "id,lon,lat,people,jobs\n1,113.01,28.01,1000,300\n2,113.03,28.03,500,900.5\n"
LINES = (
    "line,seq,stop_id,stop_name,lon,lat\nA,1,a,甲,113.00,28.00\nA,2,b,乙,113.02,28.01\n"
    "A,3,c,丙,113.04,28.04\n"
)
POLYGONS = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"区"},'
    '"geometry":{"type":"Polygon","coordinates":[[[113,28],[113.05,28],[113.05,28.05],'
    "[113,28.05],[113,28]]]}}]}"
)
STOP_TRIPS = "origin,destination,trips\na,b,10\nb,c,5\n"
SCENARIO = """cczsim = 1
title = "Plan: wider"
title_zh = "方案"
network = "grid"
year = 2025
[demand]
population_growth = { central = "12 %" }
[assignment]
algorithm = "bfw"
relative_gap = 1e-3
[tolerances]
lost_demand = "0.1 %"
[[changes]]
kind = "links"
id = "wider"
select = { class = ["primary"] }
expect = { links = ">= 10", lanes = 2 }
set = { lanes = 3, speed = "60 km/h" }
cost = "1.2e9 CNY"
[[changes]]
kind = "transit_line"
line = "M1"
set = { headway = "3 min" }
[[changes]]
kind = "road_density"
area = "central"
target = "0.5 km/km2"
convention = "cn-urban"
[targets]
road_density_central = ">= 0.01 km/km2"
"""


def targets(work: Path) -> dict[str, Target]:
    """Return all targets by name; ``work`` is a folder to make binary inputs in."""
    from cczsim.io.bundle import save_network
    from cczsim.io.class_tables import read_class_table
    from cczsim.io.gtfs import read_feeds
    from cczsim.io.gtfs_calendar import read_window
    from cczsim.io.line_sources import read_line_table
    from cczsim.io.matrices import read_matrix, write_matrix
    from cczsim.io.stop_trips import read_stop_trips
    from cczsim.io.tables import read_polygons
    from cczsim.io.tntp import read_flows, read_nodes

    ids = np.array([1, 2, 3])
    osm = load(TESTS / "io/conftest.py").grid_osm().encode()
    feed = load(TESTS / "io/test_io_gtfs.py").FILES
    window = read_window("2024-01-03", "07:00", "09:00")
    write_matrix(np.arange(9.0).reshape(3, 3), ids, work / "m.omx")
    omx = (work / "m.omx").read_bytes()
    pbf = _pbf(osm, work)
    with zipfile.ZipFile(work / "feed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in feed.items():
            archive.writestr(name, text)
    packed = (work / "feed.zip").read_bytes()
    save_network(load(TESTS / "scenario/grid_case.py").grid(), work / "grid")
    grid = {f"grid/{p.name}": p.read_bytes() for p in sorted((work / "grid").iterdir())}
    recipe = {
        "grid.osm": osm, "zones.csv": ZONES.encode(), "lines.csv": LINES.encode(),
        "feed.zip": packed, "classes.csv": CLASSES.read_bytes(), "recipe.toml": RECIPE.encode(),
    }  # fmt: skip

    def info(name: str) -> Callable[[Path], int]:
        return lambda folder: main(["network", "info", str(folder / name)])

    def matrix(name: str) -> Callable[[Path], None]:
        def read(folder: Path) -> None:
            read_matrix(folder / name, ids)

        return read

    def gtfs(folder: Path) -> None:
        read_feeds([(folder / "feed", window)])

    def gtfs_zip(folder: Path) -> None:
        read_feeds([(folder / "feed.zip", window)])

    def tables(folder: Path) -> None:
        faults = []
        for call in (
            lambda: read_line_table({"file": folder / "lines.csv", "mode": "metro"}),
            lambda: read_class_table(folder / "classes.csv"),
            lambda: read_stop_trips(folder / "stops.csv", {"a", "b", "c"}),
            lambda: read_polygons(folder / "areas.geojson"),
            lambda: read_nodes(folder / "two_node.tntp", 4),
            lambda: read_flows(folder / "two_flow.tntp"),
        ):
            from cczsim.errors import CczsimError

            try:
                call()
            except CczsimError as error:
                faults.append(error)
        if faults:
            raise faults[0]

    flows = "From To Volume Cost\n1 2 10.5 5.0\n2 3 3.0 2.5\n"
    found = [
        Target("tntp network", {"two_net.tntp": NET.encode(), "two_node.tntp": NODES.encode()},
               ("two_net.tntp", "two_net.tntp", "two_node.tntp"), info("two_net.tntp")),
        Target("tntp trips", {"t.tntp": TRIPS.encode()}, ("t.tntp",), matrix("t.tntp")),
        Target("csv trips, long", {"t.csv": LONG.encode()}, ("t.csv",), matrix("t.csv")),
        Target("csv trips, wide", {"t.csv": WIDE.encode()}, ("t.csv",), matrix("t.csv")),
        Target("omx trips", {"t.omx": omx}, ("t.omx",), matrix("t.omx")),
        Target("gmns", {"g/link.csv": GMNS_LINKS.encode(), "g/node.csv": GMNS_NODES.encode(),
                        "g/movement.csv": MOVEMENTS.encode()},
               ("g/link.csv", "g/node.csv", "g/movement.csv"), info("g")),
        Target("osm xml", {"grid.osm": osm}, ("grid.osm",), info("grid.osm")),
        Target("osm pbf", {"grid.osm.pbf": pbf}, ("grid.osm.pbf",), info("grid.osm.pbf")),
        Target("gtfs zip", {"feed.zip": packed}, ("feed.zip",), gtfs_zip),
        Target("gtfs tables", {f"feed/{k}": v.encode() for k, v in feed.items()},
               tuple(f"feed/{k}" for k in feed), gtfs),
        Target("recipe", recipe, ("recipe.toml",) * 5 + ("zones.csv",), info("recipe.toml")),
        Target("other tables", {
            "lines.csv": LINES.encode(), "classes.csv": CLASSES.read_bytes(),
            "stops.csv": STOP_TRIPS.encode(), "areas.geojson": POLYGONS.encode(),
            "two_node.tntp": NODES.encode(), "two_flow.tntp": flows.encode(),
        }, ("lines.csv", "classes.csv", "stops.csv", "areas.geojson", "two_node.tntp",
            "two_flow.tntp"), tables),
        Target("built network", grid, tuple(grid), info("grid")),
        Target("scenario", {**grid, "plan.toml": SCENARIO.encode()}, ("plan.toml",),
               lambda folder: main(["validate", str(folder / "plan.toml")])),
    ]  # fmt: skip
    made = load(HERE / "run_targets.py").run_targets(NET.encode(), LONG.encode(), work)
    found += [Target(*words) for words in made]
    return {target.name: target for target in found}


def _pbf(osm: bytes, work: Path) -> bytes:
    import osmium

    (work / "grid.osm").write_bytes(osm)
    path = work / "grid.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    try:
        for item in osmium.FileProcessor(str(work / "grid.osm")):
            writer.add(item)
    finally:
        writer.close()
    return path.read_bytes()
