"""What is wrong with an extract, in words: said once for each kind, with the ids of some.

Rules, numbered in the code:

1. Objects whose id stood before, and nodes without a valid place, as the reader counted them.
2. Ways that name nodes which the extract lacks: streets are broken there.
3. Ways with fewer than two nodes that are there: no street.
4. Streets over the antimeridian: lengths are right, maps are torn.
5. Stretches longer than :data:`LONGEST` between two nodes, and nodes at 0° 0°: likely misplaced.
6. Values of tags that are not understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import segment_lengths
from cczsim.osm.extract import OsmExtract

LONGEST: Final = 25_000.0
LISTED: Final = 20


def extract_findings(
    extract: OsmExtract, node: Array, taken: Array, not_understood: Mapping[str, Mapping[str, int]]
) -> list[dict[str, Any]]:
    """Return the findings about an extract, as plain JSON.

    Parameters
    ----------
    node : array [ref]
        Row of the node that each reference of a way names, -1 where the extract lacks it.
    taken : array [way], bool
        Ways that are roads for cars.
    not_understood : mapping
        Key → value → number of ways.

    Returns
    -------
    list of dict
        ``rule, count, kind, ids, message``; ``kind`` is what the ids are of.
    """
    out: list[dict[str, Any]] = []

    def add(rule: str, count: int, message: str, kind: str = "", ids: Array | None = None) -> None:
        if count:
            listed = [] if ids is None else [int(i) for i in np.unique(ids)[:LISTED]]
            out.append(
                {"rule": rule, "count": count, "kind": kind, "ids": listed, "message": message}
            )

    for kind in ("node", "way", "relation"):  # 1
        twice = extract.left_out.get(kind, {}).get("id twice", 0)
        add("id_twice", twice, f"{kind}s whose id stood before, {twice} in all; the first counts")
    nowhere = extract.left_out.get("node", {}).get("no valid location", 0)
    add("no_place", nowhere, f"nodes without a valid place, {nowhere} in all, are left out")
    way = np.repeat(np.arange(extract.n_ways), np.diff(extract.way_ref_first))
    lost = (node < 0) & taken[way]
    torn = np.unique(way[lost])
    n_lost = int(lost.sum())
    message = (
        f"nodes that {len(torn)} of the streets name are not in the extract, {n_lost} in all, as "
        "at its edge: streets end or are broken there"
    )
    add("missing_nodes", n_lost, message, "way", extract.way_id[torn])  # 2
    here = np.zeros(len(node), dtype=bool)
    here[(node >= 0) & taken[way]] = True
    short = np.flatnonzero(taken & (np.bincount(way[here], minlength=extract.n_ways) < 2))
    add("one_node", len(short), f"streets with fewer than two nodes in the extract, {len(short)} "
        "in all, are left out", "way", extract.way_id[short])  # 3  # fmt: skip
    if len(node) > 1:
        step = here[:-1] & here[1:] & (way[:-1] == way[1:])
        a, b, own = node[:-1][step], node[1:][step], way[:-1][step]
        over = np.abs(extract.node_lon[a] - extract.node_lon[b]) > 180.0
        add("antimeridian", len(np.unique(own[over])), "streets cross the antimeridian: their "
            "lengths are right, maps of them are torn", "way",
            extract.way_id[own[over]])  # 4  # fmt: skip
        # A degree of latitude is 110.6 km at least: only what may be long is measured.
        far = (np.abs(extract.node_lat[a] - extract.node_lat[b]) > 0.05) | (
            np.abs(extract.node_lon[a] - extract.node_lon[b]) > 0.05
        )
        a, b, own = a[far], b[far], own[far]
        ends = np.column_stack([a, b]).ravel()
        metres = segment_lengths(extract.node_lon[ends], extract.node_lat[ends])[::2]
        long = own[metres > LONGEST]
        add("long_stretch", len(np.unique(long)), f"streets run over {LONGEST / 1e3:g} km from one "
            "node to the next: a node may be misplaced", "way",
            extract.way_id[long])  # 5  # fmt: skip
    null = np.flatnonzero((extract.node_lon == 0.0) & (extract.node_lat == 0.0))
    add("null_island", len(null), "nodes lie at 0° 0°", "node", extract.node_id[null])
    for key, values in not_understood.items():  # 6
        ways = sum(values.values())
        shown = ", ".join(list(values)[:5]) + (" …" if len(values) > 5 else "")
        add("not_understood", ways, f"{key} is not understood on {ways} of the streets ({shown})")
    return out
