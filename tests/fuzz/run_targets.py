"""What is fuzzed beside networks and trips: inputs of runs, and what runs leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

ANSWER = json.dumps({
    "version": 0.6, "generator": "Overpass API", "osm3s": {"copyright": "©"},
    "elements": [
        {"type": "node", "id": 1, "lat": 28.0, "lon": 113.0, "tags": {"highway": "crossing"}},
        {"type": "node", "id": 2, "lat": 28.01, "lon": 113.0},
        {"type": "node", "id": 3, "lat": 28.01, "lon": 113.01},
        {"type": "way", "id": 7, "nodes": [1, 2, 3], "tags": {"highway": "primary", "name": "路"}},
        {"type": "relation", "id": 9, "tags": {"type": "restriction", "restriction": "no_u_turn"},
         "members": [{"type": "way", "ref": 7, "role": "from"},
                     {"type": "node", "ref": 2, "role": "via"},
                     {"type": "way", "ref": 7, "role": "to"}]},
    ],
}, ensure_ascii=False)  # fmt: skip
CLASSES = """[[class]]
name = "car"
trips = "t.csv"
value_of_time = 25.0
[[class]]
name = "lorry"
trips = "t.csv"
pce = 2.0
toll_factor = 0.1
distance_factor = 0.01
closed_links = "closed.csv"
closed_classes = ["residential"]
"""
CLOSED = "from_node,to_node\n3,4\n"
COUNTS = "from_node,to_node,count,sd\n1,2,300,20\n2,3,120.5,\n3,4,80,9\n"
PLACES = "id,lon,lat\na,113.0,28.0\n乙,113.01,28.02\n"
RANGES = """cczsim = 1
title = "Ranges"
[uncertainty.trips]
what = "demand.trip_rate"
times = true
low = 0.9
likely = 1.0
high = 1.2
distribution = "triangular"
[uncertainty.vot]
what = "demand.value_of_time"
low = "18 CNY/h"
high = "35 CNY/h"
[uncertainty.capacity]
what = "links.capacity"
select = { class = ["primary"] }
low = 0.85
high = 1.15
"""
RECORD = '{"cczsim": "0.1.0", "name": "a", "status": "done", "noise": 1e-4, "inputs": {}}'
FIGURES = """{"name": "a", "title": "A", "indicators": [
 {"key": "vehicle_km", "by": {"area": "all"}, "value": 12.5, "unit": "pce km/h"},
 {"key": "mean_speed", "by": {"area": "all"}, "value": null, "unit": "km/h", "note": "n"}],
 "targets": [{"key": "vehicle_km", "met": false}]}"""

Read = Callable[[Path], int | None]
Made = tuple[str, dict[str, bytes], tuple[str, ...], Read]


def run_targets(net: bytes, trips: bytes, work: Path) -> list[Made]:
    """Return name, files, those that are damaged, and the reader of each target.

    Parameters
    ----------
    net : bytes
        A TNTP network of zones 1 to 3.
    trips : bytes
        A CSV of trips between them.
    work : Path
        Where binary inputs are made.
    """
    from cczsim.io.bush_file import read_bushes
    from cczsim.io.checkpoints import Checkpoints
    from cczsim.io.class_file import read_classes
    from cczsim.io.link_counts import read_counts
    from cczsim.io.overpass_json import read_overpass_file
    from cczsim.io.places import read_places
    from cczsim.io.results import read_result
    from cczsim.io.sample_store import SampleStore
    from cczsim.io.tntp import read_network
    from cczsim.io.uncertainty_file import read_uncertainty
    from cczsim.osm.road_build import build_roads

    def road(folder: Path):
        return read_network(folder / "two_net.tntp").road

    def classes(folder: Path) -> None:
        read_classes(folder / "classes.toml", road(folder), np.array([1, 2, 3]), 60.0, 1000.0)

    def samples(folder: Path) -> None:
        SampleStore(folder).read("s")

    def checkpoint(folder: Path) -> None:
        kept = Checkpoints(folder)
        kept.find("s", "1" * 64)
        kept.drop("s")

    def overpass(folder: Path) -> None:
        build_roads(read_overpass_file(folder / "o.json"))

    sample = json.dumps({
        "format": 1, "key": "s", "noise": 1e-4, "converged": True,
        "figures": [["vehicle_km", 1.5, "pce km/h", {"area": "all"}]],
    })  # fmt: skip
    kept = _checkpoint(work)
    on_net = {"two_net.tntp": net, "t.csv": trips}
    return [
        ("user classes",
         {**on_net, "classes.toml": CLASSES.encode(), "closed.csv": CLOSED.encode()},
         ("classes.toml", "classes.toml", "closed.csv"), classes),
        ("link counts", {**on_net, "counts.csv": COUNTS.encode()}, ("counts.csv",),
         lambda folder: read_counts(folder / "counts.csv", road(folder)) and None),
        ("places", {"p.csv": PLACES.encode()}, ("p.csv",),
         lambda folder: read_places(folder / "p.csv") and None),
        ("ranges", {"r.toml": RANGES.encode()}, ("r.toml",),
         lambda folder: read_uncertainty(folder / "r.toml") and None),
        ("overpass", {"o.json": ANSWER.encode()}, ("o.json",), overpass),
        ("saved bushes", {"b.npz": _bushes(work)}, ("b.npz",),
         lambda folder: read_bushes(folder / "b.npz") and None),
        ("checkpoint", kept, tuple(kept), checkpoint),
        ("stored result", {"a/run.json": RECORD.encode(), "a/indicators.json": FIGURES.encode()},
         ("a/run.json", "a/indicators.json"), lambda folder: read_result(folder / "a") and None),
        ("stored sample", {"s.json": sample.encode()}, ("s.json",), samples),
    ]  # fmt: skip


def _bushes(work: Path) -> bytes:
    from cczsim.assignment.bush_solution import BushStart, Rows
    from cczsim.io.bush_file import write_bushes

    rows = Rows(
        size=np.array([3, 2], dtype=np.int32),
        first=np.array([[0, 0, 1, 3], [0, 0, 1, 1]], dtype=np.int32),
        arc=np.array([[0, 2, 1], [1, 0, 0]], dtype=np.int32),
        tail=np.array([[0, 1, 0], [0, 0, 0]], dtype=np.int32),
        flow=np.array([[5.0, 2.5, 1.0], [3.0, 0.0, 0.0]]),
        at=np.full((2, 2), -1, dtype=np.int32),
    )
    ids = np.array([1, 2, 2]), np.array([2, 1, 3])
    write_bushes(BushStart(*ids, np.array([1, 2]), 1, rows), work / "b.npz")
    return (work / "b.npz").read_bytes()


def _checkpoint(work: Path) -> dict[str, bytes]:
    from cczsim.assignment.direction import Remembered
    from cczsim.assignment.elastic import ElasticState
    from cczsim.assignment.equilibrium import ModeState
    from cczsim.assignment.result import IterationRecord
    from cczsim.io.checkpoints import Checkpoints

    state = ElasticState(
        (IterationRecord(1, 0.1, 1e-2, 3.0, 4.0),), np.arange(6.0), Remembered((np.ones(6),), 0.5)
    )
    kept = Checkpoints(work)
    kept.keep("s", "1" * 64, replace(ModeState(), roads=state))
    return {p.relative_to(work).as_posix(): p.read_bytes() for p in kept.folder.iterdir()}
