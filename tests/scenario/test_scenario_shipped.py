"""The scenarios that come with the project can be read, and say what they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from cczsim.io.scenario_file import read_scenario
from cczsim.io.uncertainty_file import read_uncertainty

ROOT = Path(__file__).resolve().parent.parent.parent / "scenarios"
RANGES = "czt/unknown.toml"
FILES = sorted({p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*.toml")} - {RANGES})


def test_all_studies_are_there() -> None:
    assert {
        "czt/base-2020.toml", "czt/plan-2025.toml", "czt/density-only.toml", "czt/rail-only.toml",
        "czt/base-2020-crowded.toml", "czt/plan-2025-crowded.toml",
        "changsha-osm/base.toml", "changsha-osm/plan.toml", "porto-alegre/base.toml",
    } <= set(FILES)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_scenario_can_be_read(name: str) -> None:
    spec = read_scenario(ROOT / name)
    assert spec.title_zh
    assert Path(spec.network).is_dir()


def test_the_shipped_ranges_say_where_they_come_from() -> None:
    ranges = read_uncertainty(ROOT / RANGES)
    assert len(ranges) >= 5
    assert all(item.note for item in ranges.values())


def test_the_parts_of_the_plan_add_up_to_it() -> None:
    plan, density, rail = (
        read_scenario(ROOT / f"czt/{name}.toml").plain
        for name in ("plan-2025", "density-only", "rail-only")
    )
    assert plan["changes"] == rail["changes"] + density["changes"]
    names = ("plan-2025", "density-only", "rail-only")
    bases = {read_scenario(ROOT / f"czt/{name}.toml").compare_to for name in names}
    assert bases == {str(ROOT / "czt/base-2020.toml")}
