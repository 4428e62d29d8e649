"""Lanes for cars in each direction; numbers are the rules of :mod:`cczsim.osm.tags`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cczsim.network.provenance import Source
from cczsim.osm.tag_access import SIDES
from cczsim.osm.tag_values import MOST_LANES, Read, parse_lanes, parse_width

LANE_WIDTH: Final = 3.0
TWO_LANES_FROM: Final = 5.0
"""Metres from which a street open both ways counts as two lanes rather than one."""
LEAST: Final = 0.5
_COUNTS: Final = ("lanes", "lanes:forward", "lanes:backward", "lanes:both_ways")
_RESERVED: Final = tuple(
    f"lanes:{who}{side}" for who in ("psv", "bus") for side in ("", ":forward", ":backward")
)
_LANE_LISTS: Final = ("bus:lanes", "psv:lanes")
_SHUT_LISTS: Final = ("motorcar:lanes", "motor_vehicle:lanes", "vehicle:lanes", "access:lanes")
_BUSWAYS: Final = ("busway", "busway:both", "busway:right", "busway:left")
_SUFFIXES: Final = ("", ":forward", ":backward")
_WIDTHS: Final = ("width:carriageway", "width")
_SHARED_OUT: Final = frozenset(
    (*_RESERVED, *_BUSWAYS,
     *(f"{key}{end}" for key in (*_LANE_LISTS, *_SHUT_LISTS) for end in _SUFFIXES))
)  # fmt: skip
USED_KEYS: Final = (
    *_COUNTS, *_RESERVED, *_BUSWAYS, *_WIDTHS,
    *(f"{key}{end}" for key in ("turn:lanes", *_LANE_LISTS, *_SHUT_LISTS) for end in _SUFFIXES),
)  # fmt: skip


def lanes_of(
    tags: Mapping[str, str], forward: bool, backward: bool, odd: list[tuple[str, str]]
) -> tuple[Read, Read]:
    """Return the lanes that cars have forward and backward, 0 where no tag says it.

    Parameters
    ----------
    forward, backward : bool
        Directions that the way is open in.
    odd : list
        Keys and values that are not understood are added to it.
    """
    counted = _counted(tags, forward, backward, odd)
    if _SHARED_OUT.isdisjoint(tags):
        return counted
    reserved = _reserved(tags, forward, backward)
    return _less(counted[0], reserved[0]), _less(counted[1], reserved[1])


def _less(lanes: Read, reserved: float) -> Read:
    """Return the lanes without those that are not for cars (14); none is left of no fewer."""
    if lanes.value <= 0.0 or reserved <= 0.0 or lanes.value - reserved < LEAST:
        return lanes
    return Read(lanes.value - reserved, Source.DERIVED)


def _counted(
    tags: Mapping[str, str], forward: bool, backward: bool, odd: list[tuple[str, str]]
) -> tuple[Read, Read]:
    """Return all lanes of each direction (8, 9, 15, 16)."""
    given: dict[str, Read] = {}
    for key in _COUNTS:
        if key in tags:
            read = parse_lanes(tags[key])
            if read is not None:
                given[key] = read
            elif not (key != "lanes" and tags[key] == "0"):
                odd.append((key, tags[key]))
    unknown = Read(0.0, Source.DEFAULT)
    total = given.get("lanes")
    ahead, back = given.get("lanes:forward"), given.get("lanes:backward")
    one_way = forward != backward
    if total is None and ahead is None and back is None:
        listed = _listed(tags, forward, backward)
        if any(read.value > 0.0 for read in listed):  # 15
            return listed
        wide = _by_width(tags, one_way)  # 16
        if wide:
            side = Read(wide if one_way else wide / 2, Source.DERIVED)
            return side if forward else unknown, side if backward else unknown
    if one_way:  # 8
        own = (ahead if forward else back) or total or unknown
        return (own, unknown) if forward else (unknown, own)
    middle = given["lanes:both_ways"].value if "lanes:both_ways" in given else 0.0
    if total is not None and ahead is None and back is None:
        half = Read(max(total.value - middle, 0.0) / 2, Source.DERIVED)
        return (half, half) if half.value > 0 else (unknown, unknown)
    if total is not None and (ahead is None or back is None):
        known = ahead or back
        assert known is not None
        rest = total.value - middle - known.value
        other = Read(rest, Source.DERIVED) if rest > 0 else unknown
        return ahead or other, back or other
    return ahead or unknown, back or unknown


def _items(tags: Mapping[str, str], key: str) -> list[str]:
    return [item.strip() for item in tags[key].split("|")] if key in tags else []


def _listed(tags: Mapping[str, str], forward: bool, backward: bool) -> tuple[Read, Read]:
    """Return the lanes that ``turn:lanes`` counts by naming them (15)."""
    out = []
    for side, is_open, other in zip(SIDES, (forward, backward), (backward, forward), strict=True):
        items = _items(tags, f"turn:lanes:{side}")
        if not items and not other:
            items = _items(tags, "turn:lanes")
        known = is_open and 0 < len(items) <= MOST_LANES
        out.append(Read(float(len(items)), Source.DERIVED) if known else Read(0.0, Source.DEFAULT))
    return out[0], out[1]


def _by_width(tags: Mapping[str, str], one_way: bool) -> float:
    """Return the lanes that fit a carriageway, 0 where its width is not known (16)."""
    width = next((parse_width(tags[key]) for key in _WIDTHS if key in tags), None)
    if width is None or not 2.0 <= width <= MOST_LANES * LANE_WIDTH:
        return 0.0
    least = 2.0 if not one_way and width >= TWO_LANES_FROM else 1.0
    return max(float(width // LANE_WIDTH), least)


def _reserved(tags: Mapping[str, str], forward: bool, backward: bool) -> tuple[float, float]:
    """Return the lanes of each direction that are for buses or otherwise shut to cars (14)."""
    out = []
    both = forward and backward
    for side, is_open in zip(SIDES, (forward, backward), strict=True):
        found = [0.0]
        if is_open:
            for key in _LANE_LISTS:
                found += [_count(tags, key, side, both, ("designated",))]
            for key in _SHUT_LISTS:
                found += [_count(tags, key, side, both, ("no", "private"))]
            for who in ("psv", "bus"):
                own = parse_lanes(tags.get(f"lanes:{who}:{side}", ""))
                whole = parse_lanes(tags.get(f"lanes:{who}", ""))
                if own is not None:
                    found.append(own.value)
                elif whole is not None and f"lanes:{who}:{_other(side)}" not in tags:
                    found.append(whole.value / 2 if both else whole.value)
            found.append(_busway(tags, side, both))
        out.append(max(found))
    return out[0], out[1]


def _other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]


def _count(
    tags: Mapping[str, str], key: str, side: str, both: bool, values: tuple[str, ...]
) -> float:
    items = _items(tags, f"{key}:{side}") or ([] if both else _items(tags, key))
    return float(sum(item in values for item in items))


def _busway(tags: Mapping[str, str], side: str, both: bool) -> float:
    """Return 1 where ``busway`` says that the direction has a lane for buses."""
    if "lane" in (tags.get("busway"), tags.get("busway:both")):
        return 1.0
    if not both:
        return float("lane" in (tags.get("busway:right"), tags.get("busway:left")))
    # Traffic on the right: the lane at the right side is that of the way's own direction.
    return float(tags.get("busway:right" if side == "forward" else "busway:left") == "lane")
