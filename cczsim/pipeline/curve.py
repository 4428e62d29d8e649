"""``cczsim curve``: what more and more road density brings, in several scenarios side by side."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

import cczsim
from cczsim.design.costs import PER_KM
from cczsim.errors import CczsimError, FaultCollector, OutputError, ScenarioError
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.indicator import BETTER, Indicator
from cczsim.indicators.plan_targets import find_target
from cczsim.io.scenario_docs import toml_value
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.pipeline.assign import write_text
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.study import check_folder, make_tasks, run_study
from cczsim.pipeline.summary import figure, write_line
from cczsim.scenario.change_density import measured
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.sample import Option, Study, make_option
from cczsim.scenario.spec import ScenarioSpec
from cczsim.units import parse

SHOWN: Final = (
    "vehicle_hours", "delay_hours", "jobs_reached_45_transit", "co2", "vehicle_km",
    "mode_share_transit", "building_cost",
)  # fmt: skip
_LESS: Final = frozenset({"vehicle_hours", "vehicle_km"})


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
    """

    scenario: int
    spec: ScenarioSpec
    density: float
    added_km: float


def curve(
    paths: Sequence[Path],
    *,
    area: str,
    to: str = "9 km/km2",
    points: int = 8,
    convention: str | None = None,
    road_class: str = "tertiary",
    gap: float = 1e-6,
    workers: int = 1,
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
            added = sum(c.counts.get("km added", 0.0) for c in option.changes[len(spec.changes) :])
            reached = option.changes[-1].counts.get("density after", density) if k else start
            family.append(Point(number, own, float(reached), float(added)))
            options.append(option)
    faults.raise_if_any()
    study = Study(tuple(options), tuple(loaded), {})
    tasks = make_tasks([p.spec for p in family], study, ({},))
    found, computed = run_study(
        study, tasks, [p.spec.name for p in family], out / "samples", resume=resume,
        workers=workers, cluster=None, threads=threads, progress=progress,
    )  # fmt: skip
    figures = [found[task.key] for task in tasks]
    rows = [
        _row(p, f.indicators, f.noise, f.converged) for p, f in zip(family, figures, strict=True)
    ]
    content = {
        "cczsim": cczsim.__version__, "area": area, "convention": rules.name,
        "scenarios": [{"name": s.name, "title": s.title} for s in specs],
        "attribution": list(dict.fromkeys(a for n in loaded for a in n.info.attribution)),
        "points": rows, "shares": _shares(rows, len(specs)),
        "this_run": {"seconds": round(time.perf_counter() - began, 3), "computed_runs": computed},
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    _write(out / "curve.json", text)
    from cczsim.report.curve_page import render_curve

    zh = {s.name: str(s.title_zh or s.title) for s in specs}
    page = render_curve(
        content, zh, _indicators(figures[0].indicators), "zh" if lang == "zh" else "en"
    )
    _write(out / "curve.html", page)
    _print(content)
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
    return {key: item for key, item in found.items() if item is not None}


def _row(
    point: Point, indicators: tuple[Indicator, ...], noise: float, converged: bool
) -> dict[str, Any]:
    values = {}
    for key, item in _indicators(indicators).items():
        values[key] = item.value if np.isfinite(item.value) else None
    return {
        "scenario": point.scenario, "density": point.density, "added_km": point.added_km,
        "noise": noise, "converged": converged, "figures": values,
    }  # fmt: skip


def _shares(rows: Sequence[dict[str, Any]], scenarios: int) -> dict[str, Any]:
    """Return what density and what the other scenario gain on the first one as it is, by figure.

    ``density`` is the gain of the first scenario at its best density, ``other`` that of each other
    scenario at its own density, ``both`` that of it at its best; positive is better. ``stops_at``
    is the density from which the next step gains no more than the gaps allow, by scenario.
    """
    out: dict[str, Any] = {}
    by_scenario = [[r for r in rows if r["scenario"] == k] for k in range(scenarios)]
    if not by_scenario[0]:
        return out
    first = by_scenario[0][0]
    for key in SHOWN:
        sign = BETTER.get(key.removesuffix("_45_transit"), -1 if key in _LESS else 1)
        start = first["figures"].get(key)
        if start is None or key == "building_cost":
            continue
        gains = [
            [
                (r, sign * (r["figures"][key] - start))
                for r in own
                if r["figures"].get(key) is not None
            ]
            for own in by_scenario
        ]
        stops: list[float | None] = []
        for own in gains:
            stop = None
            for (r, gain), (s, following) in pairwise(own):
                bound = (r["noise"] + s["noise"]) * abs(r["figures"][key])
                if following - gain <= bound:
                    stop = r["density"]
                    break
            stops.append(stop)
        out[key] = {
            "density": max(g for _, g in gains[0]),
            "other": [own[0][1] if own else None for own in gains[1:]],
            "both": [max(g for _, g in own) if own else None for own in gains[1:]],
            "stops_at": stops,
        }
    return out


def _print(content: dict[str, Any]) -> None:
    names = [s["name"] for s in content["scenarios"]]
    keys = [k for k in SHOWN if any(k in r["figures"] for r in content["points"])]
    width = max(len(n) for n in names)
    write_line(f"{'':{width}} {'km/km2':>7} {'km added':>9} " + " ".join(f"{k:>23}" for k in keys))
    for row in content["points"]:
        values = [row["figures"].get(k) for k in keys]
        shown = " ".join(f"{figure(v) if v is not None else '–':>23}" for v in values)
        name = names[row["scenario"]]
        write_line(f"{name:{width}} {row['density']:7.3f} {row['added_km']:9,.1f} {shown}")
    for key, item in content["shares"].items():
        parts = [f"density alone {figure(item['density'])}"]
        for name, other, both in zip(names[1:], item["other"], item["both"], strict=True):
            if other is not None:
                parts.append(f"{name} alone {figure(other)}, with density {figure(both)}")
        stops = [
            f"{name} at {stop:.2f}" if stop is not None else f"{name} nowhere"
            for name, stop in zip(names, item["stops_at"], strict=True)
        ]
        write_line(f"{key}: gain of {'; '.join(parts)}; stops gaining: {', '.join(stops)}")
