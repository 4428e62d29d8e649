"""What lies under a network: water, green, and their names; generated streets keep out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cczsim.columns import Array, Columns, column

KINDS: Final = ("water", "green")


@dataclass(frozen=True, eq=False)
class Backdrop(Columns):
    """Areas that a map shows at its bottom.

    Raises
    ------
    ColumnError
        A column breaks its rule.
    """

    kind: Array = column("area", "text", "", "what lies there: water, green or another word")
    polygon: Array = column("area", "object", "", "shapely polygon of the area, WGS-84")
    area_name: Array = column("area", "text", "", "name of the area", default="")
    area_name_en: Array = column("area", "text", "", "its name in English", default="")
