from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic_run import make_run

from cczsim.assignment.result import Status
from cczsim.report.embed import script_json
from cczsim.report.page import POLICY, change_lines, ledger_lines, render
from cczsim.report.text import Both
from cczsim.scenario.compare import Apart
from cczsim.scenario.result import RunResult

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&{{7*7}}"


class Elements(HTMLParser):
    """Collects elements with their attributes, and the texts of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")
            self.open += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self.open -= 1

    def handle_data(self, data: str) -> None:
        if self.open:
            self.scripts[-1] += data


def elements(page: str) -> Elements:
    parser = Elements()
    parser.feed(page)
    parser.close()
    return parser


@pytest.fixture(scope="module")
def page(plan_run: RunResult, base_run: RunResult) -> str:
    return render(plan_run, base_run, None, "en")


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', page)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_the_same_results_give_the_same_page(page: str) -> None:
    again = render(make_run(scenario=True), make_run(), None, "en")
    assert again == page


def test_the_other_language_differs_in_the_first_state_only(
    page: str, plan_run: RunResult, base_run: RunResult
) -> None:
    chinese = render(plan_run, base_run, None, "zh")
    assert '<html lang="zh">' in chinese
    assert data_of(chinese) == data_of(page)
    assert "<title>方案:新增一条道路" in chinese
    for words in ("The answer", "结论", "Scoreboard of the plan", "规划目标记分板"):
        assert words in page
        assert words in chinese


def test_nothing_on_the_page_is_fetched(page: str) -> None:
    parsed = elements(page)
    policies = [a["content"] for tag, a in parsed.found if a.get("http-equiv")]
    assert policies == [POLICY]
    assert "unsafe-eval" not in POLICY
    for tag, attributes in parsed.found:
        assert tag not in {"link", "iframe", "object", "embed", "img", "base"}
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert tag == "a"
            assert str(attributes["href"]).startswith("#")
    assert "@import" not in page
    assert not re.search(r"url\(\s*['\"]?https?:", page)


def test_names_cannot_break_out_of_the_page() -> None:
    hostile = make_run(scenario=True, hostile=HOSTILE)
    page = render(hostile, make_run(hostile=HOSTILE), None, "en")
    plain = elements(render(make_run(scenario=True), make_run(), None, "en"))
    parsed = elements(page)
    tags = [[tag for tag, _ in page.found if tag != "span"] for page in (parsed, plain)]
    assert tags[0] == tags[1]
    assert len(parsed.scripts) == len(plain.scripts)
    assert "<img" not in "".join(re.findall(r"<body>.*?<script", page, re.DOTALL))
    map_words = data_of(page)["map"]
    assert isinstance(map_words, dict)
    assert HOSTILE in map_words["names"]
    assert "49" not in "".join(a.get("title") or "" for _, a in parsed.found)


def test_script_json_has_no_markup_and_reads_back() -> None:
    value = {"a": ["</script>", "<!--", "&", "\u2028", "中"]}
    dumped = str(script_json(value))
    assert not set("<>&\u2028") & set(dumped)
    assert json.loads(dumped) == value
    with pytest.raises(ValueError, match="Out of range"):
        script_json([float("nan")])


def test_every_plot_has_its_place_and_every_place_its_plot(page: str) -> None:
    places = {
        str(a["id"]).removeprefix("plot-")
        for _, a in elements(page).found
        if str(a.get("id", "")).startswith("plot-")
    }
    plots = data_of(page)["plots"]
    assert isinstance(plots, dict)
    assert places == set(plots)
    assert {"map", "gap", "modes", "load", "line-boardings", "line-load"} <= places


def test_ids_are_unique_and_controls_are_labelled(page: str) -> None:
    found = elements(page).found
    ids = [a["id"] for _, a in found if "id" in a]
    assert len(ids) == len(set(ids))
    anchors = {str(a["href"])[1:] for tag, a in found if tag == "a"}
    assert anchors <= set(ids)
    options = [a for tag, a in found if tag == "option"]
    assert options
    assert all(a["data-en"] and a["data-zh"] for a in options)


def test_what_was_assumed_and_attributed_is_said(page: str) -> None:
    for words in (
        "demand.value_of_time", "no survey found", "© OpenStreetMap contributors, ODbL 1.0",
        "The local streets are generated.", "cczsim run grid-plan.toml",
        "of street length here was made up by a generator",
    ):  # fmt: skip
        assert words in page
    assert "seconds" not in json.dumps(data_of(page)["map"])


def test_noise_is_marked_only_where_the_comparison_says_so(
    page: str, plan_run: RunResult, base_run: RunResult
) -> None:
    row = SimpleNamespace(key="vehicle_km", by={"area": "all"}, explained_by_gap=True)
    marked = render(plan_run, base_run, SimpleNamespace(rows=(row,)), "en")
    assert '<small class="noise">' in marked
    assert '<small class="noise">' not in page
    assert "was not worked out" in page
    assert "was not worked out" not in marked


def test_a_part_of_a_total_is_a_share_of_that_total(plan_run: RunResult) -> None:
    lines = [line for line in ledger_lines(plan_run) if line.stage.en == "generated"]
    assert [line.share for line in lines] == ["100.0 %", "11.1 %"]


def test_what_a_change_counted_is_said_in_both_languages(plan_run: RunResult) -> None:
    (change,) = change_lines(plan_run)
    assert change.counts == (Both("links added: 8", "新增路段: 8"),)
    assert change.kind == Both("road density", "路网密度")
    assert change.cost == "1,200,000,000"


def test_a_run_that_did_not_converge_says_so(plan_run: RunResult) -> None:
    road = replace(plan_run.equilibrium.road, status=Status.ITERATION_LIMIT)
    run = replace(plan_run, equilibrium=replace(plan_run.equilibrium, road=road))
    page = render(run, None, None, "en")
    assert 'class="alarm"' in page
    assert "stopped at the iteration limit" in page


def test_a_base_alone_has_a_page(base_run: RunResult) -> None:
    page = render(base_run, None, None, "zh")
    assert "grid-base.toml" in page
    assert "note.changes_none" not in page
    assert "方案未改动网络" in page
    plots = data_of(page)["plots"]
    assert isinstance(plots, dict)
    assert "map" in plots


def test_a_network_without_coordinates_zones_or_lines_has_a_page(base_run: RunResult) -> None:
    road = base_run.network.road
    nowhere = road.replace(node_lon=np.full(road.n_nodes, np.nan))
    network = base_run.network.replace(road=nowhere, transit=None)
    run = replace(
        base_run, network=network, targets=(), zone_access={},
        equilibrium=replace(base_run.equilibrium, transit=None),
    )  # fmt: skip
    page = render(run, None, None, "en")
    parsed = elements(page)
    assert not any(a.get("id") in ("map", "lines") for _, a in parsed.found)
    assert "The scenario names no targets." in page
    roads_only = replace(base_run, network=base_run.network.replace(zones=None, transit=None))
    assert 'id="zone-theme"' not in render(roads_only, None, None, "en")


def test_options_of_one_base_are_told_apart_in_the_answer(
    base_run: RunResult, plan_run: RunResult
) -> None:
    told = [Apart("密度方案", "plan", 6, 7, 12.3), Apart("rail", "plan", 0, 7, math.nan)]
    page = render(plan_run, base_run, None, apart=told)
    assert "Beside 密度方案, an option of the same base, 6 of 7 main figures differ by more" in page
    assert "by 12 times that and more." in page
    assert "“密度方案”相比，7 项主要指标中有 6 项" in page
    assert "Beside rail, an option of the same base, none of 7 main figures differs" in page
    assert "Beside" not in render(plan_run, base_run, None)
