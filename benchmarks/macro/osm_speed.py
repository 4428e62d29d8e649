"""Time from an extract to a ready network: ``python benchmarks/macro/osm_speed.py EXTRACT``.

In one run and in turns: a bare pass of pyosmium over the file (a handler that looks at each node,
way and relation and does nothing), cczsim (read, roads with turn rules, rail), and OSMnx
(``graph_from_xml`` of the file's streets as XML, edge speeds, travel times). Then the extract is
tiled; one tile and all are built, each in a process of its own that has built another extract
before, so that neither counts imports. Wall and processor seconds are given: on a busy machine the
latter are the ones to compare.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import osmium

SMALL = (
    '<osm version="0.6"><node id="1" lat="28" lon="113"/><node id="2" lat="28" lon="113.001"/>'
    '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>'
)


class Look(osmium.SimpleHandler):
    """A handler that looks at every object."""

    def node(self, _: Any) -> None:
        pass

    def way(self, _: Any) -> None:
        pass

    def relation(self, _: Any) -> None:
        pass


def build(path: Path) -> Any:
    from cczsim.pipeline.progress import Progress
    from cczsim.pipeline.recipes import build_extract

    return build_extract(path, Progress(stream=io.StringIO()))


def with_osmnx(path: Path) -> Any:
    import osmnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = osmnx.graph_from_xml(path)
    return osmnx.add_edge_travel_times(osmnx.add_edge_speeds(graph))


def timed(call: Callable[[], Any]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def as_xml(source: Path, target: Path) -> None:
    """Write the streets and their nodes only: OSMnx finds no speed for other ways, and stops."""
    refs: set[int] = set()
    for way in osmium.FileProcessor(str(source), osmium.osm.WAY):
        if "highway" in way.tags:
            refs.update(node.ref for node in way.nodes)
    with osmium.SimpleWriter(str(target), overwrite=True) as writer:
        for item in osmium.FileProcessor(str(source)):
            if item.id in refs if item.is_node() else item.is_way() and "highway" in item.tags:
                writer.add(item)


def alone(path: Path) -> None:
    """Build one file and print seconds, links and the most memory that was held."""
    small = Path(tempfile.mkdtemp()) / "small.osm"
    small.write_text(SMALL, encoding="utf-8")
    build(small)  # imports
    wall, cpu = time.perf_counter(), time.process_time()
    network = build(path)
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**spent, "links": network.road.n_links, "peak_rss_mb": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extract", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--tiles", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(options.extract)
        return
    out: dict[str, Any] = {
        "extract": options.extract.name, "machine": platform.machine(), "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "extract.osm"
        as_xml(options.extract, xml)
        calls = {
            "bare_pyosmium": lambda: Look().apply_file(str(options.extract)),
            "cczsim": lambda: build(options.extract),
            "osmnx": lambda: with_osmnx(xml),
        }
        build(options.extract)  # imports
        with_osmnx(xml)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in calls}
        for _ in range(options.repeat):
            for name, call in calls.items():
                runs[name].append(timed(call))
        middle = {
            name: {key: median(run[key] for run in own) for key in ("wall", "cpu")}
            for name, own in runs.items()
        }
        out |= {"median": middle, "runs": runs, "times": {}}
        for key in ("wall", "cpu"):
            times = {
                name: median(
                    ours[key] / other[key]
                    for ours, other in zip(runs["cczsim"], runs[name], strict=True)
                )
                for name in ("bare_pyosmium", "osmnx")
            }
            out["times"][key] = times
            print(
                f"{key}, medians of {options.repeat}: cczsim {middle['cczsim'][key]:.3f} s; "
                f"bare pass {middle['bare_pyosmium'][key]:.3f} s (x {times['bare_pyosmium']:.2f}); "
                f"OSMnx {middle['osmnx'][key]:.3f} s (1 / {1 / times['osmnx']:.1f})"
            )
        if options.tiles:
            from osm_tile import tile

            tiles = Path(folder) / "tiles.osm.pbf"
            tile(options.extract, tiles, options.tiles)
            spent = []
            for path in (options.extract, tiles):
                command = [sys.executable, __file__, str(path), "--alone"]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                spent.append(json.loads(done.stdout))
            out["alone"], out["tiled"] = spent
            for key in ("wall", "cpu"):
                one, many = spent[0][key], spent[1][key]
                print(f"{key}: {options.tiles} tiles {many:.2f} s, one {one:.3f} s "
                      f"(x {many / one:.1f}; of the median of one above "
                      f"x {many / middle['cczsim'][key]:.1f})")  # fmt: skip
            print(f"{spent[1]['links']:,} links, {spent[1]['peak_rss_mb']:,.0f} MB at most")
    if options.json:
        options.json.write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
