"""How much each rule of a convention moves a density: one rule changed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from cczsim.indicators.conventions import Convention, centreline_weight
from cczsim.indicators.density import area_density
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES

_RIM: Final = 2e-5
"""Degrees, about 2 m: streets this near to the edge of an area stand on it."""
_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "motorways": ("motorway",),
    "ramps": tuple(name for name in ROAD_CLASSES if name.endswith("_link")),
    "residential and living streets": ("residential", "living_street"),
    "service roads": ("service",),
    "roads of unknown class": ("road",),
    "unclassified roads": ("unclassified",),
    "local streets": ("tertiary",),
}


@dataclass(frozen=True)
class Variant:
    """A convention with one rule changed.

    Parameters
    ----------
    rule : str
        What is changed, in words; ``""`` for the convention itself.
    length : float
        m.
    size : float
        m2.
    """

    rule: str
    length: float
    size: float

    @property
    def density(self) -> float:
        """km/km2; NaN over no area."""
        return self.length / self.size * 1e3 if self.size > 0.0 else float("nan")


def _variants(rules: Convention) -> Iterator[tuple[str, Convention]]:
    for name, group in _GROUPS.items():
        own = tuple(c for c in group if c in rules.classes)
        if own:
            kept = tuple(c for c in rules.classes if c not in group)
            yield f"without {name}", replace(rules, classes=kept)
        else:
            yield f"with {name}", replace(rules, classes=(*rules.classes, *group))
    words = "carriageways apart" if rules.merged else "carriageways merged"
    yield words, replace(rules, merged=not rules.merged)
    words = "both directions as one" if rules.each_direction else "each direction apart"
    yield words, replace(rules, each_direction=not rules.each_direction)


def sensitivity(road: RoadNetwork, area: Any, rules: Convention) -> tuple[Variant, ...]:
    """Return the density by a convention, and by it with each of its rules changed.

    Rules that change nothing here are left out.

    Parameters
    ----------
    road : RoadNetwork
    area : shapely polygon, WGS-84
    rules : Convention
    """
    import shapely

    (_, length, size) = area_density(road, [("", area)], rules)[0]
    out = [Variant("", length, size)]
    weight = centreline_weight(road, rules)
    for words, changed in _variants(rules):
        if not np.array_equal(centreline_weight(road, changed), weight):
            out.append(Variant(words, area_density(road, [("", area)], changed)[0][1], size))
    for words, by in (("streets on the edge whole", _RIM), ("streets on the edge not", -_RIM)):
        moved = shapely.buffer(area, by, join_style="mitre")
        if not moved.is_empty:
            other = area_density(road, [("", moved)], rules)[0][1]
            if abs(other - length) > 1e-9 * max(length, 1.0):
                out.append(Variant(words, other, size))
    return tuple(out)
