"""Tags of a public transport route → mode, headway, name.

Rules, numbered in the code:

1. Lines are relations with ``type=route`` and a ``route`` in :data:`ROUTE_MODE`; ``maglev=yes`` on
   any of them makes it a maglev. Planned, disused and abandoned ones are left out, and so is
   :data:`NOT_MODELLED`. Other values of ``route`` are no public transport.
2. The headway is that of the first key of :func:`headway_keys` that can be read; ``headway`` is the
   older word for ``interval``. A span such as ``10-15`` counts as its mean.
   :data:`OFF` for the period itself, and ``by_night=only`` unless the period is the evening, say
   that the line does not run.
3. A value is minutes unless it says otherwise: ``10``, ``00:10``, ``00:10:00``, ``10 min``,
   ``PT10M``. Values under half a minute or above a day are not understood.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

ROUTE_MODE: Final = {
    "bus": "bus", "trolleybus": "bus", "coach": "bus", "minibus": "bus", "tram": "tram",
    "subway": "metro", "light_rail": "light_rail", "train": "rail", "monorail": "monorail",
    "maglev": "maglev", "ferry": "ferry",
}  # fmt: skip
NOT_MODELLED: Final = ("share_taxi", "funicular", "aerialway", "cable_car")
NOT_RUNNING: Final = ("proposed", "planned", "construction", "disused", "abandoned", "razed")
PERIODS: Final = {
    "peak": ("peak", "morning_peak", "evening_peak", "", "weekday", "day", "midday"),
    "midday": ("midday", "day", "offpeak", "off_peak", "", "weekday"),
    "evening": ("evening", "late_evening", "", "weekday"),
}
RUNS: Final = {"peak": ("peak", "morning_peak"), "midday": ("midday", "day"),
               "evening": ("evening",)}  # fmt: skip
OFF: Final = ("off", "no", "none", "-")
SHORTEST: Final = 30.0
LONGEST: Final = 86400.0
_ISO: Final = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$", re.ASCII)
_CLOCK: Final = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$", re.ASCII)
_PLAIN: Final = re.compile(
    r"^(\d+(?:\.\d+)?) ?(s|sec|seconds?|m|min|mins|minutes?|h|hours?)?\.?$", re.ASCII
)
_SPAN: Final = re.compile(r"^([^-–]+)[-–]([^-–]+)$")
_UNIT: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Headway(NamedTuple):
    """Seconds between vehicles: 0 where no tag says it, inf where none runs."""

    seconds: float
    key: str
    odd: tuple[str, ...]


def route_mode(tags: Mapping[str, str]) -> tuple[str, str]:
    """Return the mode of a route relation, and why it is left out, ``""`` if it is not (1)."""
    kind = tags.get("route", "")
    if kind in NOT_MODELLED:
        return "", f"route={kind} is not modelled"
    if kind not in ROUTE_MODE:
        return "", f"route={kind or 'nothing'} is no public transport"
    for state in NOT_RUNNING:
        if tags.get(state) == "yes" or tags.get("state") == state:
            return "", f"{state}, not running"
    return "maglev" if tags.get("maglev") == "yes" else ROUTE_MODE[kind], ""


def parse_interval(text: str) -> float | None:
    """Read a time between vehicles in seconds (3); None if it is not understood. Never raises."""
    text = text.strip()
    span = _SPAN.match(text)
    if span and not _ISO.match(text):  # 2
        ends = [_one_interval(part.strip()) for part in span.groups()]
        known = [end for end in ends if end is not None]
        return sum(known) / 2 if len(known) == 2 else None
    return _one_interval(text)


def _one_interval(text: str) -> float | None:
    if match := _ISO.match(text.upper()) or _CLOCK.match(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        value = 3600.0 * hours + 60.0 * minutes + seconds
    elif match := _PLAIN.match(text.lower()):
        value = float(match[1]) * _UNIT[(match[2] or "m")[0]]
    else:
        return None
    return value if SHORTEST <= value <= LONGEST else None


def headway_keys(period: str) -> list[str]:
    """Return the keys that may say the headway of a period, the most particular first."""
    return [
        f"{word}:{part}" if part else word
        for part in PERIODS[period]
        for word in ("interval", "headway")
    ]


def read_headway(tags: Mapping[str, str], period: str = "peak") -> Headway:
    """Return the headway that the tags of a route give for a period (2)."""
    if tags.get("by_night") == "only" and period != "evening":
        return Headway(math.inf, "by_night=only", ())
    odd: list[str] = []
    for key in headway_keys(period):
        if key in tags:
            own = key.partition(":")[2] in RUNS[period]
            if own and tags[key].strip().lower() in OFF:
                return Headway(math.inf, f"{key}={tags[key]}", ())
            seconds = parse_interval(tags[key])
            if seconds is not None:
                return Headway(seconds, key, tuple(odd))
            odd.append(f"{key}={tags[key]}")
    return Headway(0.0, "", tuple(odd))


def color_of(tags: Mapping[str, str]) -> str:
    """Return the colour of a line as ``#rrggbb``, ``""`` if it has none that is."""
    text = tags.get("colour", "").strip().lower()
    return text if re.fullmatch(r"#[0-9a-f]{6}", text) else ""


def label_of(tags: Mapping[str, str]) -> str:
    """Return what passengers call a line."""
    return tags.get("ref") or tags.get("name") or ""


def group_labels(groups: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Return a label for each group of mode, network and label.

    Lines of one label in two networks or modes get these behind it.
    """
    groups = sorted(set(groups))
    of_label: dict[str, list[tuple[str, str, str]]] = {}
    for group in groups:
        of_label.setdefault(group[2], []).append(group)
    out = {}
    for label, own in of_label.items():
        for group in own:
            mode, network, _ = group
            same_mode = [other for other in own if other[0] == mode]
            more = [] if len(own) == 1 else [mode] if len(same_mode) == 1 else [mode, network]
            out[group] = f"{label} ({', '.join(part for part in more if part)})" if more else label
    return out
