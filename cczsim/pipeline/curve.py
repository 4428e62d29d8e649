"""``cczsim curve``: what more and more road density brings, in several scenarios side by side."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import cczsim
from cczsim.design.costs import PER_KM
from cczsim.errors import CczsimError, FaultCollector, OutputError, ScenarioError
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.indicator import Indicator
from cczsim.indicators.plan_targets import find_target
from cczsim.io.scenario_docs import toml_value
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.pipeline.assign import write_text
from cczsim.pipeline.curve_result import SHOWN, pays, print_curve, shares
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.sample_tasks import Task
from cczsim.pipeline.study import check_folder, make_task, option_digests, run_study
from cczsim.pipeline.summary import write_line
from cczsim.scenario.change_density import measured
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.sample import Option, SampleFigures, Study, make_option
from cczsim.scenario.spec import ScenarioSpec
from cczsim.units import parse


@dataclass(frozen=True, eq=False)
class Point:
    """A density of one scenario.

    Parameters
    ----------
    scenario : int
    spec : ScenarioSpec
        With the streets of the density.
    density : float
        km/km2.
    added_km : float
    cost : float
        Of the added streets, CNY.
    """

    scenario: int
    spec: ScenarioSpec
    density: float
    added_km: float
    cost: float


def curve(
    paths: Sequence[Path],
    *,
    area: str,
    to: str = "9 km/km2",
    points: int = 8,
    convention: str | None = None,
    road_class: str = "tertiary",
    gap: float = 1e-6,
    cold: bool = False,
    workers: int = 1,
    cluster: str | None = None,
    threads: int | None = None,
    out: Path = Path("results/curve"),
    resume: bool = False,
    lang: str = "en",
    progress: Progress,
) -> int:
    """Run scenarios with their density raised step by step.

    Parameters
    ----------
    paths : sequence of Path
        Scenarios: rail as today, rail of the plan. The first is what gains are held against.
    area : str
        A tier, a district or ``all``.
    to : str
        The highest density.
    points : int
        Densities of each scenario, from its own on.
    gap : float
        Relative gap of each equilibrium, by bushes.
    cold : bool
        Whether each equilibrium is sought from empty roads; else a scenario with its own streets
        is, and the denser ones start from what that found.

    Returns
    -------
    int
        0; or 1 where a run did not converge or a density could not be reached.
    """
    began = time.perf_counter()
    if points < 2:
        raise ScenarioError.of("--points", f"{points}", "2 or more")
    top = parse(to, "density", "--to")
    check_folder(out)
    specs = [read_scenario(path) for path in paths]
    doubled = sorted({s.name for s in specs if [t.name for t in specs].count(s.name) > 1})
    if doubled:
        raise ScenarioError.of(", ".join(doubled), "two scenarios of a name", "a name for each")
    networks: dict[str, int] = {}
    loaded: list[Network] = []
    family: list[Point] = []
    options: list[Option] = []
    faults, missed = FaultCollector(ScenarioError), 0
    for number, (spec, path) in enumerate(zip(specs, paths, strict=True)):
        place = str(Path(spec.network).resolve())
        if place not in networks:
            networks[place] = len(loaded)
            loaded.append(load_network(Path(spec.network), progress))
        network = loaded[networks[place]]
        rules = find_convention(convention or spec.density.convention)
        start = measured(
            apply_changes(network, spec.changes, spec.origins)[0], area, rules, "--area"
        )
        if start >= top:
            faults.add("--to", f"{to!r}, but {area} of {spec.name} has {start:.4g} already", "more")
            continue
        for k, density in enumerate(np.linspace(start, top, points).tolist()):
            text = _family_text(
                path, out, area, density if k else None, rules.name, road_class, gap
            )
            file = out / "family" / f"{spec.name}-{k}.toml"
            _write(file, text)
            own = read_scenario(file)
            try:
                with progress.step(f"{own.name}: apply changes"):
                    option = make_option(own, network, networks[place], {})
            except CczsimError as error:
                missed += 1
                for fault in error.faults:
                    write_line(f"{spec.name}, {density:.2f} km/km2: {fault}")
                continue
            streets = option.changes[len(spec.changes) :]
            added = sum(c.counts.get("km added", 0.0) for c in streets)
            reached = streets[-1].counts.get("density after", density) if k else start
            cost = sum(c.cost for c in streets)
            family.append(Point(number, own, float(reached), float(added), float(cost)))
            options.append(option)
    faults.raise_if_any()
    study = Study(tuple(options), tuple(loaded), {})
    tasks = _make_tasks(family, study, cold)
    done = run_study(
        study, tasks, [p.spec.name for p in family], out / "samples", resume=resume,
        workers=workers, cluster=cluster, threads=threads, progress=progress,
    )  # fmt: skip
    figures = [done.figures[task.key] for task in tasks]
    rows = [_row(p, t, f) for p, t, f in zip(family, tasks, figures, strict=True)]
    content = {
        "cczsim": cczsim.__version__, "area": area, "convention": rules.name,
        "scenarios": [{"name": s.name, "title": s.title} for s in specs],
        "attribution": list(dict.fromkeys(a for n in loaded for a in n.info.attribution)),
        "points": rows, "shares": shares(rows, len(specs)), "pays": pays(rows, specs),
        "this_run": {
            "seconds": round(time.perf_counter() - began, 3), "computed_runs": done.computed,
            "processor_seconds": [round(done.seconds.get(t.key, 0.0), 2) for t in tasks],
        },
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    _write(out / "curve.json", text)
    from cczsim.report.curve_page import render_curve

    zh = {s.name: str(s.title_zh or s.title) for s in specs}
    page = render_curve(
        content, zh, _indicators(figures[0].indicators), "zh" if lang == "zh" else "en"
    )
    _write(out / "curve.html", page)
    print_curve(content)
    progress.say(f"page: {out / 'curve.html'}")
    return 1 if missed or not all(row["converged"] for row in rows) else 0


def _family_text(
    path: Path, out: Path, area: str, density: float | None, rules: str, road_class: str, gap: float
) -> str:
    start = Path(os.path.relpath(path.resolve(), (out / "family").resolve())).as_posix()
    words = "as it is" if density is None else f"{density:.4g} km/km2 in {area}"
    lines = [
        "cczsim = 1", f"title = {toml_value(f'{path.stem}: {words}')}",
        f"extends = {toml_value(start)}", "", "[assignment]", 'algorithm = "b"',
        f"relative_gap = {gap!r}", 'demand_residual = "0.001 %"',
    ]  # fmt: skip
    if density is not None:
        cost = PER_KM.get(road_class, PER_KM["tertiary"])["ground"]
        lines += [
            "", "[[changes]]", 'kind = "road_density"', 'id = "curve"',
            f"area = {toml_value(area)}", f"target = {toml_value(f'{density!r} km/km2')}",
            f"convention = {toml_value(rules)}", f"street = {{ class = {toml_value(road_class)} }}",
            f"cost_per_km = {toml_value(f'{cost:.0f} CNY/km')}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError.of(
            str(path.parent), error.strerror or str(error), "a folder", "choose another with --out"
        ) from None
    write_text(path, text)


def _indicators(indicators: tuple[Indicator, ...]) -> dict[str, Indicator]:
    found = {key: find_target(key, indicators, "cn-urban") for key in SHOWN}
    found["building_cost"] = Indicator("building_cost", 0.0, "CNY", {"area": "all"})
    return {key: item for key, item in found.items() if item is not None}


def _make_tasks(family: Sequence[Point], study: Study, cold: bool) -> list[Task]:
    """Return a task a point; those of a scenario start from its first, unless ``cold``."""
    digests = option_digests([p.spec for p in family], study)
    first: dict[int, str] = {}
    tasks = []
    for option, (point, digest) in enumerate(zip(family, digests, strict=True)):
        near = first.get(point.scenario)
        is_start = near is None and not cold
        tasks.append(make_task(digest, option, 0, {}, near=near, is_start=is_start))
        if not cold:
            first.setdefault(point.scenario, tasks[-1].key)
    return tasks


def _row(point: Point, task: Task, found: SampleFigures) -> dict[str, Any]:
    values: dict[str, float | None] = {}
    for key, item in _indicators(found.indicators).items():
        values[key] = item.value if np.isfinite(item.value) else None
    # That of the streets alone: what else a scenario changes may state no cost.
    values["building_cost"] = point.cost if np.isfinite(point.cost) else None
    return {
        "scenario": point.scenario, "density": point.density, "added_km": point.added_km,
        "noise": found.noise, "converged": found.converged, "iterations": found.iterations,
        "warm": task.near is not None, "figures": values,
    }  # fmt: skip
