"""How many tag combinations each tool gets right: ``python benchmarks/macro/osm_tags.py``.

The table is ``tests/cases/osm-tags/cases.csv``. Each aspect counts for itself: whether a car may
use the way, its directions, the lanes of each direction, the speed limit of each direction. Where
the tags do not say lanes or speed, whatever a tool fills in counts as right. The rows were chosen
by this project, after its own rules: read the figures as what a tool leaves to its user, not as a
grade. OSMnx reads the ways as OSM XML, unsimplified, and its ``drive`` filter decides what is
open; with ``add_edge_speeds``. ``--peer-python`` names an interpreter with AequilibraE.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "tests/cases/osm-tags/cases.csv"
ASPECTS = ("access", "direction", "lanes", "speed")


def ours(cases: list[dict[str, str]]) -> list[dict[str, Any]]:
    from cczsim.network.road_class import ROAD_CLASSES
    from cczsim.osm.tags import interpret

    out = []
    for tags in cases:
        rule = interpret(tags)
        out.append({
            "closed": bool(rule.reason),
            "direction": {(True, True): "both", (True, False): "forward"}.get(
                (rule.forward, rule.backward), "backward"),
            "class": ROAD_CLASSES[rule.road_class],
            "lanes": list(rule.lanes),
            "kmh": [3.6 * value for value in rule.speed],
        })  # fmt: skip
    return out


def osmnx_rows(cases: list[dict[str, str]]) -> list[dict[str, Any]]:
    import osmnx
    from osmnx import _overpass

    parts = ['<osm version="0.6">']
    for k in range(len(cases)):
        parts += [
            f'<node id="{10 * (k + 1) + end}" lat="{28 + k / 1e3}" lon="{113 + end / 1e3}"/>'
            for end in (1, 2)
        ]
    for k, tags in enumerate(cases):
        refs = "".join(f'<nd ref="{10 * (k + 1) + end}"/>' for end in (1, 2))
        pairs = "".join(f"<tag k={quoteattr(a)} v={quoteattr(b)}/>" for a, b in tags.items())
        parts.append(f'<way id="{k + 1}">{refs}{pairs}</way>')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.osm"
        path.write_text("".join([*parts, "</osm>"]), encoding="utf-8")
        graph = osmnx.graph_from_xml(path, retain_all=True, simplify=False)
    graph = osmnx.add_edge_speeds(graph)
    drive = re.findall(r'\["(\w+)"!~"([^"]*)"\]', _overpass._get_network_filter("drive"))
    out = []
    for k, tags in enumerate(cases):
        a, b = 10 * (k + 1) + 1, 10 * (k + 1) + 2
        edges = [graph.get_edge_data(*pair, default={}).get(0) for pair in ((a, b), (b, a))]
        shut = "highway" not in tags or any(
            key in tags and re.search(values, tags[key]) for key, values in drive
        )
        out.append({
            "closed": shut or not any(edges),
            "direction": "both" if all(edges) else "forward" if edges[0] else "backward",
            "class": tags.get("highway", ""),
            "lanes": [edge.get("lanes") if edge else 0 for edge in edges],
            "kmh": [edge.get("speed_kph") if edge else None for edge in edges],
        })  # fmt: skip
    return out


def number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def right(row: dict[str, str], found: dict[str, Any]) -> dict[str, bool]:
    """Whether each aspect of a row is right; those of closed ways are access only."""
    closed = row["direction"] == "closed"
    out = {"access": found["closed"] == closed}
    if closed:
        return out
    out["direction"] = found["direction"] == row["direction"]
    for aspect, key, name in (("lanes", "lanes", "lanes"), ("speed", "kmh", "kmh")):
        given = [row[f"{name}_{side}"] for side in ("forward", "backward")]
        pairs = [pair for pair in zip(given, found[key], strict=True) if pair[0] not in ("", "0")]
        if pairs:
            off = [abs((number(value) or 0.0) - float(want)) for want, value in pairs]
            out[aspect] = max(off) < (0.1 if aspect == "lanes" else 0.5)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", default="", help="tool whose wrong rows are listed")
    options = parser.parse_args()
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cases = [dict(item.split("=", 1) for item in row["tags"].split(" + ")) for row in rows]
    import osmnx

    found = {"cczsim": ours(cases), f"OSMnx {osmnx.__version__}": osmnx_rows(cases)}
    if options.peer_python:
        with tempfile.TemporaryDirectory() as folder:
            given, made = Path(folder) / "cases.json", Path(folder) / "out.json"
            given.write_text(json.dumps(cases), encoding="utf-8")
            script = Path(__file__).with_name("peer_osm_aequilibrae.py")
            subprocess.run([options.peer_python, str(script), str(given), str(made)], check=True)
            peer = json.loads(made.read_text(encoding="utf-8"))
        found[f"AequilibraE {peer['version']}"] = peer["rows"]
    result = {}
    for tool, answers in found.items():
        marks = [right(row, answer) for row, answer in zip(rows, answers, strict=True)]
        whole = sum(all(mark.values()) for mark in marks)
        by = {
            aspect: [sum(m[aspect] for m in marks if aspect in m), sum(aspect in m for m in marks)]
            for aspect in ASPECTS
        }
        result[tool] = {"rows_right": whole, "rows": len(rows), **by}
        parts = ", ".join(f"{aspect} {a} of {b}" for aspect, (a, b) in by.items())
        print(f"{tool}: {whole} of {len(rows)} rows wholly right; {parts}")
        if options.show and tool.startswith(options.show):
            for row, mark, answer in zip(rows, marks, answers, strict=True):
                if not all(mark.values()):
                    print("   ", row["tags"], [k for k, good in mark.items() if not good], answer)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
