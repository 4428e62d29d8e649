"""Tags of a turn restriction → what it says to a car.

Rules, numbered in the code; they follow the OpenStreetMap wiki, *Relation:restriction*:

1. The most specific of ``restriction:motorcar``, ``restriction:motor_vehicle``,
   ``restriction:vehicle`` and ``restriction`` decides. With none of them, a restriction of other
   vehicles (``restriction:hgv``, or the old ``type=restriction:hgv``) is refused.
2. ``except`` with one of :data:`CAR` lets cars pass: refused.
3. A value that begins with ``no_`` forbids the way from *from* to *to*; one with ``only_`` forbids
   every other way that begins on *from*. Lists are read if all of their values begin alike.
4. What holds at certain times only is refused, since the modelled hour is no hour of the clock:
   ``…:conditional`` where nothing unconditional stands beside it, and the old tags in
   :data:`TIMES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

CAR: Final = ("motorcar", "motor_vehicle", "vehicle")
TIMES: Final = ("day_on", "day_off", "hour_on", "hour_off", "date_on", "date_off", "time")
USED_KEYS: Final = (
    "type", "restriction", "except", *(f"restriction:{vehicle}" for vehicle in CAR),
)  # fmt: skip


class TurnRule(NamedTuple):
    """What a restriction says; ``reason`` is why it is refused, ``""`` if it is not."""

    form: Literal["no", "only", ""]
    kind: str
    """The value, such as ``no_left_turn``."""
    reason: str


def is_restriction(tags: Mapping[str, str]) -> bool:
    """Return whether a relation is a turn restriction."""
    return tags.get("type", "").split(":")[0] == "restriction"


def read_restriction(tags: Mapping[str, str]) -> TurnRule:
    """Return what the tags of a restriction say; never raises."""
    keys = [*(f"restriction:{vehicle}" for vehicle in CAR), "restriction"]
    own_type = tags.get("type", "").partition(":")[2]
    if own_type and own_type not in CAR:
        return TurnRule("", tags.get("restriction", ""), f"for {own_type} only")  # 1
    kind = next((tags[key].strip() for key in keys if key in tags), "")
    if not kind:
        return TurnRule("", "", _without_value(tags, keys))
    excepted = [item.strip() for item in tags.get("except", "").split(";")]
    for vehicle in CAR:  # 2
        if vehicle in excepted:
            return TurnRule("", kind, f"except={vehicle}: cars are let through")
    forms = {item.strip().split("_")[0] for item in kind.split(";")}
    form = forms.pop() if len(forms) == 1 else ""
    if form not in ("no", "only") or "_" not in kind:
        return TurnRule("", kind, f"restriction={kind}: not understood")
    for key in TIMES:  # 4
        if key in tags:
            return TurnRule("", kind, f"at certain times only ({key})")
    return TurnRule("only" if form == "only" else "no", kind, "")  # 3


def _without_value(tags: Mapping[str, str], keys: list[str]) -> str:
    if any(f"{key}:conditional" in tags for key in keys):
        return "at certain times only (conditional)"  # 4
    others = sorted(
        key.split(":")[1] for key in tags if key.startswith("restriction:") and key not in keys
    )
    if others:
        return f"for {', '.join(dict.fromkeys(others))} only"  # 1
    return "no restriction tag"
