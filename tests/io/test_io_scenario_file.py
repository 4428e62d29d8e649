"""Scenario files: merged in order, resolved with sources, explained."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from cczsim.errors import CczsimError, InputError
from cczsim.io.scenario_docs import all_keys, explain_key, json_schema, resolved_toml
from cczsim.io.scenario_file import read_scenario
from cczsim.scenario.change_spec import Growth, Links

BASE = """cczsim = 1
title = "Base"
title_zh = "基年"
network = "net"
year = 2020
[assignment]
relative_gap = 1e-3
max_iterations = 7
[[changes]]
kind = "growth"
population = { central = "3 %" }
"""
PLAN = """cczsim = 1
title = "Plan"
extends = "../base.toml"
compare_to = "../base.toml"
year = 2025
[assignment]
relative_gap = 1e-5
[[changes]]
kind = "links"
select = { name = "芙蓉大道" }
expect = { links = ">= 2", speed = "50 km/h" }
set = { speed = "60 km/h" }
cost = "1.2e9 CNY"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    (tmp_path / "sub/plan.toml").write_text(PLAN, encoding="utf-8")
    return tmp_path


def test_extends_merges_tables_and_appends_changes(folder: Path) -> None:
    spec = read_scenario(folder / "sub/plan.toml")
    assert spec.name == "plan"
    assert spec.year == 2025
    assert spec.title_zh is None
    assert (spec.assignment.relative_gap, spec.assignment.max_iterations) == (1e-5, 7)
    assert [change.kind for change in spec.changes] == ["growth", "links"]
    assert isinstance(spec.changes[0], Growth)
    assert spec.changes[0].population == {"central": pytest.approx(0.03)}
    assert isinstance(spec.changes[1], Links)
    assert spec.changes[1].cost == 1.2e9
    assert Path(spec.network) == folder / "net"
    assert spec.origins["year"].endswith("plan.toml:5")
    assert spec.origins["changes[1].population"].endswith("base.toml:11")
    assert spec.origins["changes[2].set.speed"].endswith("plan.toml:12")
    assert spec.origins["tolerances.lost_demand"] == "default"


def test_words_that_are_replaced_take_their_translation_with_them(folder: Path) -> None:
    target = '\n[not_modelled.rail]\nlabel = "rails"\nlabel_zh = "轨道"\nrule = "formed"\n'
    base, plan = folder / "base.toml", folder / "sub/plan.toml"
    base.write_text(
        BASE + target + 'rule_zh = "形成"\nwhy = "no figure"\nshows = "boardings"\n',
        encoding="utf-8",
    )
    plan.write_text(PLAN + '\n[not_modelled.rail]\nlabel = "tracks"\n', encoding="utf-8")
    row = read_scenario(plan).not_modelled["rail"]
    assert (row.label, row.label_zh, row.rule_zh) == ("tracks", None, "形成")
    assert row.shows == ("boardings",)


def test_changes_of_the_base_can_be_left_out(folder: Path) -> None:
    path = folder / "sub/plan.toml"
    path.write_text(PLAN.replace("year", "changes_from_base = false\nyear"), encoding="utf-8")
    assert [change.kind for change in read_scenario(path).changes] == ["links"]


def test_resolved_scenario_says_the_same_again(folder: Path) -> None:
    spec = read_scenario(folder / "sub/plan.toml")
    out = folder / "results" / "plan"
    out.mkdir(parents=True)
    text = resolved_toml(spec, out)
    (out / "plan.toml").write_text(text, encoding="utf-8")
    again = read_scenario(out / "plan.toml")
    assert again.changes == spec.changes
    assert again.assignment == spec.assignment
    assert Path(again.network).resolve() == Path(spec.network).resolve()
    assert resolved_toml(again, out).splitlines()[2].startswith("cczsim = 1")
    assert tomllib.loads(resolved_toml(again, out)) == tomllib.loads(text)
    assert str(folder) not in text
    gap = next(line for line in text.splitlines() if line.startswith("relative_gap"))
    assert gap == "relative_gap = 1e-05  # plan.toml:7"
    lost = next(line for line in text.splitlines() if line.startswith("lost_demand"))
    assert lost == 'lost_demand = "0.1 %"  # default; assumed'


def test_real_inputs_are_found_by_their_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "base.toml"
    path.write_text(BASE.replace('"net"', '"${CCZSIM_DATA}/net"'), encoding="utf-8")
    monkeypatch.setenv("CCZSIM_DATA", str(folder))
    spec = read_scenario(path)
    assert Path(spec.network) == folder / "net"
    assert "${CCZSIM_DATA}/net" in resolved_toml(spec, folder)
    monkeypatch.delenv("CCZSIM_DATA")
    with pytest.raises(CczsimError, match="CCZSIM_DATA is not set"):
        read_scenario(path)


def test_every_key_is_explained_and_in_the_schema() -> None:
    keys = dict(all_keys())
    assert {"year", "assignment.relative_gap", "changes.links.select.name"} <= set(keys)
    for path, spec in keys.items():
        text = explain_key(path)
        assert spec.meaning in text
        assert "since" in text
    schema = json_schema()
    json.dumps(schema)
    assert set(schema["properties"]) == {path for path in keys if "." not in path}
    assert schema["additionalProperties"] is False
    with pytest.raises(InputError, match=r"did you mean .*relative_gap"):
        explain_key("assignment.relativ_gap")


def test_defaults_of_all_keys_can_be_read(folder: Path) -> None:
    path = folder / "small.toml"
    path.write_text('cczsim = 1\ntitle = "T"\nnetwork = "net"\nyear = 2020\n', encoding="utf-8")
    spec = read_scenario(path)
    assert spec.assignment.relative_gap == 1e-4
    assert spec.tolerances.lost_demand == pytest.approx(0.001)
