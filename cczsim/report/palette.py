"""Colours of the map and the charts, each with the code that a column carries for it."""

from __future__ import annotations

from typing import Final

from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE, ROAD_CLASSES

BASE_COLOR: Final = "#a9b4bd"
SCENARIO_COLOR: Final = "#1f5f8b"
MODE_COLORS: Final = {
    "car": "#7d6b58", "park_ride": "#b07aa1", "transit": "#1f5f8b", "active": "#7aa974",
}  # fmt: skip

LOAD_LIMITS: Final = (0.5, 0.7, 0.85, 1.0)
_LOAD: Final = ("#6f9fc4", "#5aa88f", "#e6b422", "#e8702a", "#b2182b")
_DIFFERENCE: Final = ("#2166ac", "#c9c9c4", "#c2402f", "#7b2d8b")
_CLASSES: Final = ("#8c2d5a", "#c65b1e", "#d99a1b", "#5c7f3b", "#8d99a3")
_SOURCES: Final = ("#2f7d4f", "#6f9fc4", "#d99a1b", "#5b5f97", "#c2402f")
ZONE_COLORS: Final = ("#f3f1e6", "#d3e3cf", "#a5cdc0", "#6daeb5", "#3b86a3", "#245b83")

LINK_PALETTE: Final = (*_LOAD, *_DIFFERENCE, *_CLASSES, *_SOURCES)
LOAD_CODE: Final = 0
LESS, ALIKE, MORE, NEW = range(len(_LOAD), len(_LOAD) + len(_DIFFERENCE))
CLASS_CODE_FIRST: Final = NEW + 1
SOURCE_CODE: Final = CLASS_CODE_FIRST + len(_CLASSES)

CLASS_GROUPS: Final = ("motorway", "trunk", "primary", "secondary", "local")
_GROUP_OF: Final = {name: k for k, name in enumerate(CLASS_GROUPS)}
GROUP_OF_CLASS: Final = tuple(
    _GROUP_OF.get(name.removesuffix("_link"), len(CLASS_GROUPS) - 1) for name in ROAD_CLASSES
)
MINOR_FROM: Final = CLASS_CODE["tertiary"]
SOURCE_NAMES: Final = tuple(source.name.lower() for source in Source)
GENERATED_COLOR: Final = "#cbb48f"
LOCAL_COLOR: Final = "#b9c0c5"
NEW_COLOR: Final = LINK_PALETTE[NEW]
