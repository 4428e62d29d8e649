"""Targets of the plan that cannot be judged: their evidence, and names that mean nothing."""

from __future__ import annotations

import math

import pytest
from grid_case import grid

from cczsim.errors import ScenarioError
from cczsim.scenario.figures import check_targets, measure
from cczsim.scenario.keys import keys_of
from cczsim.scenario.provenance import key_assumptions
from cczsim.scenario.result import Assumption, RunResult
from cczsim.scenario.spec import DemandKeys, ScenarioSpec, spec_from
from tests.report.synthetic_run import make_run


def spec_of(shows: list[str], **more: object) -> ScenarioSpec:
    row = {"rule": "formed", "why": "no figure", "label": "Rails", "shows": shows}
    return spec_from(
        {
            "cczsim": 1, "title": "Plan", "network": "grid", "year": 2025,
            "not_modelled": {"rail": row}, **more,
        }
    )  # fmt: skip


def run(scenario: bool = False) -> RunResult:
    return make_run(scenario=scenario)


def test_evidence_holds_base_and_scenario_and_what_it_hangs_on() -> None:
    plan, base = run(scenario=True), run()
    given = (Assumption("demand.trip_rate", "2.33", "default"),)
    spec = spec_of(["boardings_metro", "mode_share_transit"])
    (row,) = measure(spec, plan.network, plan.equilibrium, base, given).targets
    assert (row.label, row.rule, row.why, row.met) == ("Rails", "formed", "no figure", None)
    assert [shown.key for shown in row.shows] == ["boardings_metro", "mode_share_transit"]
    assert row.shows[0].value == pytest.approx(150.0 * 1.15 * 24)
    assert math.isnan(row.shows[0].base)  # the synthetic base has boardings by line only
    assert row.shows[1].base == 20.0
    assert row.assumed == ("demand.trip_rate",)


def test_a_figure_that_does_not_exist_is_a_fault_like_that_of_a_target() -> None:
    spec = spec_of(["boardings_metro", "bordings"], targets={"mean_sped": ">= 3 km/h"})
    with pytest.raises(ScenarioError) as caught:
        check_targets(spec, grid())
    faults = caught.value.faults
    assert [fault.where.rpartition(": ")[2] for fault in faults] == [
        "targets.mean_sped", "not_modelled.rail.shows",
    ]  # fmt: skip
    assert "bordings" in faults[1].found
    assert "boardings" in faults[1].hint


def test_what_exists_passes_before_a_run() -> None:
    check_targets(spec_of(["boardings_metro", "population_central", "co2"]), grid())


def test_growth_by_area_is_among_what_was_assumed() -> None:
    plain = {"demand": {"population_growth": {"central": "6 %", "circle": "2 %"}}}
    keys = {f"demand.{name}": spec for name, spec in keys_of(DemandKeys).items()}
    rows = key_assumptions(plain, {"demand.population_growth": "plan.toml:3"}, keys)
    assert [(row.key, row.value, row.source) for row in rows] == [
        ("demand.population_growth", "central 6 %, circle 2 %", "scenario")
    ]  # fmt: skip
