"""Tags of a way → class, direction, lanes, speed, structure; each with its provenance.

Rules, with the numbers that the code carries:

1.  Roads for cars are the values of ``highway`` in :data:`DRIVABLE`; the caller may take fewer or
    more. ``highway=road`` is a class of its own. Others are left out with the value as reason;
    ``construction``, ``proposed`` and the like with what would be built.
2.  ``area=yes`` is a surface, not a street, and is left out.
3.  Access: the most specific of ``motorcar``, ``motor_vehicle``, ``vehicle``, ``access`` decides.
    :data:`CLOSED` values leave the way out, others (``destination``, ``customers``, ``permissive``
    …) keep it. Conditional access and barriers on nodes are not read.
4.  One-way: ``yes``, ``true``, ``1`` and, from old imports, ``F`` go with the way; ``-1``,
    ``reverse`` and ``T`` against it; ``no``, ``false``, ``0`` both ways. Source: tagged.
5.  Without rule 4, ``junction=roundabout|circular`` and ``highway=motorway`` go with the way
    (derived). ``motorway_link`` and the other link classes imply nothing: OpenStreetMap asks for
    an explicit ``oneway`` there.
6.  ``oneway=reversible|alternating`` is open both ways with half of the lanes each, since the
    direction in the modelled hour is not mapped (default).
7.  Without any of these, or with a value that is none of them, both ways (default).
8.  Lanes of a direction: ``lanes:forward`` or ``lanes:backward`` where given (tagged); on a
    one-way street ``lanes`` (tagged); on a two-way street what ``lanes`` leaves beside a given
    other direction, else half of ``lanes`` less ``lanes:both_ways`` (derived). Odd totals give
    half a lane to each: a three-lane street is 1.5 and 1.5.
9.  A list such as ``2;3`` comes from merged ways: the least counts (derived). Values that are no
    number, not above 0 or above :data:`MOST_LANES` are not understood, and counted.
10. Speed: ``maxspeed:forward`` and ``maxspeed:backward``, then ``maxspeed``: km/h unless ``mph``
    or ``knots`` stands behind. ``walk`` is 5 km/h, ``none`` 120 km/h on roads without limit;
    zones such as ``CN:urban`` or ``DE:motorway`` are read from :data:`ZONE_KMH` (all derived).
    A list gives its least (derived). ``variable``, ``signals`` and others are not understood,
    and counted; so are speeds outside 1 to 160 km/h.
11. ``bridge`` and ``tunnel`` with any value but ``no`` give the structure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE

DRIVABLE: Final = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
    "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential",
    "living_street", "road", "service",
)  # fmt: skip
NOT_YET: Final = ("construction", "proposed", "planned")
GONE: Final = ("abandoned", "disused", "razed", "demolished")
ACCESS_KEYS: Final = ("motorcar", "motor_vehicle", "vehicle", "access")
CLOSED: Final = frozenset(
    ("no", "private", "agricultural", "forestry", "agricultural;forestry", "emergency",
     "military", "restricted", "psv", "bus", "foot", "bicycle", "use_sidepath")
)  # fmt: skip
WITH_WAY: Final = frozenset(("yes", "true", "1", "F"))
AGAINST_WAY: Final = frozenset(("-1", "reverse", "T"))
BOTH_WAYS: Final = frozenset(("no", "false", "0"))
EITHER_WAY: Final = frozenset(("reversible", "alternating"))
MOST_LANES: Final = 12
SPEED_RANGE_KMH: Final = (1.0, 160.0)
WALK_KMH: Final = 5.0
NO_LIMIT_KMH: Final = 120.0
# By the part behind the colon; the country's own law where known: China's Regulations for the
# Implementation of the Road Traffic Safety Law, art. 45 (without centre line 30 km/h in cities,
# 40 on roads; one lane a direction 50 and 70) and 78 (motorways 120).
ZONE_KMH: Final[Mapping[str, float]] = {
    "urban": 50.0, "rural": 70.0, "trunk": 80.0, "motorway": 120.0, "living_street": 20.0,
    "pedestrian_zone": 5.0, "walk": WALK_KMH, "bicycle_road": 30.0, "zone10": 10.0,
    "zone20": 20.0, "zone30": 30.0, "zone40": 40.0,
}  # fmt: skip
USED_KEYS: Final = (
    "highway", "construction", "proposed", "service", "area", "oneway", "junction", "lanes",
    "lanes:forward", "lanes:backward", "lanes:both_ways", "maxspeed", "maxspeed:forward",
    "maxspeed:backward", *ACCESS_KEYS, "bridge", "tunnel",
)  # fmt: skip

_SPEED: Final = re.compile(r"^(\d{1,3}(?:\.\d{1,2})?) ?(km/h|kmh|kph|mph|knots)?$", re.ASCII)
_LANES: Final = re.compile(r"^\d{1,2}(?:\.\d)?$", re.ASCII)
_UNIT_KMH: Final = {"mph": 1.609344, "knots": 1.852}


class Read(NamedTuple):
    """A value and where it comes from."""

    value: float
    source: Source


class WayRule(NamedTuple):
    """What the tags of a way say; numbers of 0 are left to the class table."""

    reason: str
    """Why the way is left out, ``""`` if it is kept."""
    road_class: int
    forward: bool
    backward: bool
    oneway_source: Source
    lanes: tuple[float, float]
    lanes_source: tuple[Source, Source]
    speed: tuple[float, float]
    """Forward and backward, m/s."""
    speed_source: tuple[Source, Source]
    structure: int
    odd: tuple[tuple[str, str], ...]
    """Keys and values that were not understood."""


def parse_speed(text: str) -> Read | None:
    """Read a value of ``maxspeed`` (rule 10).

    Returns
    -------
    Read or None
        Speed in m/s; None where the value is not understood. Never raises.
    """
    items = [item.strip() for item in text.replace("|", ";").split(";")]
    speeds = [_one_speed(item) for item in items]
    known = [speed for speed in speeds if speed is not None]
    if not known or len(known) < len(speeds):
        return None
    if len(known) == 1:
        return known[0]
    return Read(min(speed.value for speed in known), Source.DERIVED)


def _one_speed(text: str) -> Read | None:
    match = _SPEED.match(text)
    if match:
        kmh = float(match[1]) * _UNIT_KMH.get(match[2] or "", 1.0)
        if not SPEED_RANGE_KMH[0] <= kmh <= SPEED_RANGE_KMH[1]:
            return None
        return Read(kmh / 3.6, Source.TAGGED)
    if text == "none":
        return Read(NO_LIMIT_KMH / 3.6, Source.DERIVED)
    zone = text.rpartition(":")[2]
    if text != "walk" and ":" not in text:
        return None
    zone = f"zone{zone}" if zone.isdecimal() else zone
    if zone not in ZONE_KMH:
        return None
    return Read(ZONE_KMH[zone] / 3.6, Source.DERIVED)


def parse_lanes(text: str) -> Read | None:
    """Read a number of lanes (rule 9); None where it is not understood. Never raises."""
    items = [item.strip() for item in text.split(";")]
    if not all(_LANES.match(item) for item in items):
        return None
    values = [float(item) for item in items]
    if not all(0 < value <= MOST_LANES for value in values):
        return None
    return Read(min(values), Source.TAGGED if len(values) == 1 else Source.DERIVED)


def left_out(
    tags: Mapping[str, str], classes: Collection[str] = DRIVABLE, keep_closed: bool = False
) -> str:
    """Return why a way is no road for cars, ``""`` if it is one (rules 1 to 3)."""
    value = tags.get("highway", "")
    if value in NOT_YET:  # 1
        return f"{value} of {tags.get(value) or 'a road of unknown class'}"
    if value in GONE:
        return f"{value} road"
    if value not in classes:
        return "not among the classes taken"
    if tags.get("area") == "yes":  # 2
        return "area=yes, a surface"
    for key in () if keep_closed else ACCESS_KEYS:  # 3
        if key in tags:
            return f"{key}={tags[key]}" if tags[key] in CLOSED else ""
    return ""


def parse_direction(tags: Mapping[str, str]) -> tuple[bool, bool, Source, bool]:
    """Return whether a way is open forward and backward, the source, and whether it was odd."""
    value = tags.get("oneway", "")
    if value in WITH_WAY:  # 4
        return True, False, Source.TAGGED, False
    if value in AGAINST_WAY:
        return False, True, Source.TAGGED, False
    if value in BOTH_WAYS:
        return True, True, Source.TAGGED, False
    if value in EITHER_WAY:  # 6
        return True, True, Source.DEFAULT, False
    odd = bool(value)
    if tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway":  # 5
        return True, False, Source.DERIVED, odd
    return True, True, Source.DEFAULT, odd  # 7


def _lanes(
    tags: Mapping[str, str], forward: bool, backward: bool, odd: list[tuple[str, str]]
) -> tuple[Read, Read]:
    given: dict[str, Read] = {}
    for key in ("lanes", "lanes:forward", "lanes:backward", "lanes:both_ways"):
        if key in tags:
            read = parse_lanes(tags[key])
            if read is not None:
                given[key] = read
            elif not (key == "lanes:both_ways" and tags[key] == "0"):
                odd.append((key, tags[key]))
    unknown = Read(0.0, Source.DEFAULT)
    total = given.get("lanes")
    ahead, back = given.get("lanes:forward"), given.get("lanes:backward")
    if forward != backward:  # 8, one-way
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


def _speeds(tags: Mapping[str, str], odd: list[tuple[str, str]]) -> tuple[Read, Read]:
    given: dict[str, Read] = {}
    for key in ("maxspeed", "maxspeed:forward", "maxspeed:backward"):
        if key in tags:
            read = parse_speed(tags[key])
            if read is None:
                odd.append((key, tags[key]))
            else:
                given[key] = read
    both = given.get("maxspeed", Read(0.0, Source.DEFAULT))
    return given.get("maxspeed:forward", both), given.get("maxspeed:backward", both)


def interpret(
    tags: Mapping[str, str], classes: Collection[str] = DRIVABLE, keep_closed: bool = False
) -> WayRule:
    """Return what the tags of a way say.

    Parameters
    ----------
    tags : mapping
        Key to value; keys other than :data:`USED_KEYS` play no part.
    classes : collection of str
        Values of ``highway`` that are kept.
    keep_closed : bool
        Whether rule 3 is passed over.
    """
    reason = left_out(tags, classes, keep_closed)
    forward, backward, oneway_source, odd_oneway = parse_direction(tags)
    odd: list[tuple[str, str]] = [("oneway", tags["oneway"])] if odd_oneway else []
    lanes = _lanes(tags, forward, backward, odd)
    speeds = _speeds(tags, odd)
    if tags.get("bridge", "no") != "no":  # 11
        structure = 1
    elif tags.get("tunnel", "no") != "no":
        structure = 2
    else:
        structure = 0
    return WayRule(
        reason=reason,
        road_class=CLASS_CODE.get(tags.get("highway", ""), CLASS_CODE["other"]),
        forward=forward,
        backward=backward,
        oneway_source=oneway_source,
        lanes=(lanes[0].value, lanes[1].value),
        lanes_source=(lanes[0].source, lanes[1].source),
        speed=(speeds[0].value, speeds[1].value),
        speed_source=(speeds[0].source, speeds[1].source),
        structure=structure,
        odd=tuple(odd) if not reason else (),
    )
