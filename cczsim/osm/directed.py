"""Pieces of ways → directed links with all their columns.

Numbers in the code are the rules of :mod:`cczsim.osm.road_build`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import OsmError
from cczsim.network.geometry import take_ragged
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.osm.barriers import StreetNodes
from cczsim.osm.class_table import ClassTable
from cczsim.osm.extract import OsmExtract
from cczsim.osm.pieces import Pieces
from cczsim.osm.tags import WayRule

PIECES_A_WAY: Final = 5000
LARGEST_WAY_ID: Final = 2**62 // (2 * PIECES_A_WAY)


class DirectedLinks:
    """Directed links of the pieces of ways.

    ``piece [link]`` is the row of the piece, ``backward [link]`` 1 where the link runs against it.
    """

    def __init__(
        self,
        extract: OsmExtract,
        nodes: StreetNodes,
        pieces: Pieces,
        rules: list[WayRule],
        which: Array,
        table: ClassTable,
    ) -> None:
        self.extract, self.nodes, self.pieces, self.table = extract, nodes, pieces, table
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
        capacity = lanes * table.lane_capacity[road_class] * table.green_ratio[road_class]
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
        if int(np.abs(extract.way_id[pieces.way]).max()) > LARGEST_WAY_ID:
            raise OsmError.of(
                "ways", f"the id {np.abs(extract.way_id[pieces.way]).max()}",
                f"ids up to {LARGEST_WAY_ID}", "number the ways anew (osmium renumber)",
            )  # fmt: skip
        link_id = 2 * PIECES_A_WAY * extract.way_id[way] + 2 * number[self.piece] + self.backward
        used, local = np.unique(np.concatenate([pieces.tail, pieces.head]), return_inverse=True)
        tail, head = local[: len(pieces.way)], local[len(pieces.way) :]
        length = pieces.length[self.piece]
        tagged = np.full(len(way), int(Source.TAGGED), dtype=np.int8)
        first, lon, lat = self._shapes()
        return RoadNetwork(
            node_id=self.nodes.node_id[used],
            node_lon=self.nodes.lon[used],
            node_lat=self.nodes.lat[used],
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
        words = [*self.extract.words, ""]
        codes = self.extract.tag_codes("way", ["name", "ref"])  # 5
        chosen = np.where(codes[:, 0] >= 0, codes[:, 0], codes[:, 1])
        return [words[code] for code in chosen[way].tolist()]

    def _shapes(self) -> tuple[Array, Array, Array]:
        first, index = take_ragged(self.pieces.first, self.piece)
        size = np.diff(first)
        back = np.repeat(self.backward == 1, size)
        turned = np.repeat(first[:-1] + first[1:] - 1, size) - np.arange(len(index))
        point = self.pieces.point[index[np.where(back, turned, np.arange(len(index)))]]
        return first, self.nodes.lon[point], self.nodes.lat[point]
