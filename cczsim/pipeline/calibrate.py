"""``cczsim demand calibrate``: parameters of a scenario's demand from what was observed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cczsim import __version__
from cczsim.assignment.threads import set_threads
from cczsim.demand.calibration import (
    mean_length,
)
from cczsim.errors import InputError, OutputError
from cczsim.io.length_bands import read_bands, write_bands
from cczsim.io.scenario_file import read_scenario
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.calibrate_goals import Goal, asked_goals, refuse_lines_that_are_not_there
from cczsim.pipeline.calibrate_search import Model, Trial, seek
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import prepare
from cczsim.scenario.spec import ScenarioSpec


def calibrate(
    scenario: Path,
    *,
    mean_length: str | None,
    lengths: Path | None,
    share: Sequence[str],
    boardings: Sequence[str],
    speed: Sequence[str],
    out: Path,
    max_rounds: int,
    tolerance: str,
    threads: int | None,
    json_file: Path | None,
    progress: Progress,
) -> int:
    """Find decay, factors by length and constants of modes; write them as a scenario.

    Returns
    -------
    int
        0; 1 where a figure is further off than ``tolerance``.
    """
    spec = read_scenario(scenario)
    goals, mean, tolerated = asked_goals(
        spec, mean_length, lengths, share, boardings, speed, tolerance
    )
    if spec.demand.params.destination_choice == "equilibrium" and (mean or lengths is not None):
        raise InputError.of(
            f"{scenario}: demand.destination_choice", '"equilibrium"', '"fixed"', "lengths of "
            "trips are fitted to the costs of empty roads; fit shares, boardings and speeds alone",
        )  # fmt: skip
    bands = read_bands(lengths, "share") if lengths is not None else None
    beside = out.with_name(out.stem + "-lengths.csv")
    check_targets(out, beside if bands is not None else None, json_file)
    network = load_network(Path(spec.network), progress)
    used = set_threads(threads)
    changed, _ = prepare(spec, network)
    refuse_lines_that_are_not_there(changed, goals)
    model = Model(spec, network, changed, mean, bands)
    found, history = seek(model, goals, tolerated, max_rounds, progress)
    report = _report(model, found, goals) | {
        "scenario": str(scenario), "history": history, "threads": used, "version": __version__,
    }  # fmt: skip
    text = _toml(spec, scenario, out, model, found, goals, report, beside)
    write_text(out, text)
    if found.bands is not None and bands is not None:
        columns = {
            "factor": found.bands.factor, "wanted": bands.value, "share": found.bands.share,
        }  # fmt: skip
        try:
            write_bands(bands, columns, beside)
        except OSError as error:
            raise OutputError.of(
                str(beside), error.strerror or str(error), "a file that can be written"
            ) from None
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for row in report["figures"]:
        progress.say(
            f"{row['figure']}: wanted {row['wanted']:,.6g}, got {row['got']:,.6g} "
            f"({row['residual']:+.2%})"
        )
    off = [row for row in report["figures"] if not abs(row["residual"]) <= tolerated]
    if off:
        progress.say(f"{len(off)} figures are further off than {tolerated:.2%}")
    return 1 if off else 0


def _report(model: Model, trial: Trial, goals: Sequence[Goal]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []

    def row(figure: str, unit: str, wanted: float, got: float) -> None:
        rows.append({
            "figure": figure, "unit": unit, "wanted": wanted, "got": got,
            "residual": got / wanted - 1.0,
        })  # fmt: skip

    trips = trial.distribution.trips
    if model.mean is not None:
        row("mean trip length", "km", model.mean / 1e3, mean_length(trips, model.length) / 1e3)
    for goal in goals:
        unit = {"share": "", "boardings": "1/day", "speed": "km/h"}[goal.name.partition(" ")[0]]
        row(goal.name, unit, goal.target, model.got(goal, trial))
    report: dict[str, Any] = {
        "figures": rows,
        "parameters": {g.key: g.value(trial.spec) * g.step(trial.spec) for g in goals},
        "mean_length_km": mean_length(trips, model.length) / 1e3,
        "balance_residual": trial.distribution.residual,
        "trips": float(trips.sum()),
    }
    if trial.decay is not None:
        report["parameters"]["demand.distance_decay"] = trial.decay.decay
        report["decay_trials"] = len(trial.decay.trials)
    if trial.bands is not None:
        report["bands"] = {
            "iterations": trial.bands.iterations, "residual": trial.bands.residual,
            "converged": trial.bands.converged,
        }  # fmt: skip
    return report


def _toml(
    spec: ScenarioSpec, scenario: Path, out: Path, model: Model, trial: Trial,
    goals: Sequence[Goal], report: dict[str, Any], beside: Path,
) -> str:  # fmt: skip
    """Return the scenario that extends the one given with what was found."""
    from os.path import relpath

    base = Path(relpath(scenario.resolve(), out.resolve().parent)).as_posix()
    lines = [
        f"# Made by cczsim demand calibrate from {scenario.name}. What was asked for and found:",
    ]
    lines += [
        f"# {row['figure']}: wanted {row['wanted']:.6g}{' ' + row['unit'] if row['unit'] else ''}, "
        f"found {row['got']:.6g} ({row['residual']:+.2%})"
        for row in report["figures"]
    ]
    lines += [
        "cczsim = 1",
        f"title = {json.dumps(spec.title + ' (calibrated)', ensure_ascii=False)}",
        f"extends = {json.dumps(base, ensure_ascii=False)}",
        f"year = {spec.year}",
    ]
    tables: dict[str, list[str]] = {"demand": [], "transit": [], "assignment": []}
    if trial.decay is not None:
        tables["demand"].append(f'distance_decay = "{trial.decay.decay:.2f} s"')
    if model.bands is not None:
        name = json.dumps(beside.name, ensure_ascii=False)
        tables["demand"].append(f"length_factors = {name}")
    for goal in goals:
        section, _, name = goal.key.partition(".")
        tables[section].append(f"{name} = {goal.written(trial.spec)}")
    for section, keys in tables.items():
        lines += ["", f"[{section}]", *keys] if keys else []
    return "\n".join(lines) + "\n"
