"""Tags of a way → class, direction, lanes, speed, structure; each with its provenance.

Rules, with the numbers that the code carries here, in :mod:`cczsim.osm.tag_access`,
:mod:`cczsim.osm.tag_lanes` and :mod:`cczsim.osm.tag_values`. They follow the OpenStreetMap wiki;
``tests/cases/osm-tags`` holds a table of cases with the page that each follows.

1.  Roads for cars are the values of ``highway`` in :data:`DRIVABLE`; the caller may take fewer or
    more. ``highway=road`` is a class of its own. Others are left out with the value as reason;
    ``construction``, ``proposed`` and the like with what would be built; so is what is
    ``disused=yes`` or ``abandoned=yes``.
2.  ``area=yes`` is a surface, not a street, and is left out.
3.  Access: the most specific of ``motorcar``, ``motor_vehicle``, ``vehicle``, ``access`` decides.
    :data:`CLOSED` values leave the way out, others (``destination``, ``customers``, ``permissive``
    …) keep it; so does a list with one of the others in it. What holds for trucks only (``hgv``)
    or at certain times only (``access:conditional``) is not read.
4.  One-way: ``yes``, ``true``, ``1`` and, from old imports, ``F`` go with the way; ``-1``,
    ``reverse`` and ``T`` against it; ``no``, ``false``, ``0`` both ways. Source: tagged.
    ``oneway:motorcar``, ``oneway:motor_vehicle`` and ``oneway:vehicle`` come before ``oneway``.
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
10. Speed: ``maxspeed:motorcar``, then ``maxspeed:forward`` and ``maxspeed:backward``, then
    ``maxspeed``: km/h unless ``mph`` or ``knots`` stands behind. ``walk`` is 5 km/h, ``none``
    120 km/h on roads without limit; zones such as ``CN:urban``, ``DE:motorway`` or ``GB:nsl_dual``
    are read by country (all derived). A list gives its least (derived). ``variable``,
    ``signals`` and others are not understood, and counted; so are speeds outside 1 to 160 km/h.
    Without any, the zone that ``maxspeed:type``, ``source:maxspeed`` or ``zone:maxspeed`` names
    (derived).
11. ``bridge`` and ``tunnel`` with any value but ``no`` give the structure.
12. Ferries are counted and left out.
13. ``motor_vehicle:forward=no`` and the like, by the order of rule 3, close one direction (tagged).
14. Lanes that are for buses or shut to cars are taken off those of their direction, unless less
    than half a lane is left (derived): ``designated`` in ``bus:lanes`` or ``psv:lanes``, ``no`` in
    ``motor_vehicle:lanes`` and the like, ``lanes:bus``, ``lanes:psv``, ``busway=lane``; the most
    that one of them says. ``lanes`` counts them in, as the wiki has it.
15. Without a count of lanes, ``turn:lanes`` counts them by naming each (derived).
16. Without these, the width of the carriageway: a lane for each whole 3 m, and two lanes from 5 m
    on streets that are open both ways (derived).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm import tag_access, tag_lanes
from cczsim.osm.tag_access import CLOSED, DRIVABLE, left_out, parse_direction
from cczsim.osm.tag_lanes import lanes_of
from cczsim.osm.tag_values import MOST_LANES, Read, parse_speed, zone_kmh

__all__ = ["CLOSED", "DRIVABLE", "MOST_LANES", "USED_KEYS", "WayRule", "interpret"]

_SPEEDS: Final = ("maxspeed:motorcar", "maxspeed", "maxspeed:forward", "maxspeed:backward")
_ZONES: Final = ("maxspeed:type", "source:maxspeed", "zone:maxspeed")
USED_KEYS: Final = (
    *tag_access.USED_KEYS, *tag_lanes.USED_KEYS, *_SPEEDS, *_ZONES, "bridge", "tunnel",
)  # fmt: skip


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


def _speeds(tags: Mapping[str, str], odd: list[tuple[str, str]]) -> tuple[Read, Read]:
    """Return the speeds forward and backward (10)."""
    given: dict[str, Read] = {}
    for key in _SPEEDS:
        if key in tags:
            read = parse_speed(tags[key])
            if read is None:
                odd.append((key, tags[key]))
            else:
                given[key] = read
    if "maxspeed:motorcar" in given:
        return given["maxspeed:motorcar"], given["maxspeed:motorcar"]
    both = given.get("maxspeed", _zone(tags))
    return given.get("maxspeed:forward", both), given.get("maxspeed:backward", both)


def _zone(tags: Mapping[str, str]) -> Read:
    """Return the speed of the zone that a way is said to lie in, 0 without one."""
    for key in _ZONES:
        zone = zone_kmh(tags[key]) if ":" in tags.get(key, "") else None
        if zone is not None:
            return Read(zone / 3.6, Source.DERIVED)
    return Read(0.0, Source.DEFAULT)


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
    odd: list[tuple[str, str]] = [("oneway", tags.get("oneway", ""))] if odd_oneway else []
    lanes = lanes_of(tags, forward, backward, odd)
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
