"""Values of tags with numbers in them: speeds, lanes, widths.

Numbers in the code are the rules of :mod:`cczsim.osm.tags`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from cczsim.network.provenance import Source

MOST_LANES: Final = 12
SPEED_RANGE_KMH: Final = (1.0, 160.0)
WALK_KMH: Final = 5.0
NO_LIMIT_KMH: Final = 120.0
# By the part behind the colon, where the country is not in the table below.
ZONE_KMH: Final[Mapping[str, float]] = {
    "urban": 50.0, "rural": 80.0, "trunk": 100.0, "motorway": 120.0, "living_street": 20.0,
    "pedestrian_zone": 5.0, "school": 30.0, "walk": WALK_KMH, "bicycle_road": 30.0,
    "zone10": 10.0, "zone20": 20.0, "zone30": 30.0, "zone40": 40.0, "zone50": 50.0,
}  # fmt: skip
# urban, rural, trunk, motorway. China's are of the Regulations for the Implementation of the Road
# Traffic Safety Law, art. 45 (one lane a direction 50 in cities and 70 outside) and 78 (motorways
# 120), trunk by CJJ 37; the others are from memory of the wiki's page "Default speed limits".
COUNTRY_KMH: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "CN": (50, 70, 80, 120), "DE": (50, 100, 100, NO_LIMIT_KMH), "AT": (50, 100, 100, 130),
    "CH": (50, 80, 100, 120), "FR": (50, 80, 110, 130), "IT": (50, 90, 110, 130),
    "ES": (50, 90, 90, 120), "PT": (50, 90, 100, 120), "BE": (50, 90, 120, 120),
    "NL": (50, 80, 100, 100), "PL": (50, 90, 100, 140), "CZ": (50, 90, 110, 130),
    "SK": (50, 90, 90, 130), "HU": (50, 90, 110, 130), "RO": (50, 90, 100, 130),
    "DK": (50, 80, 80, 130), "SE": (50, 70, 70, 110), "NO": (50, 80, 80, 80),
    "FI": (50, 80, 80, 120), "EE": (50, 90, 90, 90), "LV": (50, 90, 90, 90),
    "LT": (50, 90, 90, 130), "RU": (60, 90, 90, 110), "UA": (50, 90, 90, 130),
    "BY": (60, 90, 90, 110), "GR": (50, 90, 110, 130), "TR": (50, 90, 110, 130),
}  # fmt: skip
_MPH: Final = 1.609344
# The national speed limits of Britain.
BRITISH_KMH: Final[Mapping[str, float]] = {
    "nsl_restricted": 30 * _MPH, "nsl_single": 60 * _MPH, "nsl_dual": 70 * _MPH,
    "motorway": 70 * _MPH, "urban": 30 * _MPH, "rural": 60 * _MPH, "trunk": 70 * _MPH,
    "zone20": 20 * _MPH, "zone30": 30 * _MPH,
}  # fmt: skip
_PART: Final = {"urban": 0, "rural": 1, "trunk": 2, "motorway": 3}
_SPEED: Final = re.compile(r"^(\d{1,3}(?:\.\d{1,2})?) ?(km/h|kmh|kph|mph|knots)?$", re.ASCII)
_LANES: Final = re.compile(r"^\d{1,2}(?:\.\d)?$", re.ASCII)
_WIDTH: Final = re.compile(r"^(\d{1,3}(?:\.\d{1,2})?) ?(m|ft)?$", re.ASCII)
_FEET: Final = re.compile(r"^(\d{1,3})'(?: ?(\d{1,2})\")?$", re.ASCII)
_UNIT_KMH: Final = {"mph": _MPH, "knots": 1.852}
_FOOT: Final = 0.3048


class Read(NamedTuple):
    """A value and where it comes from."""

    value: float
    source: Source


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
    if text != "walk" and ":" not in text:
        return None
    zone = zone_kmh(text)
    return None if zone is None else Read(zone / 3.6, Source.DERIVED)


def zone_kmh(text: str) -> float | None:
    """Return the limit of a zone such as ``CN:urban``, ``DE:zone:30`` or ``GB:nsl_dual``."""
    country, _, rest = text.rpartition(":")
    country = country.split(":")[0].split("-")[0].upper()
    zone = f"zone{rest}" if rest.isdecimal() else rest
    if country in ("GB", "UK"):
        return BRITISH_KMH.get(zone, ZONE_KMH.get(zone))
    if country in COUNTRY_KMH and zone in _PART:
        return COUNTRY_KMH[country][_PART[zone]]
    return ZONE_KMH.get(zone)


def parse_lanes(text: str) -> Read | None:
    """Read a number of lanes (rule 9); None where it is not understood. Never raises."""
    items = [item.strip() for item in text.split(";")]
    if not all(_LANES.match(item) for item in items):
        return None
    values = [float(item) for item in items]
    if not all(0 < value <= MOST_LANES for value in values):
        return None
    return Read(min(values), Source.TAGGED if len(values) == 1 else Source.DERIVED)


def parse_width(text: str) -> float | None:
    """Read a width in metres; None where it is not understood. Never raises."""
    if match := _WIDTH.match(text.strip()):
        return float(match[1]) * (_FOOT if match[2] == "ft" else 1.0)
    if match := _FEET.match(text.strip()):
        return (float(match[1]) + float(match[2] or 0) / 12) * _FOOT
    return None
