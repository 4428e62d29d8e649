"""Raw OpenStreetMap objects as columns; knows no file and no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError
from cczsim.network.geometry import take_ragged

MEMBER_KINDS: Final = ("node", "way", "relation")
NO_WORD: Final = -1


@dataclass(frozen=True, eq=False)
class OsmExtract(Columns):
    """Nodes, ways and relations with their tags as mapped.

    Tags are pairs of indices into ``word``, so that a rule is worked out once for each value or
    combination of values rather than once for each way. ``way_ref`` may name nodes that are not
    among ``node_id``: an extract that was cut has such ways, and who builds from it decides.

    Raises
    ------
    ColumnError
        A column breaks its rule, or an id stands twice.
    """

    word: Array = column("word", "text", "", "every key, value and role, each once")

    node_id: Array = column("node", "int64", "", "id of the node, ascending")
    node_lon: Array = column("node", "float64", "deg", "longitude, WGS-84", low=-180.0, high=180.0)
    node_lat: Array = column("node", "float64", "deg", "latitude, WGS-84", low=-90.0, high=90.0)
    node_tag_first: Array = column("node+1", "int64", "", "offset of the node's first tag")
    node_tag_key: Array = column("node_tag", "int32", "", "key of the tag", index_of="word")
    node_tag_value: Array = column("node_tag", "int32", "", "value of the tag", index_of="word")

    way_id: Array = column("way", "int64", "", "id of the way, unique")
    way_ref_first: Array = column("way+1", "int64", "", "offset of the way's first node reference")
    way_ref: Array = column("way_ref", "int64", "", "node id that the way goes through, in order")
    way_tag_first: Array = column("way+1", "int64", "", "offset of the way's first tag")
    way_tag_key: Array = column("way_tag", "int32", "", "key of the tag", index_of="word")
    way_tag_value: Array = column("way_tag", "int32", "", "value of the tag", index_of="word")

    relation_id: Array = column("relation", "int64", "", "id of the relation, unique")
    member_first: Array = column("relation+1", "int64", "", "offset of the first member")
    member_kind: Array = column(
        "member", "int8", "", "index into MEMBER_KINDS", low=0, high=len(MEMBER_KINDS) - 1
    )
    member_ref: Array = column("member", "int64", "", "id of the member")
    member_role: Array = column("member", "int32", "", "role of the member", index_of="word")
    relation_tag_first: Array = column("relation+1", "int64", "", "offset of the first tag")
    relation_tag_key: Array = column("relation_tag", "int32", "", "key", index_of="word")
    relation_tag_value: Array = column("relation_tag", "int32", "", "value", index_of="word")

    left_out: dict[str, dict[str, int]] = field(default_factory=dict)
    """What the reader did not take, by kind of object and reason: plain counts."""

    def check(self) -> None:
        """Check offsets and ids."""
        for first, items in (
            ("node_tag_first", "node_tag_key"), ("way_ref_first", "way_ref"),
            ("way_tag_first", "way_tag_key"), ("member_first", "member_ref"),
            ("relation_tag_first", "relation_tag_key"),
        ):  # fmt: skip
            offsets, size = getattr(self, first), len(getattr(self, items))
            if offsets[0] != 0 or offsets[-1] != size:
                raise ColumnError.of(
                    f"OsmExtract.{first}", f"{offsets[0]} … {offsets[-1]}", f"0 … {size}"
                )
        if (np.diff(self.node_id) <= 0).any():
            raise ColumnError.of("OsmExtract.node_id", "ids out of order or twice", "ascending ids")
        for name in ("way_id", "relation_id"):
            ids = getattr(self, name)
            if (np.diff(np.sort(ids)) == 0).any():
                raise ColumnError.of(f"OsmExtract.{name}", "an id twice", "unique ids")

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_id)

    @property
    def n_ways(self) -> int:
        """Number of ways."""
        return len(self.way_id)

    @property
    def n_relations(self) -> int:
        """Number of relations."""
        return len(self.relation_id)

    @cached_property
    def words(self) -> list[str]:
        """The texts of ``word``."""
        return [str(word) for word in self.word]

    @cached_property
    def code_of(self) -> dict[str, int]:
        """Row of each text in ``word``."""
        return {word: code for code, word in enumerate(self.words)}

    def tag_codes(self, kind: str, keys: Sequence[str]) -> Array:
        """Return the values of some keys as indices into ``word``.

        Parameters
        ----------
        kind : str
            ``"node"``, ``"way"`` or ``"relation"``.
        keys : sequence of str

        Returns
        -------
        array [object, key], int32
            ``NO_WORD`` where the object has no such key.
        """
        first = getattr(self, f"{kind}_tag_first")
        key = getattr(self, f"{kind}_tag_key")
        value = getattr(self, f"{kind}_tag_value")
        place = self.code_of
        column_of = np.full(len(self.word) + 1, -1, dtype=np.int64)
        for number, name in enumerate(keys):
            column_of[place.get(name, len(self.word))] = number
        column_of[len(self.word)] = -1
        owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
        wanted = column_of[key] >= 0
        out = np.full((len(first) - 1, len(keys)), NO_WORD, dtype=np.int32)
        out[owner[wanted], column_of[key[wanted]]] = value[wanted]
        return out

    def tag_texts(self, kind: str, key: str) -> list[str]:
        """Return the value of one key for each object, ``""`` where it has none."""
        words = [*self.words, ""]
        return [words[code] for code in self.tag_codes(kind, [key])[:, 0]]

    def tag_combinations(
        self, kind: str, keys: Sequence[str]
    ) -> tuple[list[dict[str, str]], Array]:
        """Return the different combinations of some keys' values, and which each object has.

        Returns
        -------
        combinations : list of dict
            Key to value, absent keys left out.
        which : array [object], int64
            Row of ``combinations``.
        """
        words, place = self.words, self.code_of
        first = getattr(self, f"{kind}_tag_first")
        key, value = getattr(self, f"{kind}_tag_key"), getattr(self, f"{kind}_tag_value")
        wanted = np.array([place[name] for name in keys if name in place], dtype=np.int64)
        rank = np.full(len(words) + 1, len(wanted), dtype=np.int64)
        rank[wanted] = np.arange(len(wanted))
        tag = np.flatnonzero(rank[key] < len(wanted))
        tag = tag[np.argsort(rank[key[tag]], kind="stable")]
        owner = np.repeat(np.arange(len(first) - 1), np.diff(first))[tag]
        bounds = np.searchsorted(rank[key[tag]], np.arange(len(wanted) + 1))
        # Key by key: objects that have it go from the combination so far to one with its value;
        # the others are not touched. Sorting rows of all keys takes ten times as long.
        combinations: list[dict[str, str]] = [{}]
        which = np.zeros(len(first) - 1, dtype=np.int64)
        for number, name_code in enumerate(wanted.tolist()):
            span = slice(bounds[number], bounds[number + 1])
            rows, given = owner[span], value[tag[span]].astype(np.int64)
            if not len(rows):
                continue
            last = np.append(rows[1:] != rows[:-1], True)  # of a key that stands twice
            rows, given = rows[last], given[last]
            pair, which_pair = np.unique(which[rows] * len(words) + given, return_inverse=True)
            which[rows] = len(combinations) + which_pair
            combinations += [
                combinations[code // len(words)] | {words[name_code]: words[code % len(words)]}
                for code in pair.tolist()
            ]
        used = np.flatnonzero(np.bincount(which, minlength=len(combinations)))
        return [combinations[k] for k in used.tolist()], np.searchsorted(used, which)

    def node_rows(self, ids: Array) -> Array:
        """Return the rows of some node ids, -1 where the extract lacks the node."""
        if not self.n_nodes:
            return np.full(len(ids), -1, dtype=np.int64)
        place = np.searchsorted(self.node_id, ids)
        place[place == self.n_nodes] = 0
        return np.where(self.node_id[place] == ids, place, -1)

    def inside(self, inside: Array, reason: str) -> OsmExtract:
        """Return the part of the extract on some nodes.

        Other nodes are taken away, and ways without any node left with them; a way that goes on
        keeps its references, so that a builder ends it at the last node inside. What goes is
        counted under ``reason``.

        Parameters
        ----------
        inside : array [node], bool
        reason : str
        """
        rows = self.node_rows(self.way_ref)
        ref_inside = (rows >= 0) & inside[rows]
        way_of_ref = np.repeat(np.arange(self.n_ways), np.diff(self.way_ref_first))
        way_inside = np.bincount(way_of_ref, ref_inside, minlength=self.n_ways) > 0
        left_out = {kind: dict(counts) for kind, counts in self.left_out.items()}
        left_out.setdefault("way", {})[reason] = int((~way_inside).sum())
        left_out.setdefault("node", {})[reason] = int((~inside).sum())
        nodes, ways = np.flatnonzero(inside), np.flatnonzero(way_inside)
        node_first, node_tags = take_ragged(self.node_tag_first, nodes)
        ref_first, refs = take_ragged(self.way_ref_first, ways)
        way_first, way_tags = take_ragged(self.way_tag_first, ways)
        return self.replace(
            node_id=self.node_id[nodes],
            node_lon=self.node_lon[nodes],
            node_lat=self.node_lat[nodes],
            node_tag_first=node_first,
            node_tag_key=self.node_tag_key[node_tags],
            node_tag_value=self.node_tag_value[node_tags],
            way_id=self.way_id[ways],
            way_ref_first=ref_first,
            way_ref=self.way_ref[refs],
            way_tag_first=way_first,
            way_tag_key=self.way_tag_key[way_tags],
            way_tag_value=self.way_tag_value[way_tags],
            left_out=left_out,
        )


class ExtractMaker:
    """Gather objects one by one, as a file or a test hands them out, and freeze them.

    An id that comes again replaces nothing: the first object is kept and the other counted, so
    that joined files may overlap.
    """

    def __init__(self) -> None:
        self._words: dict[str, int] = {}
        self._nodes: dict[int, tuple[float, float]] = {}
        self._node_tags: dict[int, list[int]] = {}
        self._ways: set[int] = set()
        self._relations: set[int] = set()
        self._way_ids: list[int] = []
        self._relation_ids: list[int] = []
        self._refs: list[int] = []
        self._ref_first: list[int] = [0]
        self._way_tags: list[int] = []
        self._way_tag_first: list[int] = [0]
        self._members: list[tuple[int, int, int]] = []
        self._member_first: list[int] = [0]
        self._relation_tags: list[int] = []
        self._relation_tag_first: list[int] = [0]
        self._left_out: dict[str, dict[str, int]] = {}

    def _code(self, text: str) -> int:
        return self._words.setdefault(text, len(self._words))

    def leave_out(self, kind: str, reason: str, count: int = 1) -> None:
        """Count objects that are not taken."""
        counts = self._left_out.setdefault(kind, {})
        counts[reason] = counts.get(reason, 0) + count

    def add_node(
        self, node_id: int, lon: float, lat: float, tags: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Add a node, or the tags of one that came without; another place is counted."""
        if self._nodes.setdefault(node_id, (lon, lat)) != (lon, lat):
            self.leave_out("node", "id twice")
        if node_id not in self._node_tags:
            pairs = [self._code(text) for pair in tags for text in pair]
            if pairs:
                self._node_tags[node_id] = pairs

    def add_way(self, way_id: int, refs: Sequence[int], tags: Mapping[str, str]) -> None:
        """Add a way."""
        if way_id in self._ways:
            self.leave_out("way", "id twice")
            return
        self._ways.add(way_id)
        self._way_ids.append(way_id)
        self._refs.extend(refs)
        self._ref_first.append(len(self._refs))
        self._way_tags.extend(self._code(text) for pair in tags.items() for text in pair)
        self._way_tag_first.append(len(self._way_tags) // 2)

    def add_relation(
        self,
        relation_id: int,
        members: Iterable[tuple[str, int, str]],
        tags: Mapping[str, str],
    ) -> None:
        """Add a relation; members are kind, id and role."""
        if relation_id in self._relations:
            self.leave_out("relation", "id twice")
            return
        self._relations.add(relation_id)
        self._relation_ids.append(relation_id)
        self._members.extend(
            (MEMBER_KINDS.index(kind), ref, self._code(role)) for kind, ref, role in members
        )
        self._member_first.append(len(self._members))
        self._relation_tags.extend(self._code(text) for pair in tags.items() for text in pair)
        self._relation_tag_first.append(len(self._relation_tags) // 2)

    @property
    def refs(self) -> list[int]:
        """Node ids that the ways added so far go through."""
        return self._refs

    @property
    def n_objects(self) -> int:
        """Number of objects added so far."""
        return len(self._nodes) + len(self._way_ids) + len(self._relation_ids)

    def extract(self) -> OsmExtract:
        """Return what was gathered, nodes in ascending order of id."""
        ids = sorted(self._nodes)
        places = np.array([self._nodes[i] for i in ids], dtype=np.float64).reshape(-1, 2)
        tags = [self._node_tags.get(i, ()) for i in ids]
        node_tags = np.array([code for pairs in tags for code in pairs], dtype=np.int32)
        way_tags = np.array(self._way_tags, dtype=np.int32)
        relation_tags = np.array(self._relation_tags, dtype=np.int32)
        members = np.array(self._members, dtype=np.int64).reshape(-1, 3)
        counts = np.array([len(pairs) // 2 for pairs in tags], dtype=np.int64)
        return OsmExtract(
            word=np.array(list(self._words), dtype=np.dtypes.StringDType()),
            node_id=np.array(ids, dtype=np.int64),
            node_lon=places[:, 0],
            node_lat=places[:, 1],
            node_tag_first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            node_tag_key=node_tags[::2],
            node_tag_value=node_tags[1::2],
            way_id=np.array(self._way_ids, dtype=np.int64),
            way_ref_first=np.array(self._ref_first, dtype=np.int64),
            way_ref=np.array(self._refs, dtype=np.int64),
            way_tag_first=np.array(self._way_tag_first, dtype=np.int64),
            way_tag_key=way_tags[::2],
            way_tag_value=way_tags[1::2],
            relation_id=np.array(self._relation_ids, dtype=np.int64),
            member_first=np.array(self._member_first, dtype=np.int64),
            member_kind=members[:, 0],
            member_ref=members[:, 1],
            member_role=members[:, 2],
            relation_tag_first=np.array(self._relation_tag_first, dtype=np.int64),
            relation_tag_key=relation_tags[::2],
            relation_tag_value=relation_tags[1::2],
            left_out=self._left_out,
        )
