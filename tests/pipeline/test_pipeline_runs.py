"""The run command and its kin, from the terminal's words to the folder."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from cczsim.cli import main
from cczsim.errors import ScenarioError
from cczsim.io import scenario_example
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.pipeline.runs import plan_jobs
from tests.scenario.grid_case import grid

BROKEN = Path(__file__).resolve().parent.parent / "cases" / "broken"
CASES = sorted(path.stem for path in BROKEN.glob("*.toml") if path.stem != "base")

BASE = """cczsim = 1
title = "Base"
network = "grid"
year = 2020
[assignment]
relative_gap = 1e-3
demand_residual = "0.1 %"
"""
PLAN = """cczsim = 1
title = "Plan: wider arterials"
title_zh = "方案:主干路拓宽"
extends = "base.toml"
compare_to = "base.toml"
year = 2025
[demand]
population_growth = { central = "12 %" }
[[changes]]
kind = "links"
select = { class = "primary" }
expect = { lanes = 2 }
set = { lanes = 3 }
[[changes]]
kind = "transit_line"
line = "M1"
set = { headway = "3 min" }
[targets]
road_density_central = ">= 0.01 km/km2"
"""
FILES = {
    "resolved.toml", "run.json", "demand_ledger.csv", "indicators.json", "links.parquet",
    "lines.parquet", "zones.parquet", "result.gpkg", "report.html",
}  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Network:
    return grid()


@pytest.fixture(scope="module")
def study(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    save_network(network, folder / "grid")
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def done(study: Path) -> Path:
    out = study / "out"
    assert main(["run", str(study / "plan.toml"), "--out", str(out), "--threads", "1"]) == 0
    return out


@pytest.mark.parametrize("case", CASES)
def test_a_broken_scenario_is_refused_with_a_message_a_fault(
    case: str, study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = BROKEN / f"{case}.toml"
    text = path.read_text(encoding="utf-8", errors="replace")
    monkeypatch.setenv("CCZSIM_DATA", str(study))
    if "# env: unset" in text:
        monkeypatch.delenv("CCZSIM_DATA")
    assert main(["validate", str(path)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    wanted = re.findall(r"^# expect: (.*)$", text, re.M)
    assert len(lines) == len(wanted), said
    left = list(lines)
    for rule in wanted:
        hit = [line for line in left if all(part in line for part in rule.split("|"))]
        assert hit, f"{rule!r} is not in {left}"
        left.remove(hit[0])


def test_there_are_enough_broken_cases() -> None:
    assert len(CASES) >= 15


def test_a_run_writes_both_folders_whole(done: Path, study: Path) -> None:
    assert {p.name for p in done.iterdir()} == {"base", "plan", "cczsim.log"}
    for name in ("base", "plan"):
        assert {p.name for p in (done / name).iterdir()} == FILES
        record = json.loads((done / name / "run.json").read_text(encoding="utf-8"))
        assert record["status"] == "done"
        assert record["relative_gap"] <= 1e-3
        assert record["history"][-1]["relative_gap"] == record["relative_gap"]
        assert record["this_run"]["threads"] == 1
        assert any(key.startswith("grid/") for key in record["inputs"])
    figures = json.loads((done / "plan/indicators.json").read_text(encoding="utf-8"))
    assert figures["compared_to"] == "base"
    assert [row["key"] for row in figures["targets"]] == ["road_density_central"]
    assert figures["targets"][0]["met"] is True
    assert len(figures["changes"]) == 2
    again = read_scenario(done / "plan/resolved.toml")
    assert again.changes == read_scenario(study / "plan.toml").changes
    page = (done / "plan/report.html").read_text(encoding="utf-8")
    assert "方案:主干路拓宽" in page


def test_growth_is_in_the_ledger(done: Path, network: Network) -> None:
    zones = network.zones
    assert zones is not None

    def generated(name: str) -> float:
        text = (done / name / "demand_ledger.csv").read_text(encoding="utf-8")
        return float(text.splitlines()[1].split(",")[2])

    modelled = zones.population * zones.trip_share
    more = 0.12 * modelled[zones.tier == 0].sum() / modelled.sum()
    assert generated("plan") == pytest.approx(generated("base") * (1 + more), rel=1e-6)


def test_threads_change_no_bit_but_the_times(done: Path, study: Path) -> None:
    out = study / "two"
    assert (
        main(["run", str(study / "plan.toml"), "--out", str(out), "--threads", "2", "--quiet"]) == 0
    )
    for path in sorted(done.rglob("*")):
        if not path.is_file() or path.name == "cczsim.log":
            continue
        other = out / path.relative_to(done)
        if path.name == "run.json":
            one, two = (json.loads(p.read_text(encoding="utf-8")) for p in (path, other))
            del one["this_run"], two["this_run"]
            assert one == two
        else:
            digests = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (path, other)]
            assert digests[0] == digests[1], path.name


def test_resume_keeps_what_was_finished_from_the_same_inputs(
    done: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (done / "plan/run.json").stat().st_mtime_ns
    words = ["run", str(study / "plan.toml"), "--out", str(done), "--resume"]
    assert main(words) == 0
    assert capsys.readouterr().err.count("kept") == 2
    assert (done / "plan/run.json").stat().st_mtime_ns == before
    changed = study / "plan.toml"
    try:
        changed.write_text(PLAN.replace("12 %", "13 %"), encoding="utf-8")
        assert main(words) == 0
        assert capsys.readouterr().err.count("kept") == 1
        assert (done / "plan/run.json").stat().st_mtime_ns > before
    finally:
        changed.write_text(PLAN, encoding="utf-8")
        assert main([*words, "--quiet"]) == 0


def test_compare_sets_results_side_by_side(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(done / "base"), str(done / "plan")]) == 0
    said = capsys.readouterr().out
    assert "vehicle_km" in said
    assert "Noise by the gaps" in said
    assert "tier=outside" not in said
    left_out = re.search(r"([\d,]+) more by tier, district, line and class of street: --all", said)
    assert left_out is not None
    assert main(["compare", str(done / "base"), str(done / "plan"), "--all"]) == 0
    everything = capsys.readouterr().out
    assert "--all" not in everything
    rows = len(everything.splitlines()) - len(said.splitlines()) + 1
    assert rows == int(left_out[1].replace(",", ""))
    assert main(["compare", str(done / "base"), str(done / "base"), "--all"]) == 0
    said = capsys.readouterr().out
    assert "within what the gaps explain" not in said
    assert "+0.00 %" in said


def test_diff_says_what_changes(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(study / "base.toml"), str(study / "plan.toml")]) == 0
    said = capsys.readouterr().out
    assert "year: 2020 → 2025" in said
    assert "3 lanes on 44 directed links" in said
    assert main(["diff", str(study / "base.toml"), str(study / "base.toml")]) == 0
    assert "nothing" in capsys.readouterr().out


def test_validate_says_what_changes_find(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(study / "plan.toml")]) == 0
    said = capsys.readouterr().out
    assert "plan: valid, 2 changes, 1 target" in said
    assert "base: valid, 0 changes" in said


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        ("relative_gap = 1e-3", ["--quiet"], "not converged"),
        ("title =", ["--strict"], "targets missed"),
    ],
)
def test_falling_short_is_exit_code_1(
    study: Path, tmp_path: Path, change: str, words: list[str], said: str
) -> None:
    text = BASE.replace('"grid"', f'"{(study / "grid").as_posix()}"')
    if change.startswith("relative"):
        text = text.replace(change, "relative_gap = 1e-12\nmax_iterations = 2")
    else:
        text += '[targets]\nroad_density_central = ">= 30 km/km2"\n'
    (tmp_path / "short.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "short.toml"), "--out", str(out), *words]) == 1
    record = json.loads((out / "short/run.json").read_text(encoding="utf-8"))
    assert said in record["status"]


def test_scenarios_of_one_name_are_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        BASE.replace('"grid"', f'"{(study / "grid").as_posix()}"'), encoding="utf-8"
    )
    with pytest.raises(ScenarioError, match="the same name"):
        plan_jobs([study / "base.toml", tmp_path / "base.toml"], tmp_path)


def test_a_folder_of_other_things_is_never_overwritten(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/thesis.txt").write_text("x")
    assert main(["run", str(study / "base.toml"), "--out", str(tmp_path)]) == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert (tmp_path / "base/thesis.txt").read_text() == "x"


def test_init_schema_and_explain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 0
    path = tmp_path / "example.toml"
    assert "[[changes]]" in path.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 2
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "cczsim scenario"
    assert main(["explain", "assignment.relative_gap"]) == 0
    assert "default" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new"), [('line = "M1"', 'line = "M9"'), ("road_density_central", "road_densty_centre")]
)
def test_what_is_wrong_with_a_plan_is_told_before_its_base_is_solved(
    study: Path, tmp_path: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = study / "wrong.toml"
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "solve" not in said
    assert "wrong.toml" in said


def test_the_example_town_runs_where_nothing_else_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "我的 研究"
    monkeypatch.setattr(scenario_example, "region", lambda: None)
    assert main(["init", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "now: cczsim run" in said
    assert main(["init", str(folder), "--example"]) == 2
    assert main(["validate", str(folder / "plan.toml")]) == 0
    assert main(["run", str(folder / "plan.toml"), "--out", str(folder / "r"), "--strict"]) == 0
    figures = json.loads((folder / "r/plan/indicators.json").read_text(encoding="utf-8"))
    shares = {
        row["by"]["mode"]: row["value"] for row in figures["indicators"]
        if row["key"] == "mode_share" and row["by"].get("area") == "all"
    }  # fmt: skip
    assert all(value > 5.0 for value in shares.values())
    assert figures["assumptions"][0]["weight"]["moved"] == pytest.approx(0.1)


def test_the_page_of_an_option_tells_it_from_those_before_it_kept_or_new(
    study: Path, tmp_path: Path
) -> None:
    (study / "often.toml").write_text(PLAN.replace("wider", "as wide"), "utf-8")
    files = [str(study / name) for name in ("plan.toml", "often.toml")]
    words = ["run", *files, "--out", str(tmp_path), "--quiet"]
    assert main(words) == 0
    page = tmp_path / "often/report.html"
    assert "Beside plan, an option of the same base, none of" in page.read_text("utf-8")
    assert "Beside" not in (tmp_path / "plan/report.html").read_text("utf-8")
    whole = page.read_bytes()
    shutil.rmtree(tmp_path / "often")
    assert main([*words, "--resume"]) == 0
    assert page.read_bytes() == whole
