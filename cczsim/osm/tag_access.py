"""Who may drive a way, and in which direction; numbers are the rules of :mod:`cczsim.osm.tags`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from cczsim.network.provenance import Source

DRIVABLE: Final = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
    "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential",
    "living_street", "road", "service",
)  # fmt: skip
NOT_YET: Final = ("construction", "proposed", "planned")
GONE: Final = ("abandoned", "disused", "razed", "demolished")
ACCESS_KEYS: Final = ("motorcar", "motor_vehicle", "vehicle", "access")
CLOSED: Final = frozenset(
    ("no", "private", "agricultural", "forestry", "emergency", "military", "restricted", "psv",
     "bus", "taxi", "foot", "bicycle", "horse", "hgv", "use_sidepath", "delivery", "permit")
)  # fmt: skip
WITH_WAY: Final = frozenset(("yes", "true", "1", "F"))
AGAINST_WAY: Final = frozenset(("-1", "reverse", "T"))
BOTH_WAYS: Final = frozenset(("no", "false", "0"))
EITHER_WAY: Final = frozenset(("reversible", "alternating"))
ONEWAY_KEYS: Final = ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway")
SIDES: Final = ("forward", "backward")
_SIDED: Final = tuple(f"{key}:{side}" for key in ACCESS_KEYS for side in SIDES)
_KEYS_OF: Final = {"": ACCESS_KEYS} | {
    side: tuple(f"{key}:{side}" for key in ACCESS_KEYS) for side in SIDES
}
USED_KEYS: Final = (
    "highway", "construction", "proposed", "planned", "abandoned", "disused", "area", "junction",
    "route", *ONEWAY_KEYS, *ACCESS_KEYS, *_SIDED,
)  # fmt: skip


def closed(value: str) -> bool:
    """Return whether a value of an access key keeps the public's cars out; all of a list must."""
    items = [item.strip() for item in value.split(";")]
    return all(item in CLOSED for item in items)


def deciding(tags: Mapping[str, str], side: str = "") -> str:
    """Return the most specific access key of a car that is given, ``""`` if none is (3)."""
    return next((key for key in _KEYS_OF[side] if key in tags), "")


def left_out(
    tags: Mapping[str, str], classes: Collection[str] = DRIVABLE, keep_closed: bool = False
) -> str:
    """Return why a way is no road for cars, ``""`` if it is one (rules 1 to 3, 12)."""
    value = tags.get("highway", "")
    if not value and tags.get("route") == "ferry":
        return "ferry"
    if value in NOT_YET:  # 1
        return f"{value} of {tags.get(value) or 'a road of unknown class'}"
    if value in GONE:
        return f"{value} road"
    if value not in classes:
        return "not among the classes taken"
    for key in ("abandoned", "disused"):
        if tags.get(key) == "yes":
            return f"{key} road"
    if tags.get("area") == "yes":  # 2
        return "area=yes, a surface"
    if keep_closed:
        return ""
    key = deciding(tags)  # 3
    if key and closed(tags[key]):
        return f"{key}={tags[key]}"
    if not any(_open_sides(tags, *_signed(tags)[:2])):
        return "closed in every direction that is open to traffic"
    return ""


def parse_direction(tags: Mapping[str, str]) -> tuple[bool, bool, Source, bool]:
    """Return whether a way is open forward and backward, the source, and whether it was odd.

    A way that is closed in both directions is said to be open in those that its signs allow;
    :func:`left_out` tells that it is closed.
    """
    forward, backward, source, odd = _signed(tags)
    ahead, back = _open_sides(tags, forward, backward)
    if (ahead, back) == (forward, backward) or not (ahead or back):
        return forward, backward, source, odd
    return ahead, back, Source.TAGGED, odd


def _signed(tags: Mapping[str, str]) -> tuple[bool, bool, Source, bool]:
    """Return what ``oneway`` and what implies it say (4 to 7)."""
    value = next((tags[key] for key in ONEWAY_KEYS if key in tags), "")
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


def _open_sides(tags: Mapping[str, str], forward: bool, backward: bool) -> tuple[bool, bool]:
    """Return which of two directions access by direction leaves open (13)."""
    shut = [bool(key) and closed(tags[key]) for key in (deciding(tags, side) for side in SIDES)]
    return forward and not shut[0], backward and not shut[1]
