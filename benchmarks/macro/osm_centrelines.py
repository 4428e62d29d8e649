"""Centrelines against a count by hand: ``python benchmarks/macro/osm_centrelines.py EXTRACT``.

``tests/cases/centrelines`` lists roads of two carriageways with the lengths of both, measured by
hand on the ways of the extract. Each is printed with the length of its drawn centreline; ``--svg``
writes a picture of every road, both carriageways in blue and green, what is drawn in red.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import osmium

from cczsim.network.centrelines import draw_centrelines
from cczsim.network.edit import carriageway_rows
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_extract

TABLE = Path(__file__).parents[2] / "tests/cases/centrelines/changsha-northeast.csv"
SIDE, COLUMNS = 300.0, 5
Line = list[tuple[float, float]]


def ways_of(path: Path) -> dict[int, Line]:
    """Return the points of all ways, by id."""
    return {
        item.id: [(n.lon, n.lat) for n in item.nodes if n.location.valid()]
        for item in osmium.FileProcessor(str(path)).with_locations()
        if item.is_way()
    }


def panel(number: int, title: str, parts: list[tuple[str, list[Line]]]) -> str:
    """Return one road as a part of an SVG, true to scale within itself."""
    points = [p for _, lines in parts for line in lines for p in line]
    west, south = min(x for x, _ in points), min(y for _, y in points)
    east, north = max(x for x, _ in points), max(y for _, y in points)
    squeeze = math.cos(math.radians(south))
    scale = (SIDE - 50) / max((east - west) * squeeze, north - south)
    left, top = SIDE * (number % COLUMNS) + 20, SIDE * (number // COLUMNS) + 35
    out = [f'<text x="{left}" y="{top - 14}">{escape(title)}</text>']
    for color, lines in parts:
        for line in lines:
            at = " ".join(
                f"{left + (x - west) * squeeze * scale:.1f},{top + (north - y) * scale:.1f}"
                for x, y in line
            )
            out.append(f'<polyline points="{at}" stroke="{color}"/>')
    return "".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extract", type=Path)
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    ways = ways_of(options.extract)
    network = build_extract(options.extract, Progress(stream=io.StringIO()), railway=False)
    drawn = draw_centrelines(network.road)
    road = drawn.road
    rows = carriageway_rows(road)
    back = np.where(road.reverse_link[rows] >= 0, road.way_id[road.reverse_link[rows]], 0)
    first, lon, lat = road.shapes()
    panels, total = [], np.zeros(2)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            sides = [[int(k) for k in row[f"side_{s}_ways"].split()] for s in "ab"]
            both = [*sides[0], *sides[1]]
            own = rows[np.isin(road.way_id[rows], both) | np.isin(back, both)]
            metres, hand = float(road.length[own].sum()), float(row["centreline_m"])
            total += metres, hand
            text = f"{row['road']}: {hand:.0f} m, drawn {metres:.0f} ({metres / hand - 1:+.1%})"
            print(text)
            shapes = [
                list(zip(lon[first[k] : first[k + 1]], lat[first[k] : first[k + 1]], strict=True))
                for k in own
            ]
            parts = [("#2b6cb0", [ways[k] for k in sides[0]]),
                     ("#2f855a", [ways[k] for k in sides[1]]), ("#d0312d", shapes)]  # fmt: skip
            panels.append(panel(number, text, parts))
    print(f"all: {total[1] / 1e3:.2f} km by hand, {total[0] / 1e3:.2f} km drawn "
          f"({total[0] / total[1] - 1:+.2%})")  # fmt: skip
    for when in ("before", "after"):
        print(when, drawn.report[when])
    if options.svg:
        width, height = SIDE * COLUMNS, SIDE * math.ceil(len(panels) / COLUMNS)
        options.svg.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            'font-family="sans-serif" font-size="11" fill="none" stroke-width="1">'
            '<style>text{fill:#222}</style><rect width="100%" height="100%" fill="#fff"/>'
            f"{''.join(panels)}</svg>\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
