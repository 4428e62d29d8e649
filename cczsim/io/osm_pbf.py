"""Read .osm.pbf files as columns: the same extract as pyosmium gives, several times as fast."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from cczsim.columns import Array, texts
from cczsim.errors import ColumnError
from cczsim.io.pbf_blocks import Block, Group, Span, StrangeError, read_blocks, running, signed
from cczsim.network.geometry import take_ragged
from cczsim.osm.extract import MEMBER_KINDS, OsmExtract
from cczsim.osm.selection import NODE_KEYS, WAY_KEYS, relation_reason, wants_stops, way_reason

_UNIT: Final = 1e7
_NODES, _DENSE, _WAYS, _RELATIONS = 1, 2, 3, 4


class _Words:
    """Every text once; codes of the strings of a block as they are used."""

    def __init__(self) -> None:
        self.code: dict[str, int] = {}
        self.strings: list[bytes] = []
        self._of_block = np.zeros(0, dtype=np.int64)

    def enter(self, block: Block) -> None:
        """Take up the strings of the next block."""
        self.strings = block.strings
        self._of_block = np.full(len(block.strings), -1, dtype=np.int64)

    def number_of(self, keys: tuple[str, ...]) -> Array:
        """Return the numbers of some texts in the block."""
        wanted = {key.encode() for key in keys}
        return np.array([k for k, text in enumerate(self.strings) if text in wanted], dtype=int)

    def codes(self, numbers: Array) -> Array:
        """Return the codes of strings of the block."""
        if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(self.strings):
            raise StrangeError("a string that is not there")
        fresh = np.unique(numbers)
        for number in fresh[self._of_block[fresh] < 0].tolist():
            text = self.strings[number].decode("utf-8")
            self._of_block[number] = self.code.setdefault(text, len(self.code))
        return np.asarray(self._of_block[numbers])


class _Ragged:
    """Ragged rows that come block by block."""

    def __init__(self) -> None:
        self.count: list[Array] = []
        self.values: dict[str, list[Array]] = {}

    def add(self, first: Array, **values: Array) -> None:
        self.count.append(np.diff(first))
        for name, column in values.items():
            self.values.setdefault(name, []).append(column)

    def first(self) -> Array:
        counts = np.concatenate(self.count) if self.count else np.zeros(0, dtype=np.int64)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def column(self, name: str) -> Array:
        parts = self.values.get(name)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


class _Reader:
    def __init__(self) -> None:
        self.words = _Words()
        self.node_id: list[Array] = []
        self.node_lon: list[Array] = []
        self.node_lat: list[Array] = []
        self.tagged: list[Array] = []
        self.node_tags, self.way_tags, self.way_refs = _Ragged(), _Ragged(), _Ragged()
        self.relation_tags, self.members = _Ragged(), _Ragged()
        self.way_id: list[Array] = []
        self.relation_id: list[int] = []
        self.stops: list[Array] = []
        self.left_out: dict[str, dict[str, int]] = {}

    def leave_out(self, kind: str, reason: str, count: int) -> None:
        if count:
            counts = self.left_out.setdefault(kind, {})
            counts[reason] = counts.get(reason, 0) + count

    def block(self, block: Block) -> None:
        self.words.enter(block)
        for data in block.groups:
            if not data:
                continue
            group = Group(data)
            fields, begins, stops = group.messages()
            for kind, read in (
                (_NODES, self._nodes), (_DENSE, self._dense), (_WAYS, self._ways),
                (_RELATIONS, self._relations),
            ):  # fmt: skip
                own = fields == kind
                if own.any():
                    read(block, group, begins[own], stops[own])

    def _places(self, block: Block, ident: Array, lat: Array, lon: Array, keep: Array) -> Array:
        """Keep the places of nodes; return which of those with wanted tags have a place."""
        lat, lon = block.degrees(lat, True), block.degrees(lon, False)
        sound = (np.abs(lat) <= 90 * 10**7) & (np.abs(lon) <= 180 * 10**7)
        self.leave_out("node", "no valid location", int((~sound).sum()))
        self.node_id.append(ident[sound])
        self.node_lon.append(lon[sound].astype(np.int32))
        self.node_lat.append(lat[sound].astype(np.int32))
        return np.flatnonzero(keep & sound)

    def _nodes(self, block: Block, group: Group, begins: Array, stops: Array) -> None:
        value, span = group.fields(begins, stops, (1, 8, 9), (2, 3))
        ident = signed(value[1])
        keep = self._has_key(span[2], self.words.number_of(NODE_KEYS))
        rows = self._places(block, ident, signed(value[8]), signed(value[9]), keep)
        self._tags(self.node_tags, span[2], span[3], rows)
        self.tagged.append(ident[rows])

    def _dense(self, block: Block, group: Group, begins: Array, stops: Array) -> None:
        _, span = group.fields(begins, stops, (), (1, 8, 9, 10))
        ident, lat, lon = (running(span[k]) for k in (1, 8, 9))
        if not len(ident) == len(lat) == len(lon):
            raise StrangeError("nodes without a place")
        keep = np.zeros(len(ident), dtype=bool)
        tags = span[10].value
        first, keys, values = np.zeros(len(ident) + 1, dtype=np.int64), tags[:0], tags[:0]
        if len(tags):
            ends = np.flatnonzero(tags == 0)
            if len(ends) != len(ident):
                raise StrangeError("tags without a node")
            starts = np.concatenate([[0], ends[:-1] + 1])
            within = np.arange(len(tags)) - np.repeat(starts, ends - starts + 1)
            if ((ends - starts) % 2).any():
                raise StrangeError("a tag without a value")
            real = tags != 0
            keys, values = tags[real & (within % 2 == 0)], tags[real & (within % 2 == 1)]
            if len(keys) != len(values):
                raise StrangeError("a tag without a value")
            first = np.concatenate([[0], np.cumsum((ends - starts) // 2)]).astype(np.int64)
            keep = self._has_key(Span(first, keys), self.words.number_of(NODE_KEYS))
        rows = self._places(block, ident, lat, lon, keep)
        self._tags(self.node_tags, Span(first, keys), Span(first, values), rows)
        self.tagged.append(ident[rows])

    def _has_key(self, keys: Span, wanted: Array) -> Array:
        """Return whether each object has one of the keys."""
        hit = np.concatenate([[0], np.cumsum(np.isin(keys.value, wanted))])
        return np.asarray(hit[keys.first[1:]] > hit[keys.first[:-1]])

    def _tags(self, into: _Ragged, keys: Span, values: Span, rows: Array) -> None:
        if not np.array_equal(keys.first, values.first):
            raise StrangeError("a tag without a value")
        first, index = take_ragged(keys.first, rows)
        into.add(
            first,
            key=self.words.codes(keys.value[index]),
            value=self.words.codes(values.value[index]),
        )

    def _ways(self, block: Block, group: Group, begins: Array, stops: Array) -> None:
        del block
        value, span = group.fields(begins, stops, (1,), (2, 3, 8))
        keep = self._has_key(span[2], self.words.number_of(WAY_KEYS))
        route, ferry = self.words.number_of(("route",)), self.words.number_of(("ferry",))
        if len(route) and len(ferry):
            pair = np.isin(span[2].value, route) & np.isin(span[3].value, ferry)
            hit = np.concatenate([[0], np.cumsum(pair)])
            keep |= hit[span[2].first[1:]] > hit[span[2].first[:-1]]
        rows = np.flatnonzero(keep)
        self.leave_out("way", way_reason(), int((~keep).sum()))
        self._tags(self.way_tags, span[2], span[3], rows)
        first, index = take_ragged(span[8].first, rows)
        self.way_refs.add(first, ref=running(span[8])[index])
        self.way_id.append(value[1][rows])

    def _relations(self, block: Block, group: Group, begins: Array, stops: Array) -> None:
        del block
        value, span = group.fields(begins, stops, (1,), (2, 3, 8, 9, 10))
        if not (np.array_equal(span[8].first, span[9].first)
                and np.array_equal(span[9].first, span[10].first)):  # fmt: skip
            raise StrangeError("members without a role")
        ref = running(span[9])
        strings = self.words.strings
        rows = []
        for row in range(len(begins)):
            own = slice(span[2].first[row], span[2].first[row + 1])
            tags = {
                strings[k].decode("utf-8"): strings[v].decode("utf-8")
                for k, v in zip(span[2].value[own].tolist(), span[3].value[own].tolist(),
                                strict=True)
            }  # fmt: skip
            reason = relation_reason(tags)
            if reason:
                self.leave_out("relation", reason, 1)
                continue
            rows.append(row)
            if wants_stops(tags):
                part = slice(span[9].first[row], span[9].first[row + 1])
                self.stops.append(ref[part][span[10].value[part] == MEMBER_KINDS.index("node")])
        chosen = np.array(rows, dtype=np.int64)
        self._tags(self.relation_tags, span[2], span[3], chosen)
        first, index = take_ragged(span[8].first, chosen)
        self.members.add(
            first, kind=span[10].value[index], ref=ref[index],
            role=self.words.codes(span[8].value[index]),
        )  # fmt: skip
        self.relation_id += value[1][chosen].tolist()

    def extract(self) -> OsmExtract:
        """Return what was read: nodes by id, the first of those that share one."""
        ids = _joined(self.node_id, np.int64)
        lon, lat = _joined(self.node_lon, np.int32), _joined(self.node_lat, np.int32)
        order = np.arange(len(ids))
        if (np.diff(ids) <= 0).any():
            order = np.argsort(ids, kind="stable")
            again = np.concatenate([[False], np.diff(ids[order]) == 0])
            self.leave_out("node", "id twice", int(again.sum()))
            order = order[~again]
        ids = ids[order]
        refs = self.way_refs.column("ref")
        tagged, tag_rows = np.unique(_joined(self.tagged, np.int64), return_index=True)
        used = np.zeros(len(ids) + 1, dtype=bool)
        beyond = np.append(ids, np.iinfo(np.int64).max)
        for wanted in (refs, tagged, *self.stops):
            place = np.searchsorted(ids, wanted)
            used[place[beyond[place] == wanted]] = True
        rows = np.flatnonzero(used[:-1])
        node_id = ids[rows]
        counts = np.zeros(len(node_id), dtype=np.int64)
        at = np.searchsorted(node_id, tagged)
        node_first, index = take_ragged(self.node_tags.first(), tag_rows)
        counts[at] = np.diff(node_first)
        way_id, way_rows = self._once("way", _joined(self.way_id, np.int64))
        ref_first, ref_index = take_ragged(self.way_refs.first(), way_rows)
        way_first, way_index = take_ragged(self.way_tags.first(), way_rows)
        relation_id, relation_rows = self._once(
            "relation", np.array(self.relation_id, dtype=np.int64)
        )
        member_first, member_index = take_ragged(self.members.first(), relation_rows)
        tag_first, tag_index = take_ragged(self.relation_tags.first(), relation_rows)
        return OsmExtract(
            word=texts(list(self.words.code)),
            node_id=node_id,
            node_lon=lon[order][rows] / _UNIT,
            node_lat=lat[order][rows] / _UNIT,
            node_tag_first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            node_tag_key=self.node_tags.column("key")[index],
            node_tag_value=self.node_tags.column("value")[index],
            way_id=way_id,
            way_ref_first=ref_first,
            way_ref=refs[ref_index],
            way_tag_first=way_first,
            way_tag_key=self.way_tags.column("key")[way_index],
            way_tag_value=self.way_tags.column("value")[way_index],
            relation_id=relation_id,
            member_first=member_first,
            member_kind=self.members.column("kind")[member_index],
            member_ref=self.members.column("ref")[member_index],
            member_role=self.members.column("role")[member_index],
            relation_tag_first=tag_first,
            relation_tag_key=self.relation_tags.column("key")[tag_index],
            relation_tag_value=self.relation_tags.column("value")[tag_index],
            left_out=self.left_out,
        )

    def _once(self, kind: str, ids: Array) -> tuple[Array, Array]:
        """Return ids and rows without those whose id stood before."""
        rows = np.sort(np.unique(ids, return_index=True)[1])
        self.leave_out(kind, "id twice", len(ids) - len(rows))
        return ids[rows], rows


def _joined(parts: list[Array], dtype: type) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


def read_pbf(path: Path) -> OsmExtract:
    """Read the ways, stops and relations that networks are made of.

    What is taken is what :func:`cczsim.io.osm_file.read_osm` takes.

    Raises
    ------
    StrangeError
        The file breaks off, is damaged, or has what this reader does not read.
    """
    reader = _Reader()
    try:
        for block in read_blocks(path):
            reader.block(block)
        return reader.extract()
    except (IndexError, ValueError, OverflowError, ColumnError) as error:
        raise StrangeError(str(error)) from error
