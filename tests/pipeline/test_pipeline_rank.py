"""Rankings from the terminal's words to the page: the same bits whoever computes them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cczsim.cli import main
from cczsim.io.bundle import save_network
from tests.scenario.grid_case import grid

BASE = """cczsim = 1
title = "Base"
network = "grid"
year = 2020
[assignment]
relative_gap = 1e-3
demand_residual = "0.1 %"
[uncertainty.trips]
what = "demand.trip_rate"
times = true
low = 0.8
high = 1.4
[uncertainty.headways]
what = "lines.headway"
low = 0.8
high = 1.3
note = "<b>timetables</b> change"
"""
WIDE = """cczsim = 1
title = "Wider"
title_zh = "拓宽"
extends = "base.toml"
[[changes]]
kind = "links"
select = { class = ["primary", "secondary", "tertiary", "residential"] }
set = { capacity = "6000 pce/h" }
cost = "1e9 CNY"
"""
SAME = 'cczsim = 1\ntitle = "The same"\nextends = "base.toml"\n'


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study 长沙")
    save_network(grid(), folder / "grid")
    for name, text in (("base", BASE), ("wide", WIDE), ("same", SAME)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def words(study: Path, out: str, *more: str) -> list[str]:
    files = [str(study / f"{name}.toml") for name in ("base", "wide", "same")]
    return ["rank", *files, "--samples", "4", "--out", str(study / out), "--quiet", *more]


def read(study: Path, out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((study / out / "rank.json").read_text(encoding="utf-8"))
    found.pop("this_run")
    return found


@pytest.fixture(scope="module")
def done(study: Path) -> dict[str, Any]:
    assert main(words(study, "one", "--threads", "1")) == 0
    return read(study, "one")


def test_the_table_says_what_ties_and_what_is_dominated(
    study: Path, done: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(study, "one", "--resume")) == 0
    said = capsys.readouterr().out
    assert "delay_hours, pce h/h (less is better; 4 samples)" in said
    delay = done["by"]["delay_hours"]
    assert delay["leader"] == "wide"
    assert delay["options"]["wide"]["best"] == 1.0
    base, same = delay["options"]["base"], delay["options"]["same"]
    assert base["mean"] == same["mean"]
    assert base["place"] == same["place"] == 2
    assert delay["options"]["same"]["regret"] == pytest.approx(base["behind"])
    assert len(done["samples"]) == 4
    assert all(0.8 <= s["values"]["headways"] <= 1.3 for s in done["samples"])


def test_processes_change_no_bit(study: Path, done: dict[str, Any]) -> None:
    assert main(words(study, "two", "--workers", "2", "--threads", "2")) == 0
    assert read(study, "two") == done
    for kept in sorted((study / "one" / "samples").glob("*.json")):
        assert (study / "two" / "samples" / kept.name).read_bytes() == kept.read_bytes()
    assert (study / "two" / "rank.html").read_bytes() == (study / "one" / "rank.html").read_bytes()


def test_a_killed_ranking_repeats_no_finished_run(study: Path, done: dict[str, Any]) -> None:
    samples = study / "killed" / "samples"
    command = [sys.executable, "-m", "cczsim.cli", *words(study, "killed", "--workers", "2")]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        deadline = time.monotonic() + 600
        while not list(samples.glob("*.json")) and process.poll() is None:
            assert time.monotonic() < deadline, "no run was finished in ten minutes"
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.wait()
    time.sleep(1.0)  # the workers notice that nobody waits for them
    before = {path.name: path.stat().st_mtime_ns for path in samples.glob("*.json")}
    assert before
    assert main(words(study, "killed", "--resume")) == 0
    after = {path.name: path.stat().st_mtime_ns for path in samples.glob("*.json")}
    assert {name: after[name] for name in before} == before
    assert not list(samples.glob(".*"))
    assert read(study, "killed") == done


def test_samples_start_from_their_option_as_it_is_and_no_bit_hangs_on_who_ran_before(
    study: Path, done: dict[str, Any]
) -> None:
    warm = ["--gap", "1e-4", "--threads", "1"]
    assert main(words(study, "warm", *warm)) == 0
    found = read(study, "warm")
    samples = study / "warm" / "samples"
    # Two options differ, so that two runs are what the others start from.
    starts = {path.stem for path in samples.glob("*.npz")}
    assert len(starts) == 2
    kept = {p.stem: json.loads(p.read_text("utf-8")) for p in samples.glob("*.json")}
    assert {run["near"] for run in kept.values()} == {None, *starts}
    for k, cold in enumerate(done["samples"]):
        for name, figures in cold["figures"].items():
            own = found["samples"][k]["figures"][name]
            assert own["co2"] == pytest.approx(figures["co2"], rel=3e-3)
    # A sample that is computed again alone, in another process, is the same to the bit.
    last = max(samples.glob("*.json"), key=lambda p: p.stat().st_mtime_ns)
    before = last.read_bytes()
    last.unlink()
    for start in starts:
        (samples / f"{start}.npz").unlink()
    assert main(words(study, "warm", *warm[:2], "--workers", "2", "--resume")) == 0
    assert last.read_bytes() == before
    assert read(study, "warm") == found
    assert main(words(study, "warm", "--gap", "0")) == 2


def test_other_ranges_and_files_are_other_samples(study: Path, done: dict[str, Any]) -> None:
    count = len(list((study / "one" / "samples").glob("*.json")))
    # base and same differ in their title only, so they share their runs; two are the options as
    # they are, which the others start from.
    assert count == 10
    assert main(words(study, "one", "--resume", "--seed", "5")) == 0
    assert len(list((study / "one" / "samples").glob("*.json"))) == 18
    assert main(words(study, "one", "--resume")) == 0
    assert read(study, "one") == done


def test_without_ranges_single_runs_are_ranked(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = study / "plain.toml"
    plain.write_text(BASE.partition("[uncertainty.trips]")[0], encoding="utf-8")
    other = study / "other.toml"
    other.write_text(WIDE.replace("base.toml", "plain.toml"), encoding="utf-8")
    by = ["--by", "vehicle_hours:less,building_cost"]
    out = str(study / "single")
    assert main(["rank", str(plain), str(other), *by, "--out", out, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "one run each" in said
    found = read(study, "single")
    assert found["seed"] is None
    assert found["by"]["building_cost"]["options"]["other"]["mean"] == 1e9
    assert found["by"]["building_cost"]["leader"] == "plain"


def test_the_page_opens_without_a_network_and_escapes(study: Path, done: dict[str, Any]) -> None:
    page = (study / "one" / "rank.html").read_text(encoding="utf-8")
    assert "<b>timetables" not in page
    assert "拓宽" in page
    assert "default-src &#39;none&#39;" in page
    assert all(f'id="plot-interval-{key}"' in page for key in done["by"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--by", "delay_hour"], "did you mean 'delay_hours'"),
        (["--by", "vehicle_hours"], "vehicle_hours:less or vehicle_hours:more"),
        (["--by", "delay_hours:fewer"], "less or more"),
        (["--seed", "-1"], "0 or more"),
        (["--uncertainty", "{study}/base.toml"], "a key that cczsim does not know"),
        (["--uncertainty", "{study}/none.toml"], "no such file"),
        (["--out", "{study}/base.toml"], "a file"),
    ],
)
def test_what_cannot_be_ranked_is_said_before_anything_is_run(
    study: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [item.format(study=study) for item in more]
    assert main(words(study, "refused", *more)) == 2
    assert said in capsys.readouterr().err
    assert not (study / "refused").exists()


def test_a_range_that_moves_nothing_is_refused(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranges = tmp_path / "ranges.toml"
    ranges.write_text(
        '[uncertainty.x]\nwhat = "links.speed"\nlow = 0.5\nhigh = 2\nselect.name = "nowhere"\n'
    )
    assert main(words(study, "refused", "--uncertainty", str(ranges))) == 2
    assert "no link or line that it moves" in capsys.readouterr().err


def test_a_scenario_named_twice_is_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(study / "base.toml")
    assert main(["rank", path, path, "--out", str(study / "refused")]) == 2
    assert "the same name as" in capsys.readouterr().err


def test_a_draw_that_cannot_be_run_is_named(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranges = tmp_path / "ranges.toml"
    ranges.write_text(
        '[uncertainty.x]\nwhat = "demand.job_pull"\nlow = 1.5\nhigh = 2\n', encoding="utf-8"
    )
    assert main(words(study, "faulty", "--uncertainty", str(ranges))) == 2
    said = capsys.readouterr().err
    assert "base, sample 1: demand.job_pull" in said
    assert "Traceback" not in said


def test_a_cluster_gives_the_same_bits_though_a_worker_is_killed(
    study: Path, done: dict[str, Any]
) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install 'cczsim[cluster]'"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        command = words(study, "cluster", "--cluster", cluster.scheduler_address)
        process = subprocess.Popen([sys.executable, "-m", "cczsim.cli", *command])
        samples = study / "cluster" / "samples"
        deadline = time.monotonic() + 600
        while not list(samples.glob("*.json")) and process.poll() is None:
            assert time.monotonic() < deadline, "no run was finished in ten minutes"
            time.sleep(0.02)
        worker = next(iter(cluster.workers.values()))
        os.kill(worker.pid, signal.SIGKILL)
        assert process.wait(timeout=900) == 0
    assert read(study, "cluster") == done


def test_a_cluster_that_is_not_there_is_said(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(words(study, "none", "--cluster", "tcp://127.0.0.1:9")) == 2
    assert "cczsim[cluster]" in capsys.readouterr().err
