"""OsmExtract → RoadNetwork: choose ways, cut them at junctions, make directed links.

Rules, with the numbers that the code carries (tags: :mod:`cczsim.osm.tags`; cutting:
:mod:`cczsim.osm.pieces`; values that no tag gives: :mod:`cczsim.osm.class_table`):

1. Every way with a ``highway`` tag is in the report: kept, or left out with a reason; kilometres
   of both add up to the input's.
2. A piece open both ways becomes two links that name each other in ``reverse_link``; links stand
   in the order of the ways in the extract, along the way, forward before backward.
3. ``link_id`` is 10,000 times the way's id, plus twice the number of the piece within the way, plus
   1 for the backward link, so that it stays the same where the way does.
4. ``capacity = lanes x lane_capacity x green_ratio``, the last two from the class table: derived
   where the lanes are tagged or derived, default where they are default.
5. The street's name is ``name``, else ``ref``.
6. Components are counted by strong and weak connection. All stay unless ``keep="largest"``, which
   keeps the largest strong one and reports what that leaves out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.errors import OsmError
from cczsim.network.geometry import take_ragged
from cczsim.network.provenance import Source
from cczsim.network.road import ATTRIBUTES, NO_LINK, RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.osm.class_table import TABLES, ClassTable
from cczsim.osm.extract import OsmExtract
from cczsim.osm.pieces import Pieces, cut, way_lengths
from cczsim.osm.tags import DRIVABLE, USED_KEYS, WayRule, interpret

PIECES_A_WAY = 5000
_TOO_SHORT = "fewer than two of its nodes in the extract"
_SMALL_COMPONENT = "outside the largest strong component"


@dataclass(frozen=True)
class RoadBuild:
    """A road network and the account of how it came about (plain JSON values)."""

    road: RoadNetwork
    report: dict[str, Any]


def build_roads(
    extract: OsmExtract,
    *,
    classes: Collection[str] = DRIVABLE,
    table: ClassTable | str = "cn-cjj37",
    keep: Literal["all", "largest"] = "all",
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
    rules = [interpret(tags, frozenset(classes)) for tags in combinations]
    highway = np.array(["highway" in tags for tags in combinations], dtype=bool)[which]
    taken = np.array([not rule.reason for rule in rules], dtype=bool)[which]
    node = extract.node_rows(extract.way_ref)
    lon, lat = extract.node_lon, extract.node_lat
    pieces = cut(extract.way_ref_first, node, taken, lon, lat)
    if not len(pieces.way):
        raise OsmError.of(
            "roads", f"no road for cars among {int(highway.sum())} ways with a highway tag",
            f"ways of the classes {', '.join(classes)}",
            "check the area, and that ways come with their nodes",
        )  # fmt: skip
    links = _Links(extract, pieces, rules, which, table)
    road = links.road()
    component = _strong_components(road)
    kept = np.ones(road.n_links, dtype=bool)
    if keep == "largest":  # 6
        largest = np.argmax(np.bincount(component))
        kept = (component[road.tail] == largest) & (component[road.head] == largest)
    kept_pieces = np.zeros(len(pieces.way), dtype=bool)
    kept_pieces[links.piece[kept]] = True
    input_length = way_lengths(extract.way_ref_first, node, lon, lat)
    report: dict[str, Any] = {
        "highway": _account(extract, rules, which, highway, input_length, pieces, kept_pieces),
        "components": _components(road, component),
    }
    if not kept.all():
        road = keep_links(road, kept)
    report["network"] = _network_report(road, links.piece[kept])
    report["provenance"] = _provenance(road)
    report["not_understood"] = _odd(rules, which)
    report["references_to_missing_nodes"] = int((node < 0).sum())
    report["left_out_by_reader"] = extract.left_out
    report["class_table"] = {"name": table.name, "source": table.source}
    report["highway_total"] = _total(report["highway"])
    return RoadBuild(road, report)


def _table(table: ClassTable | str) -> ClassTable:
    if isinstance(table, ClassTable):
        return table
    if table not in TABLES:
        raise OsmError.of("class table", repr(table), f"one of {', '.join(TABLES)}")
    return TABLES[table]


class _Links:
    """Directed links of the pieces; row arrays that the network is made from."""

    def __init__(
        self,
        extract: OsmExtract,
        pieces: Pieces,
        rules: list[WayRule],
        which: Array,
        table: ClassTable,
    ) -> None:
        self.extract, self.pieces, self.table = extract, pieces, table
        rule = which[pieces.way]  # [piece]
        open_ways = np.array([(r.forward, r.backward) for r in rules], dtype=bool)[rule]
        place = np.flatnonzero(open_ways.ravel())  # 2: forward before backward
        self.piece = place // 2
        self.backward = place % 2
        row_of = np.full(open_ways.size, NO_LINK, dtype=np.int64)
        row_of[place] = np.arange(len(place))
        self.reverse = row_of[place ^ 1]
        self.rule = rule[self.piece]
        self.rules = rules

    def _field(self, values: list[Any], dtype: str) -> Array:
        """Gather a value a rule, or a pair a rule by direction, to the links."""
        array = np.array(values, dtype=dtype)
        return array[self.rule] if array.ndim == 1 else array[self.rule, self.backward]

    def road(self) -> RoadNetwork:
        """Return the network."""
        extract, pieces, table = self.extract, self.pieces, self.table
        rules = self.rules
        road_class = self._field([r.road_class for r in rules], "int64")
        lanes, lanes_source = self._filled("lanes", table.lanes[road_class])
        speed, speed_source = self._filled("speed", table.speed[road_class])
        capacity = lanes * table.lane_capacity[road_class] * table.green_ratio[road_class]  # 4
        capacity_source = np.where(
            lanes_source == Source.DEFAULT, int(Source.DEFAULT), int(Source.DERIVED)
        )
        way = pieces.way[self.piece]
        new_way = np.concatenate([[True], pieces.way[1:] != pieces.way[:-1]])
        start = np.maximum.accumulate(np.where(new_way, np.arange(len(pieces.way)), 0))
        number = np.arange(len(pieces.way)) - start
        if number.max() >= PIECES_A_WAY:
            raise OsmError.of(
                f"way {extract.way_id[pieces.way[number.argmax()]]}", f"{number.max() + 1} pieces",
                f"at most {PIECES_A_WAY}", "OpenStreetMap allows 2,000 nodes a way: split the way",
            )  # fmt: skip
        link_id = 2 * PIECES_A_WAY * extract.way_id[way] + 2 * number[self.piece] + self.backward
        used, local = np.unique(np.concatenate([pieces.tail, pieces.head]), return_inverse=True)
        tail, head = local[: len(pieces.way)], local[len(pieces.way) :]
        length = pieces.length[self.piece]
        tagged = np.full(len(way), int(Source.TAGGED), dtype=np.int8)
        first, lon, lat = self._shapes()
        return RoadNetwork(
            node_id=extract.node_id[used],
            node_lon=extract.node_lon[used],
            node_lat=extract.node_lat[used],
            link_id=link_id,
            tail=np.where(self.backward == 1, head[self.piece], tail[self.piece]),
            head=np.where(self.backward == 1, tail[self.piece], head[self.piece]),
            road_class=road_class,
            length=length,
            free_flow_time=length / speed,
            capacity=capacity,
            alpha=table.alpha[road_class],
            beta=table.beta[road_class],
            lanes=lanes,
            speed=speed,
            reverse_link=self.reverse,
            structure=self._field([r.structure for r in rules], "int8"),
            way_id=extract.way_id[way],
            name=np.array(self._names(way), dtype=np.dtypes.StringDType()),
            class_source=tagged,
            oneway_source=self._field([int(r.oneway_source) for r in rules], "int8"),
            lanes_source=lanes_source,
            speed_source=speed_source,
            capacity_source=capacity_source,
            geometry_source=tagged,
            shape_first=first,
            shape_lon=lon,
            shape_lat=lat,
        )

    def _filled(self, name: str, default: Array) -> tuple[Array, Array]:
        value = self._field([getattr(r, name) for r in self.rules], "float64")
        source = self._field([getattr(r, f"{name}_source") for r in self.rules], "int8")
        return (
            np.where(value > 0, value, default),
            np.where(value > 0, source, int(Source.DEFAULT)),
        )

    def _names(self, way: Array) -> list[str]:
        words = [*map(str, self.extract.word), ""]
        codes = self.extract.tag_codes("way", ["name", "ref"])  # 5
        chosen = np.where(codes[:, 0] >= 0, codes[:, 0], codes[:, 1])
        return [words[code] for code in chosen[way].tolist()]

    def _shapes(self) -> tuple[Array, Array, Array]:
        first, index = take_ragged(self.pieces.first, self.piece)
        size = np.diff(first)
        back = np.repeat(self.backward == 1, size)
        turned = np.repeat(first[:-1] + first[1:] - 1, size) - np.arange(len(index))
        point = self.pieces.point[index[np.where(back, turned, np.arange(len(index)))]]
        return first, self.extract.node_lon[point], self.extract.node_lat[point]


def keep_links(road: RoadNetwork, kept: Array) -> RoadNetwork:
    """Return a network with some links only, and the nodes that they touch."""
    rows = np.flatnonzero(kept)
    links = road.take("link", rows)
    nodes = np.unique(np.concatenate([links["tail"], links["head"]]))
    for end in ("tail", "head"):
        links[end] = np.searchsorted(nodes, links[end])
    place = np.full(road.n_links + 1, NO_LINK, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    links["reverse_link"] = place[links["reverse_link"]]
    first, lon, lat = road.shapes()
    shape_first, points = take_ragged(first, rows)
    return RoadNetwork(
        **road.take("node", nodes),
        **links,
        shape_first=shape_first,
        shape_lon=lon[points],
        shape_lat=lat[points],
    )


def _strong_components(road: RoadNetwork) -> Array:
    return _component_of(road, "strong")


def _component_of(road: RoadNetwork, connection: str) -> Array:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shape = (road.n_nodes, road.n_nodes)
    graph = coo_array((np.ones(road.n_links, dtype=np.int8), (road.tail, road.head)), shape=shape)
    return np.asarray(connected_components(graph.tocsr(), connection=connection)[1])


def _components(road: RoadNetwork, strong: Array, shown: int = 20) -> dict[str, Any]:
    """Count components; the largest ones are listed with nodes and kilometres of links."""
    out: dict[str, Any] = {}
    for name, label in (("strong", strong), ("weak", _component_of(road, "weak"))):
        nodes = np.bincount(label)
        inside = label[road.tail] == label[road.head]
        km = np.bincount(label[road.tail[inside]], road.length[inside] / 1000, minlength=len(nodes))
        order = np.lexsort((np.arange(len(nodes)), -nodes))
        out[name] = {
            "count": len(nodes),
            "largest_share_of_nodes": float(nodes[order[0]] / road.n_nodes),
            "largest_share_of_link_km": float(km[order[0]] / max(road.length.sum() / 1000, 1e-9)),
            "nodes_outside_largest": int(road.n_nodes - nodes[order[0]]),
            "link_km_outside_largest": float(road.length.sum() / 1000 - km[order[0]]),
            "listed": [{"nodes": int(nodes[k]), "link_km": float(km[k])} for k in order[:shown]],
        }
    return out


def _account(
    extract: OsmExtract, rules: list[WayRule], which: Array, highway: Array, length: Array,
    pieces: Pieces, kept: Array,
) -> dict[str, Any]:  # fmt: skip
    """Return ways and kilometres by value of ``highway``: input, kept, left out by reason (1)."""
    values = extract.tag_texts("way", "highway")
    piece_length = np.bincount(pieces.way, pieces.length, minlength=extract.n_ways)
    kept_length = np.bincount(pieces.way[kept], pieces.length[kept], minlength=extract.n_ways)
    has_piece = np.bincount(pieces.way, minlength=extract.n_ways) > 0
    has_kept = np.bincount(pieces.way[kept], minlength=extract.n_ways) > 0
    out: dict[str, Any] = {}
    for way in np.flatnonzero(highway).tolist():
        row = out.setdefault(
            values[way],
            {"ways": 0, "km": 0.0, "kept_ways": 0, "kept_km": 0.0, "left_out": {}},
        )
        row["ways"] += 1
        row["km"] += length[way] / 1000
        row["kept_km"] += kept_length[way] / 1000
        row["kept_ways"] += bool(has_kept[way])
        lost = length[way] - kept_length[way]
        if has_kept[way] and lost <= 1e-6 * length[way]:
            continue
        reason = rules[which[way]].reason
        if not reason:
            reason = _SMALL_COMPONENT if has_piece[way] else _TOO_SHORT
            lost = piece_length[way] - kept_length[way] if has_piece[way] else length[way]
        part = row["left_out"].setdefault(reason, {"ways": 0, "km": 0.0})
        part["ways"] += not has_kept[way]
        part["km"] += float(lost) / 1000
    return {
        value: {**row, "km": float(row["km"]), "kept_km": float(row["kept_km"]),
                "left_out": dict(sorted(row["left_out"].items()))}
        for value, row in sorted(out.items(), key=lambda item: (-item[1]["km"], item[0]))
    }  # fmt: skip


def _total(account: dict[str, Any]) -> dict[str, Any]:
    parts = [part for row in account.values() for part in row["left_out"].values()]
    return {
        "ways": sum(row["ways"] for row in account.values()),
        "km": sum(row["km"] for row in account.values()),
        "kept_ways": sum(row["kept_ways"] for row in account.values()),
        "kept_km": sum(row["kept_km"] for row in account.values()),
        "left_out_ways": sum(part["ways"] for part in parts),
        "left_out_km": sum(part["km"] for part in parts),
    }


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
    total = max(float(road.length.sum()), 1e-9)
    for name in ("class", *ATTRIBUTES):
        km = np.bincount(getattr(road, f"{name}_source"), road.length, minlength=len(Source))
        out[name] = {
            source.name.lower(): float(km[source] / total) for source in Source if km[source] > 0
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
