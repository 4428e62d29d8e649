"""Make a large extract by laying a small one side by side: ``python osm_tile.py IN OUT N``.

Each tile has ids of its own and lies east of the one before, with a gap; nothing ties the tiles
together. It stands in for a province where none is at hand: as many objects, though their words
repeat.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace

import osmium

GAP = 0.01
"""Degrees between tiles."""


def tile(source: Path, target: Path, times: int) -> None:
    nodes, ways, relations = [], [], []
    for item in osmium.FileProcessor(str(source)):
        tags = dict(item.tags)
        if item.is_node() and item.location.valid():
            nodes.append((item.id, item.location.lon, item.location.lat, tags))
        elif item.is_way():
            ways.append((item.id, [n.ref for n in item.nodes], tags))
        elif item.is_relation():
            relations.append((item.id, [(m.type, m.ref, m.role) for m in item.members], tags))
    step = max(lon for _, lon, *_ in nodes) - min(lon for _, lon, *_ in nodes) + GAP
    ids = [item[0] for part in (nodes, ways, relations) for item in part]
    refs = [ref for _, own, _ in ways for ref in own]
    refs += [ref for _, own, _ in relations for _, ref, _ in own]
    shift = 1 + max(ids + refs)
    with osmium.SimpleWriter(str(target), overwrite=True) as writer:
        for k in range(times):
            for ident, lon, lat, tags in nodes:
                place = (round(lon + k * step, 7), lat)
                writer.add_node(SimpleNamespace(id=ident + k * shift, location=place, tags=tags))
        for k in range(times):
            for ident, own, tags in ways:
                moved = [ref + k * shift for ref in own]
                writer.add_way(SimpleNamespace(id=ident + k * shift, nodes=moved, tags=tags))
        for k in range(times):
            for ident, own, tags in relations:
                members = [(kind, ref + k * shift, role) for kind, ref, role in own]
                writer.add_relation(
                    SimpleNamespace(id=ident + k * shift, members=members, tags=tags)
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("times", type=int)
    options = parser.parse_args()
    tile(options.source, options.target, options.times)
    print(f"{options.target}: {options.times} tiles, {options.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
