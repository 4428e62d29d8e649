"""``cczsim rank``: several scenarios side by side, in the same samples of what is not known."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from cczsim.errors import CczsimError, FaultCollector, ScenarioError
from cczsim.indicators.indicator import BETTER, Indicator
from cczsim.indicators.plan_targets import find_target, named_figure
from cczsim.io.scenario_file import read_scenario
from cczsim.io.uncertainty_file import read_uncertainty
from cczsim.network.network import Network
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.rank_result import Criterion, make_result, write_ranking
from cczsim.pipeline.rank_words import print_ranking
from cczsim.pipeline.study import check_folder, make_tasks, run_study
from cczsim.scenario.figures import known_figures
from cczsim.scenario.sample import Study, building_cost, make_option
from cczsim.scenario.sampling import draw
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.uncertainty import LINE_COLUMNS, LINK_COLUMNS, Uncertain, gather

DEFAULT_BY: Final = ("delay_hours", "jobs_reached_45_transit", "co2")
DEFAULT_SAMPLES: Final = 64
_SIGNS: Final = {"less": -1, "more": 1}


def rank(
    paths: Sequence[Path],
    *,
    by: Sequence[str] = (),
    uncertainty: Path | None = None,
    samples: int | None = None,
    seed: int = 0,
    design: str = "sobol",
    gap: float | None = None,
    workers: int = 1,
    cluster: str | None = None,
    threads: int | None = None,
    out: Path = Path("results/rank"),
    resume: bool = False,
    lang: str = "en",
    progress: Progress,
) -> int:
    """Run scenarios in the same samples and rank them.

    Parameters
    ----------
    gap : float, optional
        Relative gap that bushes bring every run to, whatever the scenarios say; samples then start
        from their option as it is.

    Returns
    -------
    int
        0; or 1 where a run did not converge.

    Raises
    ------
    CczsimError
        With every fault of the files, of ``by``, and of the samples that could not be run.
    """
    began = time.perf_counter()
    specs, ranges = _read(paths, uncertainty)
    if gap is not None:
        specs = [by_bushes(spec, gap) for spec in specs]
    draws = draw(ranges, samples or DEFAULT_SAMPLES, seed, design)
    check_folder(out)
    study, criteria = _prepare(specs, ranges, by, progress)
    tasks = make_tasks(specs, study, draws)
    done = run_study(
        study, tasks, [spec.name for spec in specs], out / "samples", resume=resume,
        workers=workers, cluster=cluster, threads=threads, progress=progress,
    )  # fmt: skip
    sources = tuple(dict.fromkeys(a for net in study.networks for a in net.info.attribution))
    result = make_result(specs, criteria, ranges, draws, seed, design, tasks, done.figures, sources)
    spent = time.perf_counter() - began
    write_ranking(result, out, lang, spent, done.computed, workers, cluster)
    print_ranking(result)
    progress.say(f"page: {out / 'rank.html'}")
    return 1 if result.not_converged else 0


def by_bushes(spec: ScenarioSpec, gap: float) -> ScenarioSpec:
    """Return a scenario that bushes bring to a gap.

    Raises
    ------
    ScenarioError
        No gap that can be asked for.
    """
    if not 0.0 < gap < 1.0:
        raise ScenarioError.of("--gap", f"{gap:g}", "more than 0 and less than 1")
    said = {"algorithm": "b", "relative_gap": gap}
    plain = {**spec.plain, "assignment": {**spec.plain.get("assignment", {}), **said}}
    rules = replace(spec.assignment, algorithm="b", relative_gap=gap)
    return replace(spec, assignment=rules, plain=plain)


def _read(
    paths: Sequence[Path], uncertainty: Path | None
) -> tuple[list[ScenarioSpec], dict[str, Uncertain]]:
    faults = FaultCollector(ScenarioError)
    specs: list[ScenarioSpec] = []
    for path in paths:
        try:
            specs.append(read_scenario(path))
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
    names: dict[str, Path] = {}
    for spec, path in zip(specs, paths, strict=False):
        if spec.name in names:
            found = f"the same name as {names[spec.name]}"
            faults.add(str(path), found, "a name of its own", "name each scenario once")
        names[spec.name] = path
    said: dict[str, Mapping[str, Uncertain]] = {spec.name: spec.uncertainty for spec in specs}
    ranges: dict[str, Uncertain] = {}
    try:
        if uncertainty is not None:
            said[str(uncertainty)] = read_uncertainty(uncertainty)
        ranges = gather(said)
    except CczsimError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    return specs, ranges


def _prepare(
    specs: Sequence[ScenarioSpec], ranges: dict[str, Uncertain], by: Sequence[str],
    progress: Progress,
) -> tuple[Study, tuple[Criterion, ...]]:  # fmt: skip
    """Load networks, apply changes, and look up every figure and range before anything is run."""
    faults = FaultCollector(ScenarioError)
    places: dict[str, int] = {}
    networks: list[Network] = []
    options, known = [], []
    for spec in specs:
        path = str(Path(spec.network).resolve())
        if path not in places:
            places[path] = len(networks)
            networks.append(load_network(Path(spec.network), progress))
        try:
            with progress.step(f"{spec.name}: apply changes"):
                option = make_option(spec, networks[places[path]], places[path], ranges)
            options.append(option)
            known.append(
                (*known_figures(spec, option.changed, option.streets), *building_cost(option))
            )
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
    faults.raise_if_any()
    for name, item in ranges.items():
        if item.what in (*LINK_COLUMNS, *LINE_COLUMNS) and not any(
            len(o.after[name]) or len(o.before[name]) for o in options
        ):
            faults.add(f"uncertainty.{name}", "no link or line that it moves in any option",
                       "one or more", "look at select or line")  # fmt: skip
    criteria: list[Criterion] = []
    try:
        criteria = _criteria(specs, known, by)
    except CczsimError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    return Study(tuple(options), tuple(networks), ranges), tuple(criteria)


def _criteria(
    specs: Sequence[ScenarioSpec], known: Sequence[tuple[Indicator, ...]], by: Sequence[str]
) -> list[Criterion]:
    faults = FaultCollector(ScenarioError)
    out: list[Criterion] = []
    asked = [text for item in by for text in item.split(",") if text]
    if not asked:
        asked = [
            key for key in DEFAULT_BY
            if all(find_target(key, figures, spec.density.convention) is not None
                   for spec, figures in zip(specs, known, strict=True))
        ]  # fmt: skip
    for text in dict.fromkeys(asked):
        key, _, sign = text.partition(":")
        if sign and sign not in _SIGNS:
            faults.add(f"--by {text}", repr(sign), "less or more behind the colon")
            continue
        item: Indicator | None = None
        for spec, figures in zip(specs, known, strict=True):
            try:
                item = named_figure(key, figures, spec.density.convention, f"--by, {spec.name}")
            except CczsimError as error:
                faults.extend(error.faults)
        if item is None:
            continue
        if not sign and item.key not in BETTER:
            faults.add(f"--by {key}", "a figure of which neither more nor less is better",
                       f"{key}:less or {key}:more")  # fmt: skip
            continue
        out.append(Criterion(key, _SIGNS[sign] if sign else BETTER[item.key], item.unit, item))
    faults.raise_if_any()
    return out
