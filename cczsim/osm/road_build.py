"""OsmExtract → RoadNetwork: choose ways, cut them at junctions, make directed links.

Rules, with the numbers that the code carries (tags: :mod:`cczsim.osm.tags`; cutting:
:mod:`cczsim.osm.pieces`; values that no tag gives: :mod:`cczsim.osm.class_table`):

1. Every way with a ``highway`` tag is in the report: kept, or left out with a reason; kilometres
   of both add up to the input's.
2. A piece open both ways becomes two links that name each other in ``reverse_link``; links stand
   in the order of the ways in the extract, along the way, forward before backward.
3. ``link_id`` is 10,000 times the way's id, plus twice the number of the piece within the way, plus
   1 for the backward link, so that it stays the same where the way does.
4. ``capacity = lanes x lane_capacity x share of the hour``, the second from the class table, the
   third from it and what stands at the downstream node (:mod:`cczsim.osm.controls`): derived where
   the lanes are tagged or derived, default where they are default.
5. The street's name is ``name``, else ``ref``.
6. Components are counted by strong and weak connection. All stay unless ``keep="largest"``, which
   keeps the largest strong one under the turn rules, and reports what that leaves out.
7. Turn restrictions become turn rules (:mod:`cczsim.osm.restrictions`). Turning back on the same
   street is allowed wherever no restriction forbids it, or with ``u_turns="dead-ends"`` only where
   no other link leaves.
8. One-way carriageways of one road are marked by :mod:`cczsim.osm.carriageways`.
9. Streets end on both sides of a barrier that stops cars (:mod:`cczsim.osm.barriers`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.errors import OsmError
from cczsim.network.provenance import Source
from cczsim.network.road import ATTRIBUTES, NO_LINK, RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.turns import Turns, join_turns, no_u_turns, turns_after_drop
from cczsim.osm.account import TOO_SHORT, account, total
from cczsim.osm.barriers import split_at_barriers
from cczsim.osm.carriageways import dual_carriageways
from cczsim.osm.class_table import TABLES, ClassTable
from cczsim.osm.components import (
    component_of,
    describe_components,
    keep_links,
    km_by_class,
    main_links,
)
from cczsim.osm.controls import find_controls
from cczsim.osm.directed import DirectedLinks
from cczsim.osm.extract import OsmExtract
from cczsim.osm.findings import extract_findings
from cczsim.osm.pieces import Pieces, cut, way_lengths
from cczsim.osm.restrictions import build_turns, report_after_drop
from cczsim.osm.tags import DRIVABLE, USED_KEYS, WayRule, interpret
from cczsim.osm.turn_delays import Side
from cczsim.osm.turn_delays import turn_delays as find_delays

NO_ROADS = "roads"
_SMALL_COMPONENT = "outside the largest strong component"


@dataclass(frozen=True)
class RoadBuild:
    """A road network, its turn rules, and the account of how both came about (plain JSON)."""

    road: RoadNetwork
    turns: Turns
    report: dict[str, Any]
    cut_off: RoadNetwork | None = None
    """Roads outside the kept component, to be shown."""


def build_roads(
    extract: OsmExtract,
    *,
    classes: Collection[str] = DRIVABLE,
    table: ClassTable | str = "cn-cjj37",
    keep: Literal["all", "largest"] = "all",
    keep_closed: bool = False,
    u_turns: Literal["anywhere", "dead-ends"] = "anywhere",
    turn_delays: Side | Literal["none"] = "none",
) -> RoadBuild:
    """Build the road network of an extract.

    Parameters
    ----------
    extract : OsmExtract
    classes : collection of str
        Values of ``highway`` to keep, among ``ROAD_CLASSES``.
    table : ClassTable or str
        Defaults by class, or the name of a built-in table.
    keep : {"all", "largest"}
        Which components to keep.
    keep_closed : bool
        Whether to keep ways that are closed to the public (rule 3 of the tags), as a count of all
        mapped streets needs.
    u_turns : {"anywhere", "dead-ends"}
        Where one may turn back on the same street unless a restriction forbids it (rule 7).
    turn_delays : {"none", "keep-right", "keep-left"}
        Whether signals and turns take time (:mod:`cczsim.osm.turn_delays`), and on which side of
        the road traffic keeps.

    Raises
    ------
    OsmError
        A class or table is not known, or no way is a road for cars.
    """
    table = _table(table).in_class_order()
    unknown = sorted(set(classes) - set(ROAD_CLASSES))
    if unknown:
        raise OsmError.of("classes", ", ".join(unknown), f"among {', '.join(ROAD_CLASSES)}")
    combinations, which = extract.tag_combinations("way", USED_KEYS)
    rules = [interpret(tags, frozenset(classes), keep_closed) for tags in combinations]
    highway = np.array(["highway" in tags for tags in combinations], dtype=bool)[which]
    taken = np.array([not rule.reason for rule in rules], dtype=bool)[which]
    node = extract.node_rows(extract.way_ref)
    nodes = split_at_barriers(extract, node, taken)  # 9
    pieces = cut(nodes.first, nodes.node, taken, nodes.lon, nodes.lat)
    if not len(pieces.way):
        raise OsmError.of(
            NO_ROADS, f"no road for cars among {int(highway.sum())} ways with a highway tag",
            f"ways of the classes {', '.join(classes)}",
            "check the area, and that ways come with their nodes",
        )  # fmt: skip
    links = DirectedLinks(extract, nodes, pieces, rules, which, table)
    road = links.road()
    restricted = build_turns(extract, road, _why_not(extract, rules, which, pieces))  # 7
    turns, turn_report = restricted.turns, restricted.report
    if u_turns == "dead-ends":
        turns = join_turns([turns, no_u_turns(road)])
    component = component_of(road, "strong")
    report: dict[str, Any] = {"components": describe_components(road, component)}
    main = main_links(road, turns)
    kept = main if keep == "largest" else np.ones(road.n_links, dtype=bool)  # 6
    report["components"] |= _cut_off(road, component, main, kept)
    report["highway"] = _account(extract, rules, which, node, pieces, links.piece[kept])
    cut_off = None
    if not kept.all():
        n_links = road.n_links
        cut_off = keep_links(road, ~kept)
        road = keep_links(road, kept)
        turns = turns_after_drop(turns, np.flatnonzero(kept), n_links)
        turn_report = report_after_drop(turn_report, turns)
    controls = find_controls(
        extract, nodes, pieces, road, links.piece[kept], links.backward[kept], table
    )
    road = road.replace(
        dual_carriageway=dual_carriageways(road),  # 8
        control=controls.control,
        control_source=controls.source,
        capacity=road.lanes * table.lane_capacity[road.road_class] * controls.share,  # 4
    )
    report["controls"] = controls.report
    if turn_delays != "none":
        delays = find_delays(road, controls.signals, controls.share, turn_delays)
        report["turn_delays"] = {"side": turn_delays, "rules": delays.n_turns}
        turns = join_turns([turns, delays])
    report["network"] = _network_report(road, links.piece[kept])
    report["provenance"] = _provenance(road)
    report["not_understood"] = _odd(rules, which)
    report["findings"] = extract_findings(extract, node, taken, report["not_understood"])
    report["turn_restrictions"] = {**turn_report, "u_turns": u_turns, "all_rules": turns.n_turns}
    ferries = [not tags.get("highway") and tags.get("route") == "ferry" for tags in combinations]
    report["ferry_ways_left_out"] = int(np.array(ferries, dtype=bool)[which].sum())
    report["barriers"] = nodes.report
    report["references_to_missing_nodes"] = int((node < 0).sum())
    report["left_out_by_reader"] = extract.left_out
    report["class_table"] = {"name": table.name, "source": table.source}
    report["highway_total"] = total(report["highway"])
    return RoadBuild(road, turns, report, cut_off)


def _table(table: ClassTable | str) -> ClassTable:
    if isinstance(table, ClassTable):
        return table
    if table not in TABLES:
        raise OsmError.of("class table", repr(table), f"one of {', '.join(TABLES)}")
    return TABLES[table]


def _account(
    extract: OsmExtract, rules: list[WayRule], which: Array, node: Array, pieces: Pieces,
    kept_piece: Array,
) -> dict[str, Any]:  # fmt: skip
    """Return the account of the ways by value of ``highway`` (1)."""
    length = way_lengths(extract.way_ref_first, node, extract.node_lon, extract.node_lat)
    kept = np.flatnonzero(np.bincount(kept_piece, minlength=len(pieces.way)))
    kept_length = np.bincount(pieces.way[kept], pieces.length[kept], minlength=extract.n_ways)
    has_piece = np.bincount(pieces.way, minlength=extract.n_ways) > 0
    has_kept = np.bincount(pieces.way[kept], minlength=extract.n_ways) > 0
    reasons = sorted({rule.reason for rule in rules} | {TOO_SHORT, _SMALL_COMPONENT})
    place = {text: number for number, text in enumerate(reasons)}
    reason = np.array([place[rule.reason] for rule in rules])[which]
    open_reason = np.where(has_piece, place[_SMALL_COMPONENT], place[TOO_SHORT])
    taken = np.array([not rule.reason for rule in rules])[which]
    reason = np.where(taken, open_reason, reason)
    return account(extract, "highway", reasons, reason, length, kept_length, has_kept)


def _why_not(
    extract: OsmExtract, rules: list[WayRule], which: Array, pieces: Pieces
) -> dict[int, str]:
    """Return why members of relations that are ways of the extract are no roads, by id."""
    no_road = np.bincount(pieces.way, minlength=extract.n_ways) == 0
    rows = np.flatnonzero(no_road & np.isin(extract.way_id, extract.member_ref))
    return {
        int(extract.way_id[row]): rules[which[row]].reason or TOO_SHORT for row in rows.tolist()
    }


def _cut_off(road: RoadNetwork, component: Array, main: Array, kept: Array) -> dict[str, Any]:
    """Return what is not kept, and what lies outside under turn rules though tied without them."""
    largest = np.argmax(np.bincount(component))
    tied = (component[road.tail] == largest) & (component[road.head] == largest)
    by_turns = np.flatnonzero(tied & ~main)
    gone = np.flatnonzero(~kept)
    out: dict[str, Any] = {
        "outside_main_link_km_by_class": km_by_class(road, np.flatnonzero(~main)),
        "cut_off_by_turn_rules": {
            "links": len(by_turns), "link_km_by_class": km_by_class(road, by_turns),
        },
    }  # fmt: skip
    if len(gone):
        nodes = np.unique(np.concatenate([road.tail[kept], road.head[kept]]))
        out |= {
            "kept": 1,
            "dropped": len(np.unique(component)) - 1,
            "dropped_nodes": road.n_nodes - len(nodes),
            "dropped_link_km": float(road.length[gone].sum() / 1000),
            "dropped_link_km_by_class": km_by_class(road, gone),
        }
    return out


def _network_report(road: RoadNetwork, piece: Array) -> dict[str, Any]:
    """Return counts, and kilometres by class with each piece of street counted once."""
    once = np.unique(piece, return_index=True)[1]
    by_class = {}
    for code, name in enumerate(ROAD_CLASSES):
        own = road.road_class == code
        if own.any():
            streets = once[own[once]]
            by_class[name] = {
                "links": int(own.sum()),
                "km": float(road.length[streets].sum() / 1000),
                "link_km": float(road.length[own].sum() / 1000),
                "dual_carriageway_km": float(
                    road.length[streets][road.dual_carriageway[streets]].sum() / 1000
                ),
                "one_way_km": float(
                    road.length[streets][road.reverse_link[streets] == NO_LINK].sum() / 1000
                ),
            }
    return {
        "nodes": road.n_nodes,
        "links": road.n_links,
        "km": float(road.length[once].sum() / 1000),
        "link_km": float(road.length.sum() / 1000),
        "links_of_no_length": int((road.length == 0).sum()),
        "classes": by_class,
    }


def _provenance(road: RoadNetwork) -> dict[str, dict[str, float]]:
    """Return for each attribute the share of link kilometres by source."""
    out = {}
    for name in ("class", *ATTRIBUTES):
        km = np.bincount(getattr(road, f"{name}_source"), road.length, minlength=len(Source))
        share = km / max(float(km.sum()), 1e-9)
        out[name] = {
            source.name.lower(): float(share[source]) for source in Source if km[source] > 0
        }
    return out


def _odd(rules: list[WayRule], which: Array) -> dict[str, dict[str, int]]:
    """Return tag values that were not understood, with the number of kept ways."""
    ways = np.bincount(which, minlength=len(rules))
    out: dict[str, dict[str, int]] = {}
    for rule, count in zip(rules, ways.tolist(), strict=True):
        for key, value in rule.odd:
            row = out.setdefault(key, {})
            row[value] = row.get(value, 0) + count
    return {key: dict(sorted(row.items())) for key, row in sorted(out.items())}
