"""Runs that are killed, interrupted, locked out, or refused by the disk lose nothing."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cczsim.cli import main
from cczsim.io import checkpoints
from cczsim.io.bundle import save_network
from cczsim.io.checkpoints import Checkpoints
from cczsim.io.folder_lock import lock_folder
from cczsim.io.scenario_file import read_scenario
from cczsim.network.bus_streets import street_runs
from cczsim.pipeline import kept_steps, runs
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import run_scenario
from tests.pipeline import kill_and_resume
from tests.scenario.grid_case import grid
from tests.scenario.test_scenario_fares import with_tickets
from tests.scenario.test_scenario_nested import with_bus

SCENARIO = """cczsim = 1
title = "{title}"
network = "grid"
year = 2020
[assignment]
relative_gap = 1e-3
demand_residual = "0.1 %"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    save_network(grid(), tmp_path / "grid")
    (tmp_path / "base.toml").write_text(SCENARIO.format(title="Base"), encoding="utf-8")
    plan = (
        'cczsim = 1\ntitle = "方案"\nextends = "base.toml"\ncompare_to = "base.toml"\nyear = 2025\n'
    )
    (tmp_path / "plan.toml").write_text(plan, encoding="utf-8")
    return tmp_path


def test_a_killed_run_resumes_to_the_same_bits(study: Path) -> None:
    rows = list(kill_and_resume.kill_and_resume(study / "plan.toml", study, times=2, seed=3))
    assert [row["same_bits"] and row["clean"] for row in rows] == [True] * 2, rows


def test_killed_runs_of_buses_in_traffic_resume_to_the_same_bits(tmp_path: Path) -> None:
    """Rounds of roads and lines, with fares by ticket that the first round found."""
    network = with_tickets(with_bus(), 3.0)
    transit = network.transit
    assert transit is not None
    network = network.replace(transit=transit.replace(stop_lat=transit.stop_lat - 0.003))
    assert network.transit is not None
    assert len(street_runs(network.road, network.transit).run) > 0
    save_network(network, tmp_path / "grid")
    text = SCENARIO.format(title="Buses") + '[transit]\nbus_times = "all"\n'
    (tmp_path / "base.toml").write_text(text.replace("1e-3", "1e-6"), encoding="utf-8")
    rows = list(kill_and_resume.kill_and_resume(tmp_path / "base.toml", tmp_path, times=3, seed=5))
    assert [row["same_bits"] and row["clean"] for row in rows] == [True] * 3, rows
    rounds = json.loads((tmp_path / "whole/base/run.json").read_text(encoding="utf-8"))
    assert len(rounds["rounds"]) > 1


def test_what_was_solved_is_not_solved_again(
    study: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    words = ["run", str(study / "plan.toml"), "--out"]
    assert main([*words, str(study / "whole"), "--quiet"]) == 0

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    out = study / "out"
    with monkeypatch.context() as patch:
        patch.setattr(runs, "_say_result", stop)
        assert main([*words, str(out), "--quiet"]) == 130
    assert "--resume" in capsys.readouterr().err
    assert {p.name for p in out.iterdir()} == {"base", "cczsim.log", ".checkpoints"}
    with monkeypatch.context() as patch:
        patch.setattr(runs, "write_result", stop)
        assert main([*words, str(out), "--resume", "--quiet"]) == 130
    assert len(list(out.glob(".checkpoints/*.npz"))) == 2

    def unsolved(*args: object, **options: object) -> object:
        assert options["solved"] is not None
        return run_scenario(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(runs, "run_scenario", unsolved)
        assert main([*words, str(out), "--resume"]) == 0
    assert capsys.readouterr().err.count("resumed, solved before") == 2
    assert kill_and_resume.digests(out) == kill_and_resume.digests(study / "whole")
    assert {p.name for p in out.iterdir()} == {"base", "plan", "cczsim.log"}


def test_a_solve_goes_on_where_it_was_stopped(
    study: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    tight = "relative_gap = 1e-7"
    base = (study / "base.toml").read_text(encoding="utf-8")
    (study / "base.toml").write_text(base.replace("relative_gap = 1e-3", tight), encoding="utf-8")
    words = ["run", str(study / "base.toml"), "--out"]
    assert main([*words, str(study / "whole"), "--quiet"]) == 0
    count = json.loads((study / "whole/base/run.json").read_text(encoding="utf-8"))["iterations"]
    assert count > 4
    out = study / "out"

    def stop_at(iteration: int) -> Callable[[Progress, str], None]:
        def note(_: Progress, line: str) -> None:
            if line.endswith(f"iteration {iteration}"):
                raise KeyboardInterrupt

        return note

    monkeypatch.setattr(kept_steps, "EVERY", 0.0)
    monkeypatch.setattr(kept_steps, "_COST", 0.0)
    for stopped, option in ((3, []), (4, ["--resume"])):
        with monkeypatch.context() as patch:
            patch.setattr(Progress, "note", stop_at(stopped))
            assert main([*words, str(out), *option]) == 130
    capsys.readouterr()
    assert main([*words, str(out), "--resume"]) == 0
    assert "base: resumed in iteration 4" in capsys.readouterr().err
    assert kill_and_resume.digests(out) == kill_and_resume.digests(study / "whole")
    assert {p.name for p in out.iterdir()} == {"base", "cczsim.log"}


def test_a_checkpoint_of_other_inputs_or_a_torn_one_is_never_taken(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    value = {"a": np.arange(5.0), "b": (1, float("inf"), "中")}
    kept.keep("s", "1" * 64, value)
    found = kept.find("s", "1" * 64)
    assert found is not None
    assert found["b"] == (1, float("inf"), "中")
    np.testing.assert_array_equal(found["a"], value["a"])
    assert kept.find("s", "2" * 64) is None
    (file,) = kept.folder.glob("*.npz")
    whole = file.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        assert kept.find("s", "1" * 64) is None
    three, four = np.float64(3.0).tobytes(), np.float64(4.0).tobytes()
    assert whole.count(three) == 1
    file.write_bytes(whole.replace(three, four))
    assert kept.find("s", "1" * 64) is None
    kept.drop("s")
    assert not kept.folder.exists()


def test_an_equilibrium_comes_back_bit_for_bit(study: Path, tmp_path: Path) -> None:
    found = run_scenario(
        read_scenario(study / "base.toml"), load_network(study / "grid", Progress(quiet=True))
    ).equilibrium
    kept = Checkpoints(tmp_path / "c")
    kept.keep("s", "1" * 64, found)
    again = kept.find("s", "1" * 64)
    assert type(again) is type(found)
    assert checkpoints._arrays(again).keys() == checkpoints._arrays(found).keys()
    for name, value in checkpoints._arrays(found).items():
        other = checkpoints._arrays(again)[name]
        assert value.dtype == other.dtype
        assert value.tobytes() == other.tobytes(), name


@pytest.mark.parametrize(
    "place", ["os:system", "cczsim.errors:os", "cczsim.io.checkpoints:json.loads", "builtins:eval"]
)
def test_a_checkpoint_makes_no_class_but_ours(place: str) -> None:
    with pytest.raises((TypeError, AttributeError)):
        checkpoints._value({"object": place, "fields": {}}, {})


def test_a_second_run_in_a_folder_is_refused_and_a_dead_one_is_not(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study / "out"
    out.mkdir()
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from cczsim.io.folder_lock import lock_folder\n"
        f"with lock_folder(Path({str(out / 'base')!r})):\n    print('held', flush=True)\n"
        "    time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        words = ["run", str(study / "base.toml"), "--out", str(out), "--quiet"]
        assert main(words) == 2
        assert f"process {other.pid}" in capsys.readouterr().err
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert (out / ".base.lock").exists()
    assert main(words) == 0
    assert not (out / ".base.lock").exists()


def test_a_lock_is_let_go(tmp_path: Path) -> None:
    with lock_folder(tmp_path / "r"):
        pass
    with lock_folder(tmp_path / "r"):
        assert (tmp_path / ".r.lock").read_text().startswith(f"process {os.getpid()} ")
    assert not list(tmp_path.iterdir())


def run_with(study: Path, out: Path, limit: Callable[[], None], *words: str) -> tuple[int, str]:
    code = "import sys; from cczsim.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(study / "plan.toml"), "--out", str(out), *words],
        check=False, capture_output=True, text=True, preexec_fn=limit, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_disk_without_room_is_told_and_what_was_there_stays(study: Path) -> None:
    out = study / "out"
    assert main(["run", str(study / "plan.toml"), "--out", str(out), "--quiet"]) == 0
    before = kill_and_resume.digests(out)
    for room in (3_000, 60_000):
        code, said = run_with(
            study, out, lambda room=room: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        )
        assert code == 2, (room, said)
        assert "Traceback" not in said
        assert re.search(r"^error: .*(too large|--out)", said, re.M), said
        assert kill_and_resume.digests(out) == before
    assert not [p for p in out.iterdir() if p.name.endswith((".part", ".old", ".lock"))]
    assert main(["run", str(study / "plan.toml"), "--out", str(out), "--resume", "--quiet"]) == 0


def test_too_little_memory_is_told_without_a_traceback(study: Path) -> None:
    room = (900 * 2**20,) * 2
    code, said = run_with(
        study, study / "out", lambda: resource.setrlimit(resource.RLIMIT_AS, room)
    )
    assert code == 2
    assert said.startswith("error: memory limit of this process (ulimit -v): found 0.88 GiB")


def test_memory_that_runs_out_leaves_what_was_finished(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def short(*_: object) -> None:
        raise MemoryError

    words = ["run", str(study / "plan.toml"), "--out", str(study / "out"), "--quiet"]
    with monkeypatch.context() as patch:
        patch.setattr(runs, "compare_runs", short)
        assert main(words) == 2
    assert "memory ran out" in capsys.readouterr().err
    assert {p.name for p in (study / "out").iterdir()} == {"base", "cczsim.log", ".checkpoints"}
    assert main([*words, "--resume"]) == 0


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path("/proc/cczsim")
    assert main(["run", str(study / "plan.toml"), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "/proc/cczsim" in said
    assert "solve" not in said


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_to_go_on(study: Path, sent: signal.Signals) -> None:
    text = (study / "base.toml").read_text(encoding="utf-8")
    slow = text.replace("relative_gap = 1e-3", 'relative_gap = 1e-15\nmax_iterations = 1000000\n'
                        'algorithm = "fw"')  # fmt: skip
    (study / "slow.toml").write_text(slow, encoding="utf-8")
    run = subprocess.Popen(
        kill_and_resume.command(study / "slow.toml", study / "out"),
        stderr=subprocess.PIPE,
        text=True,
    )
    log = study / "out/cczsim.log"
    for _ in range(600):
        if log.exists() and "iteration 3" in log.read_text():
            break
        time.sleep(0.1)
    run.send_signal(sent)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "--resume" in said
    assert "Traceback" not in said
    assert {p.name for p in (study / "out").iterdir()} <= {"cczsim.log", ".checkpoints"}
    assert "ended by KeyboardInterrupt" in log.read_text()


def test_the_log_holds_times_steps_and_gaps(study: Path) -> None:
    out = study / "out"
    assert main(["run", str(study / "plan.toml"), "--out", str(out), "--quiet"]) == 0
    lines = (out / "cczsim.log").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 \[\d+\] ", line) for line in lines)
    text = "\n".join(lines)
    record = json.loads((out / "plan/run.json").read_text(encoding="utf-8"))
    assert text.count("plan: gap ") == record["iterations"]
    assert re.search(r"plan: solve: \d+\.\d\d s", text)
