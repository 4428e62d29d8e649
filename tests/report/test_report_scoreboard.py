from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from cczsim.indicators.indicator import Indicator
from cczsim.report.answer import answer
from cczsim.report.figures import DASH
from cczsim.report.scoreboard import (
    assumption_lines,
    rule_words,
    scoreboard,
    target_counts,
)
from cczsim.report.tables import Figures
from cczsim.report.text import Both
from cczsim.scenario.result import AppliedChange, Assumption, RunResult


def figures_of(run: RunResult, base: RunResult | None, comparison: object = None) -> Figures:
    return Figures.of(run, base, comparison)


def test_scoreboard_tells_met_missed_and_unknown(plan_run: RunResult, base_run: RunResult) -> None:
    rows = scoreboard(figures_of(plan_run, base_run))
    assert [row.state for row in rows] == ["met", "missed", "unknown", "unknown"]
    assert rows[0].label.zh == "路网密度 · 中心区 · 中国城市道路标准"
    assert rows[0].rule == Both("≥ 7 km/km²", "≥ 7 km/km²")
    assert rows[1].label.en == "Time to the airport · car · central zone"
    assert rows[2].label.en == "gdp"
    assert rows[0].margin == "+0.015"
    assert rows[2].margin == rows[2].value == DASH
    assert target_counts(rows).en == (
        "Targets of the plan: 1 met, 1 missed, 2 that this model cannot judge."
    )
    assert not target_counts(())


def test_a_target_that_cannot_be_judged_says_why_and_shows_figures(
    plan_run: RunResult, base_run: RunResult
) -> None:
    row = scoreboard(figures_of(plan_run, base_run))[3]
    assert row.label == Both("Rails", "轨道")
    assert row.rule == Both("formed", "基本形成")
    assert row.why == Both("no figure", "没有数值")
    assert [line.label.en for line in row.shows] == ["Boardings · M1", "CO₂"]
    assert (row.shows[0].base, row.shows[0].cell.value) == ("3,600", "4,140")
    assert [line.cell.change for line in row.shows] == ["+540", "\u22122.8"]


def test_what_a_figure_hangs_on_is_said_in_words_and_leads_to_its_row(
    plan_run: RunResult, base_run: RunResult
) -> None:
    lines = assumption_lines(plan_run)
    rows = scoreboard(figures_of(plan_run, base_run))
    assert rows[0].assumed == ((Both("value of time", "时间价值"), lines[0].anchor),)
    assert lines[0].key == "demand.value_of_time"
    assert lines[0].source.zh == "缺省"


def test_an_assumption_that_is_not_in_the_list_has_no_link(plan_run: RunResult) -> None:
    bare = replace(plan_run, assumptions=())
    assert scoreboard(figures_of(bare, None))[0].assumed == (
        (Both("demand.value_of_time", "demand.value_of_time"), ""),
    )


def test_assumptions_are_translated_and_only_the_first_of_a_key_has_an_id(
    plan_run: RunResult,
) -> None:
    given = (
        Assumption("network", "The local streets are generated.", "recipe", "said by the network"),
        Assumption("network", "another", "recipe"),
        Assumption("targets.rail", "formed", "not modelled", "no figure"),
        Assumption("demand.trip_rate", "2.33", "default; assumed; a survey", "trips"),
    )
    lines = assumption_lines(replace(plan_run, assumptions=given))
    assert [bool(line.anchor) for line in lines] == [True, False, True, True]
    assert lines[0].value.zh == "地方街道为生成。"
    assert lines[0].why.zh == "路网自身说明"
    assert lines[2].name == Both("Rails", "轨道")
    assert (lines[2].value.zh, lines[2].why.zh) == ("基本形成", "没有数值")
    assert lines[3].source == Both("default; assumed; a survey", "缺省；假定；a survey")


@pytest.mark.parametrize(
    ("rule", "shown"),
    [(">= 7 km/km2", "≥ 7 km/km²"), ("<= 45 min", "≤ 45 min"), ("13 million", "13 million"),
     ("== 3", "= 3")],
)  # fmt: skip
def test_rules_are_printed_with_their_signs(rule: str, shown: str) -> None:
    assert rule_words(rule) == shown


def sentences(run: RunResult, base: RunResult | None, comparison: object = None) -> list[Both]:
    figures = figures_of(run, base, comparison)
    return answer(figures, scoreboard(figures), comparison)


def test_the_answer_names_targets_travel_riders_and_the_gaps(
    plan_run: RunResult, base_run: RunResult
) -> None:
    comparison = SimpleNamespace(rows=(), noise_a=1e-4, noise_b=2e-4)
    told = sentences(plan_run, base_run, comparison)
    english = " ".join(line.en for line in told)
    assert "7.01 km/km² (base 6.10); the target of ≥ 7 km/km² is met" in english
    assert "is MISSED" in english
    assert "31.0 min (base 31.0, ±0) on average" in english
    assert "Congestion is 3.90 min (base 3.90, ±0)" in english
    assert "by transit: 23.0 % (base 20.0, +3.0)" in english
    assert "larger than what the solver's gaps can explain (about 0.03 % of a figure)" in english
    assert all(line.zh and line.zh != line.en for line in told)


def test_the_answer_marks_what_the_gaps_can_explain(
    plan_run: RunResult, base_run: RunResult
) -> None:
    row = SimpleNamespace(key="delay_hours", by={"area": "all"}, explained_by_gap=True)
    told = sentences(plan_run, base_run, SimpleNamespace(rows=(row,)))
    assert "≈ \u2212161" in " ".join(line.en for line in told)
    assert told[-1].en.startswith("≈ marks differences")
    assert "Delay" in told[-1].en
    assert "not worked out" in sentences(plan_run, base_run)[-1].en


def test_the_answer_says_so_where_nothing_differs(plan_run: RunResult) -> None:
    comparison = SimpleNamespace(rows=(), noise_a=1e-4, noise_b=2e-4)
    told = sentences(plan_run, plan_run, comparison)
    assert told[-1].en == "None of these figures differs from the base."
    assert "larger than" not in " ".join(line.en for line in told)


def test_the_answer_without_a_base_compares_nothing(base_run: RunResult) -> None:
    english = " ".join(line.en for line in sentences(base_run, None))
    assert "(base" not in english
    assert "gaps" not in english


def test_growth_and_changes_are_said_to_act_together(
    plan_run: RunResult, base_run: RunResult
) -> None:
    zones = plan_run.network.zones
    assert zones is not None
    grown = replace(
        plan_run,
        network=plan_run.network.replace(zones=zones.replace(population=1.1 * zones.population)),
        changes=(AppliedChange(1, "road_density", "", {"km added": 12.0}),),
    )
    english = " ".join(line.en for line in sentences(grown, base_run))
    assert "Residents inside the cordon: +10.0 %." in english
    assert "joint effect of this growth and of the changes to the network (1)" in english
    assert "The 12.0 km of streets" in english


def test_a_run_of_few_figures_has_a_short_answer(plan_run: RunResult) -> None:
    bare = replace(plan_run, targets=(), changes=(), indicators=(Indicator("energy", 1.0, "GJ/h"),))
    assert sentences(bare, None) == []
