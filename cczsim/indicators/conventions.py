"""Named conventions of road density: what counts, how often, and over which area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import IndicatorError
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR, ROAD_CLASSES

BUILT_UP: Final = "built-up"
WHOLE: Final = "whole area"


@dataclass(frozen=True)
class Convention:
    """The rules by which a density is measured.

    Parameters
    ----------
    name : str
    title : str
        One line for people.
    classes : tuple of str
        Road classes that count.
    merged : bool
        Whether two carriageways of one road count as one.
    each_direction : bool
        Whether the two directions of a street count apart.
    denominator : str
        ``built-up`` (falls back to the whole area where no built-up area is known) or
        ``whole area``.
    source : str
    """

    name: str
    title: str
    classes: tuple[str, ...]
    merged: bool
    each_direction: bool
    denominator: str
    source: str

    def __post_init__(self) -> None:
        unknown = set(self.classes) - set(ROAD_CLASSES)
        if unknown:
            raise IndicatorError.of(
                f"convention {self.name}", ", ".join(sorted(unknown)), "road classes"
            )


_URBAN: Final = ("trunk", "primary", "secondary", "tertiary", "unclassified")
_HOMES: Final = ("residential", "living_street")
_DRIVABLE: Final = tuple(
    name for name in ROAD_CLASSES if name not in ("connector", "track", "busway", "other")
)

CONVENTIONS: Final[dict[str, Convention]] = {
    item.name: item
    for item in (
        Convention(
            "cn-urban",
            "Centrelines of expressways, arterials, secondary and local streets in the built-up "
            "area; no motorways, ramps, service roads or roads inside compounds",
            _URBAN, merged=True, each_direction=False, denominator=BUILT_UP,
            source="GB 50220 and GB/T 51328 practice, as MODEL.md states it",
        ),
        Convention(
            "cn-urban-with-residential",
            "As cn-urban, with residential and living streets",
            _URBAN + _HOMES, merged=True, each_direction=False, denominator=BUILT_UP,
            source="upper reading of the urban standard, where compounds are open streets",
        ),
        Convention(
            "osm-all-drivable",
            "Every drivable way with motorways, ramps and service roads; each carriageway counts",
            _DRIVABLE, merged=False, each_direction=False, denominator=WHOLE,
            source="a plain sum over mapped ways",
        ),
        Convention(
            "osmnx-edge",
            "Every drivable way, each direction and carriageway apart",
            _DRIVABLE, merged=False, each_direction=True, denominator=WHOLE,
            source="edge_density of OSMnx's basic_stats on a directed graph",
        ),
    )
}  # fmt: skip


def convention(name: str) -> Convention:
    """Return a convention by name.

    Raises
    ------
    IndicatorError
        No convention has that name.
    """
    if name not in CONVENTIONS:
        raise IndicatorError.of("convention", repr(name), "one of " + ", ".join(CONVENTIONS))
    return CONVENTIONS[name]


def centreline_weight(road: RoadNetwork, rules: Convention) -> Array:
    """Return how much of each directed link's length counts, ``[link]``, 0 to 1.

    A two-way street is two links: each counts half unless directions count apart. Where
    carriageways are merged, a link of a dual carriageway counts half again.
    """
    counted = np.zeros(len(ROAD_CLASSES), dtype=bool)
    counted[[CLASS_CODE[name] for name in rules.classes]] = True
    counted[CONNECTOR] = False
    weight = counted[road.road_class].astype(np.float64)
    if not rules.each_direction:
        weight[road.reverse_link != NO_LINK] *= 0.5
    if rules.merged:
        weight[road.dual_carriageway] *= 0.5
    return weight
