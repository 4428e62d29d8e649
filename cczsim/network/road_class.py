"""Road classes: OpenStreetMap's names, with the Chinese urban standard's beside them."""

from __future__ import annotations

from typing import Final

ROAD_CLASSES: Final[tuple[str, ...]] = (
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "road",
    "service",
    "track",
    "busway",
    "connector",
    "other",
)
CLASS_CODE: Final[dict[str, int]] = {name: code for code, name in enumerate(ROAD_CLASSES)}
CONNECTOR: Final = CLASS_CODE["connector"]
OTHER: Final = CLASS_CODE["other"]

# 高速公路 are no urban roads; 快速路 are mapped as trunk, 主干路 as primary, 次干路 as secondary,
# 支路 as tertiary, unclassified or residential.
CHINESE_NAME: Final[dict[str, str]] = {
    "motorway": "高速公路",
    "motorway_link": "高速公路匝道",
    "trunk": "快速路",
    "trunk_link": "快速路匝道",
    "primary": "主干路",
    "primary_link": "主干路匝道",
    "secondary": "次干路",
    "secondary_link": "次干路匝道",
    "tertiary": "支路",
    "tertiary_link": "支路匝道",
    "unclassified": "支路(未分级)",
    "residential": "街巷",
    "living_street": "生活街道",
    "road": "未知等级道路",
    "service": "内部道路",
    "track": "机耕路",
    "busway": "公交专用路",
    "connector": "小区连线",
    "other": "其他",
}
URBAN_STREETS: Final = (
    "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link",
    "unclassified", "residential", "living_street", "road",
)  # fmt: skip
"""Streets with junctions at grade: neither expressways nor what is no public street."""
