"""Which OpenStreetMap objects networks are made of: one answer for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cczsim.osm.extract import ExtractMaker

WAY_KEYS: Final = ("highway", "railway", "public_transport")
NODE_KEYS: Final = ("highway", "barrier", "railway", "public_transport", "station")
RELATION_TYPES: Final = ("restriction", "route", "route_master", "public_transport", "multipolygon")


def take_way(
    maker: ExtractMaker, way_id: int, refs: Sequence[int], tags: Mapping[str, str]
) -> None:
    """Add a way that has one of :data:`WAY_KEYS`, or is a ferry; count another."""
    if any(key in tags for key in WAY_KEYS) or tags.get("route") == "ferry":
        maker.add_way(way_id, refs, tags)
    else:
        maker.leave_out("way", f"none of the tags {', '.join(WAY_KEYS)}")


def take_relation(
    maker: ExtractMaker,
    relation_id: int,
    members: Iterable[tuple[str, int, str]],
    tags: Mapping[str, str],
) -> list[int]:
    """Add a turn restriction, a route or a group of stops; count another.

    A multipolygon is taken where it has one of :data:`WAY_KEYS` itself.

    Returns
    -------
    list of int
        Nodes that are wanted for the relation, whatever tags they have: the stops of a route.
    """
    form = tags.get("type", "")
    family = form.split(":")[0]  # restriction:hgv and the like
    if family not in RELATION_TYPES:
        maker.leave_out("relation", f"type={form}")
    elif family == "multipolygon" and not any(key in tags for key in WAY_KEYS):
        maker.leave_out("relation", "multipolygon of no road, track or stop")
    else:
        members = list(members)
        maker.add_relation(relation_id, members, tags)
        if family == "route":
            return [ref for kind, ref, _ in members if kind == "node"]
    return []
