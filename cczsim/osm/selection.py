"""Which OpenStreetMap objects networks are made of: one answer for every reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cczsim.osm.extract import ExtractMaker

WAY_KEYS: Final = ("highway", "railway", "public_transport")
NODE_KEYS: Final = ("highway", "barrier", "railway", "public_transport", "station")
RELATION_TYPES: Final = ("restriction", "route", "route_master", "public_transport", "multipolygon")


def way_reason() -> str:
    """Return why a way is not taken."""
    return f"none of the tags {', '.join(WAY_KEYS)}"


def relation_reason(tags: Mapping[str, str]) -> str:
    """Return why a relation is not taken, ``""`` if it is.

    Taken are turn restrictions, routes and groups of stops, and multipolygons that have one of
    :data:`WAY_KEYS` themselves.
    """
    form = tags.get("type", "")
    family = form.split(":")[0]  # restriction:hgv and the like
    if family not in RELATION_TYPES:
        return f"type={form}"
    if family == "multipolygon" and not any(key in tags for key in WAY_KEYS):
        return "multipolygon of no road, track or stop"
    return ""


def wants_stops(tags: Mapping[str, str]) -> bool:
    """Return whether the nodes of a relation are wanted whatever tags they have."""
    return tags.get("type") == "route"


def take_way(
    maker: ExtractMaker, way_id: int, refs: Sequence[int], tags: Mapping[str, str]
) -> None:
    """Add a way that has one of :data:`WAY_KEYS`, or is a ferry; count another."""
    if any(key in tags for key in WAY_KEYS) or tags.get("route") == "ferry":
        maker.add_way(way_id, refs, tags)
    else:
        maker.leave_out("way", way_reason())


def take_relation(
    maker: ExtractMaker,
    relation_id: int,
    members: Iterable[tuple[str, int, str]],
    tags: Mapping[str, str],
) -> list[int]:
    """Add a relation, or count it with the reason why not.

    Returns
    -------
    list of int
        Nodes that are wanted for the relation, whatever tags they have: the stops of a route.
    """
    reason = relation_reason(tags)
    if reason:
        maker.leave_out("relation", reason)
        return []
    members = list(members)
    maker.add_relation(relation_id, members, tags)
    return [ref for kind, ref, _ in members if kind == "node"] if wants_stops(tags) else []
