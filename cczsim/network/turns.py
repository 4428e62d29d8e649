"""Turn rules: what it costs to take some links one after the other, or that it may not be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError
from cczsim.network.geometry import take_ragged
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork

FORBIDDEN: Final = float("inf")


@dataclass(frozen=True, eq=False)
class Turns(Columns):
    """Sequences of links with a penalty for whoever drives them one right after the other.

    The links of rule ``k`` are ``turn_link[turn_first[k]:turn_first[k + 1]]``, at least two; with
    more, the ones between are the way between the turn's two ends. Penalties of rules that hold
    for the same links add up. A trip that begins or ends within a sequence does not pay.

    Raises
    ------
    ColumnError
        A column breaks its rule, or a rule has fewer than two links.
    """

    turn_first: Array = column("turn+1", "int64", "", "offset of the rule's first link")
    turn_link: Array = column(
        "turn_link", "int32", "", "row of the link in the road network, in order of travel", low=0
    )
    penalty: Array = column(
        "turn", "float64", "s", "added for taking the turn; inf: forbidden", low=0.0,
        inf_allowed=True, default=FORBIDDEN,
    )  # fmt: skip
    relation_id: Array = column(
        "turn", "int64", "", "OSM relation that the rule follows from; 0: none", default=0
    )
    turn_source: Array = column(
        "turn", "int8", "", "provenance: tagged as forbidden, derived from a turn that is the only "
        "one allowed, default from a general rule", low=0, high=max(Source),
        default=int(Source.USER),
    )  # fmt: skip

    def check(self) -> None:
        """Check offsets and that each rule has two links."""
        if self.turn_first[0] != 0 or self.turn_first[-1] != len(self.turn_link):
            raise ColumnError.of(
                "Turns.turn_first", f"{self.turn_first[0]} … {self.turn_first[-1]}",
                f"0 … {len(self.turn_link)}",
            )  # fmt: skip
        short = np.flatnonzero(np.diff(self.turn_first) < 2)
        if len(short):
            raise ColumnError.of(
                "Turns.turn_first", f"rules {short[:5]} under 2 links", "2 or more"
            )

    @property
    def n_turns(self) -> int:
        """Number of rules."""
        return len(self.turn_first) - 1

    def links_of(self, rule: int) -> list[int]:
        """Return the links of one rule, in order."""
        return [int(a) for a in self.turn_link[self.turn_first[rule] : self.turn_first[rule + 1]]]

    def some(self, rules: Array) -> Turns:
        """Return some of the rules, in the order given."""
        first, index = take_ragged(self.turn_first, rules)
        return Turns(turn_first=first, turn_link=self.turn_link[index], **self.take("turn", rules))


def turns_from(
    sequences: Sequence[Sequence[int]],
    penalty: Sequence[float] | Array | None = None,
    relation_id: Sequence[int] | Array | None = None,
    source: Sequence[int] | Array | None = None,
) -> Turns:
    """Return rules from lists of link rows; all forbidden unless penalties are given."""
    sizes = np.array([len(links) for links in sequences], dtype=np.int64)
    given = {"penalty": penalty, "relation_id": relation_id, "turn_source": source}
    return Turns(
        turn_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        turn_link=np.array([a for links in sequences for a in links], dtype=np.int64),
        **{name: np.asarray(values) for name, values in given.items() if values is not None},
    )


def join_turns(parts: Sequence[Turns]) -> Turns:
    """Return the rules of all parts, in order."""
    if not parts:
        return turns_from([])
    sizes = np.concatenate([np.diff(part.turn_first) for part in parts])
    names = Turns.dims()["turn"]
    return Turns(
        turn_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        turn_link=np.concatenate([part.turn_link for part in parts]),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
    )


def turns_after_drop(turns: Turns, kept: Array, n_links: int) -> Turns:
    """Return the rules after links were dropped; those on a dropped link go with it.

    Parameters
    ----------
    kept : array
        Rows that were kept, ascending, as :func:`cczsim.network.edit.drop_links` returns them.
    n_links : int
        Number of links before.
    """
    place = np.full(n_links, NO_LINK, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    moved = place[turns.turn_link]
    lost = np.add.reduceat(moved == NO_LINK, turns.turn_first[:-1]) if turns.n_turns else moved
    rules = turns.some(np.flatnonzero(lost == 0))
    return rules.replace(turn_link=place[rules.turn_link])


def turns_after_split(turns: Turns, whole: Array, piece: Array) -> Turns:
    """Return the rules after links were split.

    A rule that begins with a split link begins with its last piece, one that ends with it ends
    with its first piece; between, all pieces stand in order. Links that were added at a node give
    no new rule, not even where a turn was the only one allowed.

    Parameters
    ----------
    whole, piece : array [piece]
        Row of the link that was split, and row of its piece in the network after; the pieces of a
        link in order of travel.
    """
    pieces: dict[int, list[int]] = {}
    for a, b in zip(whole.tolist(), piece.tolist(), strict=True):
        pieces.setdefault(a, []).append(b)
    sequences = []
    for rule in range(turns.n_turns):
        links = [pieces.get(a, [a]) for a in turns.links_of(rule)]
        between = [b for link in links[1:-1] for b in link]
        sequences.append([links[0][-1], *between, links[-1][0]])
    return turns_from(sequences, turns.penalty, turns.relation_id, turns.turn_source)


def no_u_turns(road: RoadNetwork) -> Turns:
    """Return rules that forbid to turn back on the same street, except at dead ends.

    A dead end is a node that no other link leaves; nodes that no path may pass have no rule.
    """
    leaving = np.bincount(road.tail, minlength=road.n_nodes)
    back = np.flatnonzero(road.reverse_link != NO_LINK)
    back = back[(leaving[road.head[back]] > 1) & road.node_through[road.head[back]]]
    pairs = np.column_stack([back, road.reverse_link[back]])
    return Turns(
        turn_first=2 * np.arange(len(pairs) + 1),
        turn_link=pairs.ravel(),
        turn_source=np.full(len(pairs), int(Source.DEFAULT), dtype=np.int8),
    )
