"""Hand-made extracts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from cczsim.osm.extract import ExtractMaker, OsmExtract

Place = tuple[float, float]
Way = tuple[Sequence[int], Mapping[str, str]]
Relation = tuple[Sequence[str], Mapping[str, str]]


def read_member(text: str) -> tuple[str, int, str]:
    """Read a member as ``w12 from``: kind, id and role."""
    ident, _, role = text.partition(" ")
    return {"n": "node", "w": "way", "r": "relation"}[ident[0]], int(ident[1:]), role


@pytest.fixture
def make_extract() -> Callable[..., OsmExtract]:
    """Make an extract of ways 1, 2, … over nodes on a 0.001° grid: node 23 lies at x 2, y 3.

    Relations are 1, 2, …, their members written as ``w12 from``.
    """

    def make(*ways: Way, lacking: Sequence[int] = (), nodes: Mapping[int, Place] | None = None,
             node_tags: Mapping[int, Mapping[str, str]] | None = None,
             relations: Sequence[Relation] = ()) -> OsmExtract:  # fmt: skip
        maker = ExtractMaker()
        tags = dict(node_tags or {})
        places = dict(nodes or {})
        for number, (refs, way_tags) in enumerate(ways, start=1):
            maker.add_way(number, refs, way_tags)
            for ref in refs:
                places.setdefault(ref, (112.9 + ref // 10 / 1000, 28.2 + ref % 10 / 1000))
        for ref, (lon, lat) in places.items():
            if ref not in lacking:
                maker.add_node(ref, lon, lat, tags.get(ref, {}).items())
        for number, (members, relation_tags) in enumerate(relations, start=1):
            maker.add_relation(number, [read_member(text) for text in members], relation_tags)
        return maker.extract()

    return make
