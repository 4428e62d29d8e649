"""Write docs/DATA.md from the declared columns: ``python docs/make_data.py``."""

from __future__ import annotations

from pathlib import Path

from cczsim.assignment.result import Unreachable
from cczsim.columns import Columns, ColumnSpec
from cczsim.network.backdrop import Backdrop
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CHINESE_NAME, ROAD_CLASSES
from cczsim.network.transit import MODES, TransitNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import TIER_NAME_ZH, TIERS, ZoneSystem
from cczsim.osm.class_table import ClassTable
from cczsim.osm.extract import OsmExtract

OBJECTS: tuple[type[Columns], ...] = (
    RoadNetwork,
    Turns,
    ZoneSystem,
    TransitNetwork,
    Backdrop,
    OsmExtract,
    ClassTable,
    Unreachable,
)


def rule(spec: ColumnSpec) -> str:
    """Return the bounds of a column in words."""
    parts = []
    if spec.low is not None:
        parts.append(f"≥ {spec.low:g}")
    if spec.above is not None:
        parts.append(f"> {spec.above:g}")
    if spec.high is not None:
        parts.append(f"≤ {spec.high:g}")
    if spec.index_of:
        parts.append(f"row of {spec.index_of}")
    if spec.nan_allowed:
        parts.append("NaN: not known")
    if spec.inf_allowed:
        parts.append("inf: forbidden")
    return ", ".join(parts)


def document() -> str:
    """Return the whole page."""
    lines = [
        "# Data dictionary",
        "",
        (
            "Made from the columns that the code declares, by `python docs/make_data.py`; "
            "a test keeps it true. Columns that share a dimension have the same length; "
            "`x+1` marks offsets into a ragged dimension. A built network is stored as one Parquet "
            "file a dimension with these names."
        ),
    ]
    for cls in OBJECTS:
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"## {cls.__name__}", "", summary, ""]
        lines += [
            "| column | dimension | type | unit | meaning | rule |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {s.dim} | {s.dtype} | {s.unit} | {s.meaning} | {rule(s)} |"
            for name, s in cls.specs().items()
        ]
    lines += ["", "## Codes", "", "| code | road class | 中文 |", "|---|---|---|"]
    lines += [f"| {i} | `{name}` | {CHINESE_NAME[name]} |" for i, name in enumerate(ROAD_CLASSES)]
    lines += ["", "| code | tier | 中文 |", "|---|---|---|"]
    lines += [f"| {i} | `{name}` | {TIER_NAME_ZH[name]} |" for i, name in enumerate(TIERS)]
    lines += ["", "| code | transit mode |", "|---|---|"]
    lines += [f"| {i} | `{name}` |" for i, name in enumerate(MODES)]
    lines += [
        "",
        (
            "Provenance (`*_source`): 0 tagged, 1 derived, 2 default, 3 user, 4 generated; "
            "2 and 4 are guesses and are reported as such."
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("DATA.md").write_text(document(), encoding="utf-8")
